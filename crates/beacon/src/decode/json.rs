//! The JSON of the beacon API. Unknown fields are refused within the objects, and ignored around them.
//!
//! The objects are read by hand, field by field: derived readers of each object with each kind of header take 100 KB of code.

mod fields;

use core::fmt;

use alloy_primitives::Bytes;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::wire::{Shape, WireBootstrap, WireHeader, WireUpdate};
use crate::container::{BeaconBlockHeader, ExecutionPayloadHeader, SyncAggregate, SyncCommittee};
use crate::fork::HeaderLayout;
use crate::unit::Slot;
use crate::update::Execution;
use fields::Fields;

/// An object without its wrapper, if it had one.
pub(super) struct Envelope<'a> {
    pub(super) version: Option<String>,
    /// Text, unless its bytes are not UTF-8.
    pub(super) body: Result<&'a str, serde_json::Error>,
}

/// Takes an object out of `{"version": …, "data": …}`. Servers leave out one or both of the two.
pub(super) fn envelope(bytes: &[u8]) -> Result<Envelope<'_>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Wrapper<'a> {
        #[serde(borrow)]
        version: Option<&'a RawValue>,
        #[serde(borrow)]
        data: Option<&'a RawValue>,
    }
    let Wrapper { version, data } = serde_json::from_slice(bytes)?;
    // The version is a hint: one that is no text is as good as none.
    let version = version.and_then(|version| serde_json::from_str(version.get()).ok());
    let bare = || core::str::from_utf8(bytes).map_err(Error::custom);
    Ok(Envelope { version, body: data.map_or_else(bare, |data| Ok(data.get())) })
}

/// Splits a list of objects, bare or as the `data` of a wrapper. Returns `None` if there are more than `limit`.
pub(super) fn elements(bytes: &[u8], limit: usize) -> Result<Option<Vec<&RawValue>>, serde_json::Error> {
    let is_bare = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let list =
        if is_bare { core::str::from_utf8(bytes).map_err(Error::custom) } else { envelope(bytes)?.body }?;
    let mut deserializer = serde_json::Deserializer::from_str(list);
    let elements = deserializer.deserialize_seq(Elements { limit })?;
    deserializer.end()?;
    Ok(elements)
}

/// Keeps no element beyond the limit, so that a list of millions of empty elements costs no memory.
struct Elements {
    limit: usize,
}

impl<'de> Visitor<'de> for Elements {
    type Value = Option<Vec<&'de RawValue>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = sequence.next_element()? {
            if elements.len() == self.limit {
                while sequence.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(None);
            }
            elements.push(element);
        }
        Ok(Some(elements))
    }
}

/// Reads only the slot of the header. This works for the objects of every fork.
pub(super) fn slot(body: &str) -> Result<Slot, serde_json::Error> {
    let object = Fields::some(body, &["attested_header", "header"])?;
    let [attested, header] = ["attested_header", "header"].map(|name| object.text(name));
    // One name or the other: both would be two headers.
    let header = match (attested, header) {
        (Some(header), None) | (None, Some(header)) => header,
        (Some(_), Some(_)) => return Err(Error::duplicate_field("attested_header")),
        (None, None) => return Err(Error::missing_field("attested_header")),
    };
    // The beacon header, or the object around it.
    let header = Fields::some(header, &["slot", "beacon"])?;
    let beacon = header.unless_null("beacon").map(|beacon| Fields::some(beacon, &["slot"])).transpose()?;
    match beacon {
        Some(beacon) => beacon.number("slot").map(Slot::new),
        None if header.unless_null("slot").is_some() => header.number("slot").map(Slot::new),
        None => Err(Error::missing_field("slot")),
    }
}

/// Reads a bootstrap.
pub(super) fn bootstrap(body: &str, shape: &Shape<'_>) -> Result<WireBootstrap, serde_json::Error> {
    let names = &["header", "current_sync_committee", "current_sync_committee_branch"];
    let object = Fields::only(body, names)?;
    Ok(WireBootstrap {
        header: header(object.needed("header")?, shape)?,
        current_sync_committee: committee(object.needed("current_sync_committee")?)?,
        current_sync_committee_branch: object.roots("current_sync_committee_branch")?,
    })
}

/// The fields of an update, and whether it has a next committee and a finalized header.
pub(super) struct UpdateForm {
    names: &'static [&'static str],
    has_committee: bool,
    has_finality: bool,
}

pub(super) const UPDATE: UpdateForm = UpdateForm {
    names: &[
        "attested_header",
        "next_sync_committee",
        "next_sync_committee_branch",
        "finalized_header",
        "finality_branch",
        "sync_aggregate",
        "signature_slot",
    ],
    has_committee: true,
    has_finality: true,
};

pub(super) const FINALITY_UPDATE: UpdateForm = UpdateForm {
    names: &["attested_header", "finalized_header", "finality_branch", "sync_aggregate", "signature_slot"],
    has_committee: false,
    has_finality: true,
};

pub(super) const OPTIMISTIC_UPDATE: UpdateForm = UpdateForm {
    names: &["attested_header", "sync_aggregate", "signature_slot"],
    has_committee: false,
    has_finality: false,
};

/// Reads an update in one of its three forms.
pub(super) fn update(
    body: &str,
    form: &UpdateForm,
    shape: &Shape<'_>,
) -> Result<WireUpdate, serde_json::Error> {
    let object = Fields::only(body, form.names)?;
    let attested_header = header(object.needed("attested_header")?, shape)?;
    let next_sync_committee = match form.has_committee {
        true => {
            let committee = committee(object.needed("next_sync_committee")?)?;
            Some((committee, object.roots("next_sync_committee_branch")?))
        }
        false => None,
    };
    let finality = match form.has_finality {
        true => Some((header(object.needed("finalized_header")?, shape)?, object.roots("finality_branch")?)),
        false => None,
    };
    let aggregate =
        Fields::only(object.needed("sync_aggregate")?, &["sync_committee_bits", "sync_committee_signature"])?;
    let sync_aggregate = SyncAggregate {
        bits: aggregate.bytes("sync_committee_bits")?,
        size: shape.committee_size(),
        signature: aggregate.fixed("sync_committee_signature")?.into(),
    };
    let signature_slot = Slot::new(object.number("signature_slot")?);
    Ok(WireUpdate { attested_header, next_sync_committee, finality, sync_aggregate, signature_slot })
}

/// Reads a header in the layout of the object.
fn header(text: &str, shape: &Shape<'_>) -> Result<WireHeader, serde_json::Error> {
    match shape.fork.rules().layout {
        // Some servers leave out the object around the beacon header.
        HeaderLayout::Beacon => wrapped(text).or_else(|_| bare(text)).map(WireHeader::without_zeros),
        HeaderLayout::Execution15 | HeaderLayout::Execution17 => with_execution(text),
        HeaderLayout::ExecutionHash => with_hash(text),
    }
}

/// A header of Altair or Bellatrix. Some tools write the fields of later forks, which are zero.
fn wrapped(text: &str) -> Result<WireHeader, serde_json::Error> {
    let fields = Fields::only(text, &["beacon", "execution", "execution_branch"])?;
    let execution = fields.unless_null("execution").map(execution).transpose()?;
    let execution_branch = match fields.text("execution_branch") {
        Some(_) => fields.roots("execution_branch")?,
        None => Vec::new(),
    };
    Ok(WireHeader {
        beacon: beacon(fields.needed("beacon")?)?,
        execution: execution.map_or(Execution::Absent, Execution::Header),
        execution_branch,
    })
}

fn bare(text: &str) -> Result<WireHeader, serde_json::Error> {
    Ok(WireHeader { beacon: beacon(text)?, execution: Execution::Absent, execution_branch: Vec::new() })
}

/// A header from Capella to Fulu.
fn with_execution(text: &str) -> Result<WireHeader, serde_json::Error> {
    let fields = Fields::only(text, &["beacon", "execution", "execution_branch"])?;
    Ok(WireHeader {
        beacon: beacon(fields.needed("beacon")?)?,
        execution: Execution::Header(execution(fields.needed("execution")?)?),
        execution_branch: fields.roots("execution_branch")?,
    })
}

/// A header from Gloas on.
fn with_hash(text: &str) -> Result<WireHeader, serde_json::Error> {
    let fields = Fields::only(text, &["beacon", "execution_block_hash", "execution_branch"])?;
    Ok(WireHeader {
        beacon: beacon(fields.needed("beacon")?)?,
        execution: Execution::Hash(fields.fixed("execution_block_hash")?.into()),
        execution_branch: fields.roots("execution_branch")?,
    })
}

fn beacon(text: &str) -> Result<BeaconBlockHeader, serde_json::Error> {
    let names = &["slot", "proposer_index", "parent_root", "state_root", "body_root"];
    let fields = Fields::only(text, names)?;
    Ok(BeaconBlockHeader {
        slot: Slot::new(fields.number("slot")?),
        proposer_index: fields.number("proposer_index")?,
        parent_root: fields.fixed("parent_root")?.into(),
        state_root: fields.fixed("state_root")?.into(),
        body_root: fields.fixed("body_root")?.into(),
    })
}

const EXECUTION: &[&str] = &[
    "parent_hash",
    "fee_recipient",
    "state_root",
    "receipts_root",
    "logs_bloom",
    "prev_randao",
    "block_number",
    "gas_limit",
    "gas_used",
    "timestamp",
    "extra_data",
    "base_fee_per_gas",
    "block_hash",
    "transactions_root",
    "withdrawals_root",
    "blob_gas_used",
    "excess_blob_gas",
];

fn execution(text: &str) -> Result<ExecutionPayloadHeader, serde_json::Error> {
    let fields = Fields::only(text, EXECUTION)?;
    // A field that may be missing. If it is present, it must be a number, not null.
    let present = |name| fields.text(name).map(|_| fields.number(name)).transpose();
    Ok(ExecutionPayloadHeader {
        parent_hash: fields.fixed("parent_hash")?.into(),
        fee_recipient: fields.fixed("fee_recipient")?.into(),
        state_root: fields.fixed("state_root")?.into(),
        receipts_root: fields.fixed("receipts_root")?.into(),
        logs_bloom: fields.fixed("logs_bloom")?.into(),
        prev_randao: fields.fixed("prev_randao")?.into(),
        block_number: fields.number("block_number")?,
        gas_limit: fields.number("gas_limit")?,
        gas_used: fields.number("gas_used")?,
        timestamp: fields.number("timestamp")?,
        extra_data: Bytes::from(fields.bytes("extra_data")?),
        base_fee_per_gas: fields.wide_number("base_fee_per_gas")?,
        block_hash: fields.fixed("block_hash")?.into(),
        transactions_root: fields.fixed("transactions_root")?.into(),
        withdrawals_root: fields.fixed("withdrawals_root")?.into(),
        blob_gas_used: present("blob_gas_used")?,
        excess_blob_gas: present("excess_blob_gas")?,
    })
}

fn committee(text: &str) -> Result<SyncCommittee, serde_json::Error> {
    let fields = Fields::only(text, &["pubkeys", "aggregate_pubkey"])?;
    Ok(SyncCommittee {
        pubkeys: fields.list("pubkeys")?,
        aggregate_pubkey: fields.fixed("aggregate_pubkey")?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_bounded_and_other_values_are_refused() {
        let count =
            |json: &str, limit| elements(json.as_bytes(), limit).unwrap().map(|elements| elements.len());
        for list in [" [1, 2]", r#"{"data": [1, 2]}"#, r#"{"version": "deneb", "data": [1, 2]}"#] {
            assert_eq!(count(list, 2), Some(2), "{list}");
            assert_eq!(count(list, 1), None, "{list}");
        }
        for other in ["7", r#"{"data": 7}"#, r#"{"data": {}}"#] {
            let error = elements(other.as_bytes(), 2).unwrap_err().to_string();
            assert!(error.contains("expected"), "{error}");
        }
        let error = elements(br#"{"data": 7}"#, 2).unwrap_err().to_string();
        assert!(error.contains("expected a list"), "{error}");
        assert!(elements(b"[1] 2", 2).is_err());
    }
}
