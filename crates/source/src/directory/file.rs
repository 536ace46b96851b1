//! Reads a directory from TOML text. Done by hand: the messages of a generic reader quote the text, and with it URLs.

use saldo_beacon::TomlFault;
use saldo_beacon::plain_toml::{Fields, NotPlain, Tables as File, Value, line_of, line_of_name};

use super::error::DirectoryError;
use super::listed::{Documented, Listed};
use crate::endpoint::Endpoint;

const MAX_BYTES: usize = 64 * 1024;
const MAX_ENTRIES: usize = 32;
/// The longest text of a field, in bytes.
const MAX_TEXT: usize = 200;

/// A kind of file that can hold endpoints beside what it is about.
struct Host {
    /// The field that tells it from others.
    field: &'static str,
    /// Its tables that are no endpoints.
    tables: &'static [&'static str],
}

/// A network file, and the profile of a rollup.
const HOSTS: [Host; 2] = [
    Host { field: "genesis_validators_root", tables: &["forks", "blob_schedule"] },
    Host {
        field: "registry",
        tables: &["proxy_code", "registry_code", "factory_code", "game_code", "pause_code"],
    },
];

/// A table's name, and the fields of its entries.
struct Kind {
    table: &'static str,
    fields: &'static str,
}

const RPC: Kind = Kind {
    table: "rpc",
    fields: "url, name, operator, edge, hosting, documented_on, read_on, get_proof, tracking",
};
const BEACON: Kind = Kind {
    table: "beacon",
    fields: "url, name, operator, edge, hosting, documented_on, read_on, light_client, tracking",
};
const CHECKPOINT_SOURCE: Kind = Kind {
    table: "checkpoint_source",
    fields: "url, name, operator, edge, hosting, documented_on, read_on, tracking",
};

const TABLES: [&str; 3] = [RPC.table, BEACON.table, CHECKPOINT_SOURCE.table];

/// The entries of each table.
pub(super) struct Tables {
    pub(super) rpc: Vec<Listed>,
    pub(super) beacon: Vec<Listed>,
    pub(super) checkpoint_sources: Vec<Listed>,
}

/// Reads a directory of a user.
pub(super) fn read(text: &str) -> Result<Tables, DirectoryError> {
    if text.len() > MAX_BYTES {
        return Err(DirectoryError::TooLarge { got: text.len(), limit: MAX_BYTES });
    }
    #[cfg(feature = "toml")]
    let file = super::toml_file::read(text)?;
    #[cfg(not(feature = "toml"))]
    let file = plain(text)?;
    tables(&file, text)
}

/// Reads a built-in directory.
pub(super) fn read_built_in(text: &str) -> Result<Tables, DirectoryError> {
    tables(&plain(text)?, text)
}

fn plain(text: &str) -> Result<File, DirectoryError> {
    File::read(text).map_err(|NotPlain { line }| DirectoryError::NotToml { line })
}

fn tables(file: &File, text: &str) -> Result<Tables, DirectoryError> {
    check_names(file, text)?;
    Ok(Tables {
        rpc: entries(file, &RPC, text)?,
        beacon: entries(file, &BEACON, text)?,
        checkpoint_sources: entries(file, &CHECKPOINT_SOURCE, text)?,
    })
}

/// Refuses an unknown table, and a field before the first table. The fields of a network file, or of a profile, are checked where that
/// is read.
fn check_names(file: &File, text: &str) -> Result<(), DirectoryError> {
    let host = HOSTS.iter().find(|host| file.top.get(host.field).is_some());
    let is_known =
        |name: &str| TABLES.contains(&name) || host.is_some_and(|host| host.tables.contains(&name));
    let arrays = file.arrays.iter().map(|(name, _)| (name.as_str(), true));
    let fields = file.top.keys().filter(|_| host.is_none()).map(|name| (name, false));
    let others = arrays.chain(fields).filter(|(name, _)| !is_known(name));
    let placed = others.map(|(name, is_array)| match line_of_name(text, name) {
        Some((line, is_table)) => (Some(line), name, is_table),
        None => (None, name, is_array),
    });
    // The first line that is wrong is named; a name whose line cannot be told comes last.
    let Some((line, name, is_table)) = placed.min_by_key(|(line, ..)| line.unwrap_or(usize::MAX)) else {
        return Ok(());
    };
    let fields = [RPC, BEACON, CHECKPOINT_SOURCE].into_iter().flat_map(|kind| kind.fields.split(", "));
    let nearest = TomlFault::nearest(name, TABLES.into_iter());
    match TomlFault::nearest(name, fields) {
        Some(field) if !is_table && nearest.is_none() => Err(DirectoryError::OutsideOfTables { line, field }),
        _ => {
            let table = (nearest.is_some() || is_word(name)).then(|| name.to_owned());
            Err(DirectoryError::OtherTable { line, table, nearest })
        }
    }
}

fn entries(file: &File, kind: &Kind, text: &str) -> Result<Vec<Listed>, DirectoryError> {
    let table = kind.table;
    if file.top.get(table).is_some() {
        let line = line_of_name(text, table).map(|(line, _)| line);
        return Err(DirectoryError::NotTables { line, table });
    }
    let given = file.array(table);
    if given.len() > MAX_ENTRIES {
        return Err(DirectoryError::TooMany { table, got: given.len(), limit: MAX_ENTRIES });
    }
    let mut listed: Vec<Listed> = Vec::with_capacity(given.len());
    for (fields, position) in given.iter().zip(1..) {
        let next = Entry { kind, position, fields, text }.read()?;
        if listed.iter().any(|earlier| earlier.endpoint.id() == next.endpoint.id()) {
            return Err(DirectoryError::SameName { table, position });
        }
        listed.push(next);
    }
    Ok(listed)
}

struct Entry<'a> {
    kind: &'a Kind,
    position: usize,
    fields: &'a Fields,
    /// The whole file, to find the line of a field.
    text: &'a str,
}

impl Entry<'_> {
    fn read(&self) -> Result<Listed, DirectoryError> {
        let (table, position) = (self.kind.table, self.position);
        let known = self.kind.fields;
        if let Some(key) = self.fields.keys().find(|key| !known.split(", ").any(|field| field == *key)) {
            let (line, nearest) = (self.line_of(key), TomlFault::nearest(key, known.split(", ")));
            let field = (nearest.is_some() || is_word(key)).then(|| key.to_owned());
            return Err(DirectoryError::UnknownField { table, position, line, field, nearest, known });
        }
        Ok(Listed {
            endpoint: self.endpoint()?,
            documented: self.documented()?,
            get_proof: self.known("get_proof")?,
            light_client: self.known("light_client")?,
            tracking: self.known("tracking")?,
            built_in: false,
        })
    }

    /// The line of `key` in this entry, if the entry is written in the usual form.
    fn line_of(&self, key: &str) -> Option<usize> {
        line_of(self.text, Some((self.kind.table, self.position.checked_sub(1)?)), key)
    }

    fn endpoint(&self) -> Result<Endpoint, DirectoryError> {
        let (table, position) = (self.kind.table, self.position);
        let refused = |field: &'static str| {
            let line = self.line_of(field);
            move |error| DirectoryError::Endpoint { table, position, line, field, error }
        };
        let url = self.text("url")?.ok_or(DirectoryError::NoUrl { table, position })?;
        let mut endpoint = Endpoint::new(url).map_err(refused("url"))?;
        if let Some(name) = self.text("name")? {
            endpoint = endpoint.named(name).map_err(refused("name"))?;
        }
        if let Some(operator) = self.text("operator")? {
            endpoint = endpoint.operator(operator).map_err(refused("operator"))?;
        }
        if let Some(edge) = self.known("edge")? {
            endpoint = endpoint.edge(&edge).map_err(refused("edge"))?;
        }
        if let Some(hosting) = self.known("hosting")? {
            endpoint = endpoint.hosting(&hosting).map_err(refused("hosting"))?;
        }
        if let Some(Documented { page, read_on }) = self.documented()? {
            endpoint = endpoint.declared(&page, &read_on).map_err(refused("documented_on"))?;
        }
        Ok(endpoint)
    }

    fn documented(&self) -> Result<Option<Documented>, DirectoryError> {
        let page = self.remark("documented_on")?;
        if page.is_some_and(|page| !page.starts_with("https://")) {
            return Err(self.must_be("documented_on", "an https:// address"));
        }
        match (page, self.date("read_on")?) {
            (Some(page), Some(read_on)) => Ok(Some(Documented { page: page.to_owned(), read_on })),
            (None, None) => Ok(None),
            _ => Err(DirectoryError::Undated { table: self.kind.table, position: self.position }),
        }
    }

    /// A field's text; `None` also if it is [`Listed::UNKNOWN`].
    fn known(&self, field: &'static str) -> Result<Option<String>, DirectoryError> {
        Ok(self.remark(field)?.filter(|text| *text != Listed::UNKNOWN).map(str::to_owned))
    }

    fn remark(&self, field: &'static str) -> Result<Option<&str>, DirectoryError> {
        let is_short = |text: &str| text.len() <= MAX_TEXT && !text.chars().any(char::is_control);
        match self.text(field)? {
            Some(text) if text.trim().is_empty() || !is_short(text) => {
                Err(self.must_be(field, "1 to 200 printable characters"))
            }
            text => Ok(text),
        }
    }

    fn text(&self, field: &'static str) -> Result<Option<&str>, DirectoryError> {
        match self.fields.get(field) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(self.must_be(field, "text in quotes")),
        }
    }

    fn date(&self, field: &'static str) -> Result<Option<String>, DirectoryError> {
        match self.fields.get(field) {
            None => Ok(None),
            Some(Value::Day(day)) => Ok(Some(day.clone())),
            Some(_) => Err(self.must_be(field, "a date without quotes, such as 2026-11-24")),
        }
    }

    fn must_be(&self, field: &'static str, expected: &'static str) -> DirectoryError {
        let (table, position, line) = (self.kind.table, self.position, self.line_of(field));
        DirectoryError::Field { table, position, line, field, expected }
    }
}

/// Whether a key is a word, and shorter than every API key: then it may be shown.
fn is_word(key: &str) -> bool {
    const LONGEST: usize = 20;
    key.len() <= LONGEST && key.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}
