//! Lists of updates, as `/updates` gives them.

use alloy_primitives::hex;

use super::encoding::Encoding;
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

/// Reads a list in SSZ.
pub(super) fn ssz(bytes: &[u8], network: &Network) -> Result<Vec<LightClientUpdate>, DecodeError> {
    expect_size(bytes)?;
    let mut updates = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        if updates.len() == MAX_UPDATES {
            return Err(DecodeError::TooMany { limit: MAX_UPDATES });
        }
        let (digest, update, after) = frame(rest)?;
        updates.push(object::decode_ssz::<Update>(update, &hint(digest, network), network)?);
        rest = after;
    }
    Ok(updates)
}

/// What the label of the update at `place` says about its fork. The list must have been read before.
pub(super) fn hint_at(bytes: &[u8], encoding: Encoding, place: usize, network: &Network) -> Option<Hint> {
    if encoding == Encoding::Json {
        let elements = json::elements(bytes, MAX_UPDATES).ok()??;
        let envelope = json::envelope(elements.get(place)?.get().as_bytes()).ok()?;
        return Some(Hint::of(envelope.version.as_deref()));
    }
    let mut rest = bytes;
    for _ in 0..place {
        (_, _, rest) = frame(rest).ok()?;
    }
    let (digest, ..) = frame(rest).ok()?;
    Some(hint(digest, network))
}

/// The digest and the bytes of the first update of a list, and the bytes after it. Each update is `length || fork digest || bytes`; the
/// length counts digest and bytes.
///
/// Source: beacon-APIs `light_client/updates`.
fn frame(list: &[u8]) -> Result<(ForkDigest, &[u8], &[u8]), DecodeError> {
    let mut reader = Reader::new(list);
    let length = usize::try_from(reader.uint64()?).unwrap_or(usize::MAX);
    let mut frame = Reader::new(reader.bytes(length)?);
    let digest = frame.fixed::<4>()?.0;
    Ok((digest, frame.rest(), reader.rest()))
}

/// What a fork digest says about the fork of its update. One that is not in the schedule is most often a change of the blob
/// parameters, which does not change how updates are read.
fn hint(digest: ForkDigest, network: &Network) -> Hint {
    let label = match network.fork_of_digest(digest) {
        Some(scheduled) => scheduled.name().to_owned(),
        None => hex::encode_prefixed(digest),
    };
    Hint::of(Some(&label))
}

fn expect_size(bytes: &[u8]) -> Result<(), DecodeError> {
    if bytes.len() <= MAX_LIST_BYTES {
        return Ok(());
    }
    Err(DecodeError::TooLarge { got: bytes.len(), limit: MAX_LIST_BYTES })
}
