//! Reads a network file without a general parser of TOML.

use alloy_primitives::{B256, hex};

use super::file::{BlobEntry, DEFAULT_MAX_CHECKPOINT_AGE, ForkEntry, NetworkFile};
use super::toml_fault::TomlFault;
use crate::plain_toml::{Fields, NotPlain, Tables, Value};

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
        only(&tables.top, FIELDS)?;
        if let Some((name, _)) = tables.arrays.iter().find(|(name, _)| !ARRAYS.contains(&name.as_str())) {
            return Err(TomlFault::unknown_key(name, ARRAYS));
        }
        let top = &tables.top;
        Ok(Self {
            name: required(top, "name", text_of)?,
            chain_id: required(top, "chain_id", number_of)?,
            genesis_time: required(top, "genesis_time", number_of)?,
            genesis_validators_root: required(top, "genesis_validators_root", root_of)?,
            slot_duration_ms: required(top, "slot_duration_ms", number_of)?,
            slots_per_epoch: required(top, "slots_per_epoch", number_of)?,
            epochs_per_sync_committee_period: required(top, "epochs_per_sync_committee_period", number_of)?,
            sync_committee_size: required(top, "sync_committee_size", number_of)?,
            max_checkpoint_age_epochs: optional(top, "max_checkpoint_age_epochs", number_of)?
                .unwrap_or(DEFAULT_MAX_CHECKPOINT_AGE),
            genesis_fork_version: required(top, "genesis_fork_version", text_of)?,
            checkpoint: optional(top, "checkpoint", text_of)?,
            forks: tables.array("forks").iter().map(fork).collect::<Result<_, _>>()?,
            blob_schedule: tables.array("blob_schedule").iter().map(blobs).collect::<Result<_, _>>()?,
            ..Self::default()
        })
    }
}

fn fork(fields: &Fields) -> Result<ForkEntry, TomlFault> {
    only(fields, FORK_FIELDS)?;
    Ok(ForkEntry {
        name: required(fields, "name", text_of)?,
        version: required(fields, "version", text_of)?,
        epoch: optional(fields, "epoch", number_of)?,
        max_checkpoint_age_epochs: optional(fields, "max_checkpoint_age_epochs", number_of)?,
    })
}

fn blobs(fields: &Fields) -> Result<BlobEntry, TomlFault> {
    only(fields, BLOB_FIELDS)?;
    Ok(BlobEntry {
        epoch: required(fields, "epoch", number_of)?,
        max_blobs: required(fields, "max_blobs", number_of)?,
    })
}

fn only(fields: &Fields, known: &[&'static str]) -> Result<(), TomlFault> {
    fields
        .keys()
        .find(|key| !known.contains(key))
        .map_or(Ok(()), |key| Err(TomlFault::unknown_key(key, known)))
}

fn required<T>(fields: &Fields, key: &str, read: fn(&Value) -> Option<T>) -> Result<T, TomlFault> {
    optional(fields, key, read)?.ok_or_else(|| TomlFault::at(None, &format!("missing field `{key}`")))
}

fn optional<T>(fields: &Fields, key: &str, read: fn(&Value) -> Option<T>) -> Result<Option<T>, TomlFault> {
    let Some(value) = fields.get(key) else { return Ok(None) };
    let value = read(value)
        .ok_or_else(|| TomlFault::at(None, &format!("field `{key}` has a value of another type")))?;
    Ok(Some(value))
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(_) | Value::Day(_) | Value::Other => None,
    }
}

fn number_of(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Text(_) | Value::Day(_) | Value::Other => None,
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
        Network::of_file(file).map_err(|error| error.to_string())
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
            ("chain_id = 11155111", "chain_id = \"1\"", "field `chain_id` has a value of another type"),
            ("chain_id", "chain_ident", "unknown key `chain_ident`; did you mean `chain_id`?"),
            (
                "[[blob_schedule]]",
                "[[blob_schedules]]",
                "unknown key `blob_schedules`; did you mean `blob_schedule`?",
            ),
            ("max_blobs", "max_blob", "unknown key `max_blob`; did you mean `max_blobs`?"),
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
