//! Reads a network file without a general parser of TOML.

use alloy_primitives::{B256, hex};

use super::file::{BlobEntry, DEFAULT_MAX_CHECKPOINT_AGE, ForkEntry, NetworkFile};
use super::toml_fault::TomlFault;
use crate::plain_toml::{Fields, NotPlain, Tables, Value, line_of, line_of_name};

const FIELDS: &[&str] = &[
    "name",
    "chain_id",
    "genesis_time",
    "genesis_validators_root",
    "slot_duration_ms",
    "slots_per_epoch",
    "epochs_per_sync_committee_period",
    "sync_committee_size",
    "max_checkpoint_age_epochs",
    "genesis_fork_version",
    "checkpoint",
];
const FORK_FIELDS: &[&str] = &["name", "version", "epoch", "max_checkpoint_age_epochs"];
const BLOB_FIELDS: &[&str] = &["epoch", "max_blobs"];
/// The arrays of a network file. The last three are a directory of endpoints, and are not read here.
const ARRAYS: &[&str] = &["forks", "blob_schedule", "rpc", "beacon", "checkpoint_source"];

impl NetworkFile {
    /// Reads a file that is written in plain lines.
    ///
    /// # Errors
    /// [`TomlFault`] if a line is not plain, or a field is missing, unknown or of the wrong type.
    pub(super) fn plain(text: &str) -> Result<Self, TomlFault> {
        let tables = Tables::read(text).map_err(|NotPlain { line }| {
            TomlFault::at(Some(line), "expected a comment, `key = value` or `[[table]]` in plain TOML")
        })?;
        let top = Section { text, entry: None, fields: &tables.top };
        top.only(FIELDS)?;
        if let Some((name, _)) = tables.arrays.iter().find(|(name, _)| !ARRAYS.contains(&name.as_str())) {
            let line = line_of_name(text, name).map(|(line, _)| line);
            return Err(TomlFault::unknown_key(line, name, ARRAYS));
        }
        let entries =
            |table| (0_usize..).zip(tables.array(table)).map(move |(number, fields)| (table, number, fields));
        let section = |(table, number, fields)| Section { text, entry: Some((table, number)), fields };
        Ok(Self {
            name: top.required("name", TEXT)?,
            chain_id: top.required("chain_id", NUMBER)?,
            genesis_time: top.required("genesis_time", NUMBER)?,
            genesis_validators_root: top.required("genesis_validators_root", ROOT)?,
            slot_duration_ms: top.required("slot_duration_ms", NUMBER)?,
            slots_per_epoch: top.required("slots_per_epoch", NUMBER)?,
            epochs_per_sync_committee_period: top.required("epochs_per_sync_committee_period", NUMBER)?,
            sync_committee_size: top.required("sync_committee_size", NUMBER)?,
            max_checkpoint_age_epochs: top
                .optional("max_checkpoint_age_epochs", NUMBER)?
                .unwrap_or(DEFAULT_MAX_CHECKPOINT_AGE),
            genesis_fork_version: top.required("genesis_fork_version", TEXT)?,
            checkpoint: top.optional("checkpoint", TEXT)?,
            forks: entries("forks").map(section).map(|entry| fork(&entry)).collect::<Result<_, _>>()?,
            blob_schedule: entries("blob_schedule")
                .map(section)
                .map(|entry| blobs(&entry))
                .collect::<Result<_, _>>()?,
            #[cfg(feature = "toml")]
            _rpc: None,
            #[cfg(feature = "toml")]
            _beacon: None,
            #[cfg(feature = "toml")]
            _checkpoint_source: None,
        })
    }
}

fn fork(entry: &Section<'_>) -> Result<ForkEntry, TomlFault> {
    entry.only(FORK_FIELDS)?;
    Ok(ForkEntry {
        name: entry.required("name", TEXT)?,
        version: entry.required("version", TEXT)?,
        epoch: entry.optional("epoch", NUMBER)?,
        max_checkpoint_age_epochs: entry.optional("max_checkpoint_age_epochs", NUMBER)?,
    })
}

fn blobs(entry: &Section<'_>) -> Result<BlobEntry, TomlFault> {
    entry.only(BLOB_FIELDS)?;
    Ok(BlobEntry { epoch: entry.required("epoch", NUMBER)?, max_blobs: entry.required("max_blobs", NUMBER)? })
}

/// What a field must be, and how it is read.
type Form<T> = (&'static str, fn(&Value) -> Option<T>);

const TEXT: Form<String> = ("text in quotes", Value::text);
const NUMBER: Form<u64> = ("a whole number", Value::number);
const ROOT: Form<B256> = ("text of 64 hexadecimal digits in quotes", root_of);

/// The fields before the first entry, or those of one entry.
struct Section<'a> {
    /// The whole file, to find the line of a field.
    text: &'a str,
    entry: Option<(&'a str, usize)>,
    fields: &'a Fields,
}

impl Section<'_> {
    fn only(&self, known: &[&'static str]) -> Result<(), TomlFault> {
        match self.fields.keys().find(|key| !known.contains(key)) {
            Some(key) => Err(TomlFault::unknown_key(self.line_of(key), key, known)),
            None => Ok(()),
        }
    }

    fn required<T>(&self, key: &str, form: Form<T>) -> Result<T, TomlFault> {
        self.optional(key, form)?.ok_or_else(|| TomlFault::at(None, &format!("missing field `{key}`")))
    }

    fn optional<T>(&self, key: &str, (expected, read): Form<T>) -> Result<Option<T>, TomlFault> {
        let Some(value) = self.fields.get(key) else { return Ok(None) };
        let wrong = || TomlFault::at(self.line_of(key), &format!("`{key}` must be {expected}"));
        read(value).map(Some).ok_or_else(wrong)
    }

    fn line_of(&self, key: &str) -> Option<usize> {
        line_of(self.text, self.entry, key)
    }
}

fn root_of(value: &Value) -> Option<B256> {
    match value {
        Value::Text(text) => hex::decode_to_array(text).ok().map(B256::new),
        Value::Number(_) | Value::Day(_) | Value::Other => None,
    }
}

#[cfg(test)]
#[cfg(feature = "toml")]
mod tests {
    use super::*;
    use crate::network::Network;

    fn reads(text: &str) -> Result<Network, String> {
        let file = NetworkFile::plain(text).map_err(|fault| fault.to_string())?;
        Network::of_file(file).map_err(|misplaced| misplaced.error().to_string())
    }

    #[test]
    fn a_written_network_is_plain() {
        for network in Network::built_in() {
            assert_eq!(reads(&network.to_toml()), Ok(network));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let file = Network::sepolia().to_toml();
        let with = |from: &str, to: &str| reads(&file.replacen(from, to, 1)).unwrap_err();
        for (from, to, expected) in [
            ("chain_id = 11155111\n", "", "missing field `chain_id`"),
            ("chain_id = 11155111", "chain_id = \"1\"", "line 2: `chain_id` must be a whole number"),
            ("chain_id", "chain_ident", "line 2: unknown key `chain_ident`; did you mean `chain_id`?"),
            (
                "[[blob_schedule]]",
                "[[blob_schedules]]",
                "line 48: unknown key `blob_schedules`; did you mean `blob_schedule`?",
            ),
            ("max_blobs", "max_blob", "line 50: unknown key `max_blob`; did you mean `max_blobs`?"),
            (
                "name = \"sepolia\"",
                "name = 'sepolia'",
                "line 1: expected a comment, `key = value` or `[[table]]` in plain TOML",
            ),
            ("slots_per_epoch = 32", "slots_per_epoch = 513", "`slots_per_epoch` is 513, expected 1 to 512"),
        ] {
            assert_eq!(with(from, to), expected);
        }
        let directory = format!("{file}\n[[rpc]]\nurl = \"https://a.example\"\nanything = 2026-01-01\n");
        assert_eq!(reads(&directory), Ok(Network::sepolia()));
    }
}
