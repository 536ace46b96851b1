//! Reads a profile from plain TOML.

use alloy_primitives::{Address, B256};
use saldo_beacon::plain_toml::{Fields, NotPlain, Tables, Value, line_of};
use saldo_beacon::unit::UnixTime;

use super::{GameCode, GameKind, Profile, RegistryCode};

const MAX_BYTES: usize = 64 * 1024;
/// The most entries of a table that are read.
const MAX_ENTRIES: usize = 64;
/// The value of what is not known.
pub(super) const UNKNOWN: &str = "unknown";

const FIELDS: &[&str] = &[
    "name",
    "chain_id",
    "l1_chain_id",
    "read_on",
    "registry",
    "system_config",
    "superchain_config",
    "pause_identifier",
    "genesis_number",
    "genesis_time",
    "block_time",
];
const PROXY_CODES: &str = "proxy_code";
const REGISTRY_CODES: &str = "registry_code";
const FACTORY_CODES: &str = "factory_code";
const GAME_CODES: &str = "game_code";
const PAUSE_CODES: &str = "pause_code";
/// Its providers, which a file can have beside the profile. They are not read here.
const PROVIDERS: &str = "rpc";
const TABLES: &[&str] = &[PROXY_CODES, REGISTRY_CODES, FACTORY_CODES, GAME_CODES, PAUSE_CODES, PROVIDERS];

/// Why a text is no profile. All variants: the caller's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The text is longer than any profile needs.
    #[error("the profile has {got} bytes, at most {limit} are read")]
    TooLarge {
        /// Its bytes.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// A line is not in the [part of TOML](saldo_beacon::plain_toml) that profiles are written in.
    #[error("line {line}: expected a comment, `key = value` or `[[table]]` in plain TOML")]
    NotPlain {
        /// The line, from 1 on.
        line: usize,
    },
    /// A table is unknown, or has too many entries.
    #[error("`{name}` is no table of a profile, or has more than 64 entries")]
    Table {
        /// The table's name.
        name: String,
    },
    /// A field is missing. What is not known is written as `"unknown"`.
    #[error("missing field `{field}`; write \"unknown\" for what is not known")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A field is unknown.
    #[error("unknown field `{field}`")]
    UnknownField {
        /// The field.
        field: String,
    },
    /// A value is of another form or out of range.
    #[error("{}`{field}` must be {expected}", .line.map(|line| format!("line {line}: ")).unwrap_or_default())]
    Value {
        /// The field.
        field: &'static str,
        /// The line, from 1 on, if it is known.
        line: Option<usize>,
        /// What it has to be.
        expected: &'static str,
    },
}

impl Profile {
    /// Reads a profile. Providers in the table `[[rpc]]` are not read. A field that is not known has the value `"unknown"`; a table of codes without an entry says that no code is
    /// known.
    ///
    /// # Errors
    /// [`ProfileError`] if a field is missing, unknown, malformed or out of range.
    pub fn from_toml(text: &str) -> Result<Self, ProfileError> {
        if text.len() > MAX_BYTES {
            return Err(ProfileError::TooLarge { got: text.len(), limit: MAX_BYTES });
        }
        let tables = Tables::read(text).map_err(|NotPlain { line }| ProfileError::NotPlain { line })?;
        let is_wrong = |(name, entries): &&(String, Vec<Fields>)| {
            !TABLES.contains(&name.as_str()) || entries.len() > MAX_ENTRIES
        };
        if let Some((name, _)) = tables.arrays.iter().find(is_wrong) {
            return Err(ProfileError::Table { name: name.clone() });
        }
        let top = Section { text, entry: None, fields: &tables.top };
        top.only(FIELDS)?;
        let number = top.known("genesis_number", NUMBER)?;
        let time = top.known("genesis_time", SECONDS)?;
        Ok(Self {
            name: top.required("name", NAME)?,
            chain_id: top.required("chain_id", CHAIN_ID)?,
            l1_chain_id: top.required("l1_chain_id", CHAIN_ID)?,
            read_on: top.required("read_on", DAY)?,
            registry: top.required("registry", ADDRESS)?,
            system_config: top.known("system_config", ADDRESS)?,
            superchain_config: top.known("superchain_config", ADDRESS)?,
            pause_identifier: top.known("pause_identifier", ADDRESS)?,
            genesis: number.zip(time).map(|(number, time)| (number, UnixTime::from_secs(time))),
            block_time: top.known("block_time", BLOCK_TIME)?,
            proxy_codes: entries(text, &tables, PROXY_CODES, hash)?,
            registry_codes: entries(text, &tables, REGISTRY_CODES, registry_code)?,
            factory_codes: entries(text, &tables, FACTORY_CODES, hash)?,
            game_codes: entries(text, &tables, GAME_CODES, game_code)?,
            pause_codes: entries(text, &tables, PAUSE_CODES, pause_code)?,
        })
    }
}

fn entries<T>(
    text: &str,
    tables: &Tables,
    table: &'static str,
    read: fn(&Section<'_>) -> Result<T, ProfileError>,
) -> Result<Vec<T>, ProfileError> {
    let numbered = (0_usize..).zip(tables.array(table));
    numbered.map(|(number, fields)| read(&Section { text, entry: Some((table, number)), fields })).collect()
}

fn hash(entry: &Section<'_>) -> Result<B256, ProfileError> {
    entry.only(&["code_hash", "version"])?;
    entry.required("code_hash", HASH)
}

fn registry_code(entry: &Section<'_>) -> Result<RegistryCode, ProfileError> {
    entry.only(&["code_hash", "version", "finality_delay"])?;
    Ok(RegistryCode {
        code_hash: entry.required("code_hash", HASH)?,
        finality_delay: entry.required("finality_delay", SECONDS)?,
    })
}

fn pause_code(entry: &Section<'_>) -> Result<(B256, u64), ProfileError> {
    entry.only(&["code_hash", "version", "slot"])?;
    Ok((entry.required("code_hash", HASH)?, entry.required("slot", NUMBER)?))
}

fn game_code(entry: &Section<'_>) -> Result<GameCode, ProfileError> {
    entry.only(&["code_hash", "version", "game_type", "kind", "interval", "step"])?;
    let kind = match entry.required("kind", TEXT)?.as_str() {
        "fault" => GameKind::Fault { is_permissioned: false },
        "permissioned" => GameKind::Fault { is_permissioned: true },
        "super" => GameKind::SuperFault,
        "multiproof" => GameKind::Multiproof {
            interval: entry.required("interval", INTERVAL)?,
            step: entry.required("step", INTERVAL)?,
        },
        _ => return Err(entry.wrong("kind", "fault, permissioned, super or multiproof")),
    };
    if !matches!(kind, GameKind::Multiproof { .. }) {
        entry.only(&["code_hash", "version", "game_type", "kind"])?;
    }
    Ok(GameCode {
        code_hash: entry.required("code_hash", HASH)?,
        game_type: entry.required("game_type", GAME_TYPE)?,
        kind,
    })
}

/// What a value must be, and how it is read.
type Form<T> = (&'static str, fn(&Value) -> Option<T>);

const TEXT: Form<String> = ("text in quotes", Value::text);
const NAME: Form<String> = ("1 to 64 letters, digits, `-` or `_`", |value| {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    Value::text(value).filter(|name| (1..=64).contains(&name.len()) && name.bytes().all(is_plain))
});
const DAY: Form<String> = ("a day, as 2026-01-31", |value| match value {
    Value::Day(day) => Some(day.clone()),
    Value::Text(_) | Value::Number(_) | Value::Other => None,
});
const ADDRESS: Form<Address> = ("an address in quotes, or \"unknown\" where that is allowed", |value| {
    Value::text(value)?.parse().ok().filter(|address: &Address| !address.is_zero())
});
const HASH: Form<B256> = ("0x and 64 hexadecimal digits in quotes", |value| Value::text(value)?.parse().ok());
const NUMBER: Form<u64> = ("a whole number", Value::number);
const CHAIN_ID: Form<u64> = ("a whole number from 1 on", |value| Value::number(value).filter(|id| *id > 0));
const SECONDS: Form<u64> = ("seconds", |value| Value::number(value).filter(|seconds| *seconds <= 1 << 40));
const BLOCK_TIME: Form<u64> =
    ("1 to 3600 seconds", |value| Value::number(value).filter(|seconds| (1..=3_600).contains(seconds)));
const INTERVAL: Form<u64> =
    ("1 to 1000000 blocks", |value| Value::number(value).filter(|blocks| (1..=1_000_000).contains(blocks)));
const GAME_TYPE: Form<u32> = ("a game type", |value| Value::number(value)?.try_into().ok());

/// The fields before the first entry, or those of one entry.
struct Section<'a> {
    /// The whole file, to find the line of a field.
    text: &'a str,
    entry: Option<(&'a str, usize)>,
    fields: &'a Fields,
}

impl Section<'_> {
    fn only(&self, known: &[&str]) -> Result<(), ProfileError> {
        match self.fields.keys().find(|key| !known.contains(key)) {
            Some(key) => Err(ProfileError::UnknownField { field: key.to_owned() }),
            None => Ok(()),
        }
    }

    fn required<T>(&self, field: &'static str, (expected, read): Form<T>) -> Result<T, ProfileError> {
        let value = self.fields.get(field).ok_or(ProfileError::Missing { field })?;
        read(value).ok_or_else(|| self.wrong(field, expected))
    }

    /// Reads a field that may be unknown. It may not be missing.
    fn known<T>(&self, field: &'static str, form: Form<T>) -> Result<Option<T>, ProfileError> {
        if matches!(self.fields.get(field), Some(Value::Text(text)) if text == UNKNOWN) {
            return Ok(None);
        }
        self.required(field, form).map(Some)
    }

    fn wrong(&self, field: &'static str, expected: &'static str) -> ProfileError {
        ProfileError::Value { field, line: line_of(self.text, self.entry, field), expected }
    }
}
