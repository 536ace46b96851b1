//! Lists of updates, as `/updates` gives them.

use alloy_primitives::hex;

use super::error::DecodeError;
use super::hint::Hint;
use super::json;
use super::limit::{MAX_LIST_BYTES, MAX_UPDATES};
use super::object::{self, Update};
use super::ssz::Reader;
use crate::network::{ForkDigest, Network};
use crate::update::LightClientUpdate;

pub(super) fn json(bytes: &[u8], network: &Network) -> Result<Vec<LightClientUpdate>, DecodeError> {
    expect_size(bytes)?;
    json::elements(bytes, MAX_UPDATES)?
        .ok_or(DecodeError::TooMany { limit: MAX_UPDATES })?
        .into_iter()
        .map(|element| object::decode_json::<Update>(element.get().as_bytes(), &Hint::default(), network))
        .collect()
}

/// Reads a list in SSZ. Each update is `length || fork digest || bytes`; the length counts digest and bytes.
///
/// Source: beacon-APIs `light_client/updates`.
pub(super) fn ssz(bytes: &[u8], network: &Network) -> Result<Vec<LightClientUpdate>, DecodeError> {
    expect_size(bytes)?;
    let mut updates = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        if updates.len() == MAX_UPDATES {
            return Err(DecodeError::TooMany { limit: MAX_UPDATES });
        }
        let mut reader = Reader::new(rest);
        let length = usize::try_from(reader.uint64()?).unwrap_or(usize::MAX);
        let mut frame = Reader::new(reader.bytes(length)?);
        let digest = frame.fixed::<4>()?.0;
        updates.push(framed(digest, frame.rest(), network)?);
        rest = reader.rest();
    }
    Ok(updates)
}

/// Reads an update with a fork digest, which is a label. One that is not in the schedule is most often a change of the blob
/// parameters, which does not change how updates are read.
fn framed(digest: ForkDigest, bytes: &[u8], network: &Network) -> Result<LightClientUpdate, DecodeError> {
    let label = match network.fork_of_digest(digest) {
        Some(scheduled) => scheduled.name().to_owned(),
        None => hex::encode_prefixed(digest),
    };
    object::decode_ssz::<Update>(bytes, &Hint::of(Some(&label)), network)
}

fn expect_size(bytes: &[u8]) -> Result<(), DecodeError> {
    if bytes.len() <= MAX_LIST_BYTES {
        return Ok(());
    }
    Err(DecodeError::TooLarge { got: bytes.len(), limit: MAX_LIST_BYTES })
}
