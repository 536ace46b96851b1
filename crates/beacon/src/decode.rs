//! Light-client objects from the bytes that servers send.
//!
//! All functions are total and bounded: any bytes give a value or a [`DecodeError`]. Time and memory are proportional
//! to the length, which is limited. An object is read as of the fork that is scheduled at the slot of its own header. A
//! label that contradicts that is refused. A fork that saldo cannot read is [`DecodeError::UnknownFork`].

mod encoding;
mod error;
mod hint;
mod json;
mod limit;
mod list;
mod object;
mod ssz;
mod wire;

pub use encoding::Encoding;
pub use error::{DecodeError, SszError};
pub use limit::{MAX_LIST_BYTES, MAX_OBJECT_BYTES, MAX_UPDATES};

use crate::network::Network;
use crate::update::{LightClientBootstrap, LightClientUpdate};
use object::{Bootstrap, FinalityUpdate, OptimisticUpdate, Update};

/// Returns whether `label` names a fork that this version of saldo, or the table of `network`, does not know. Such an object may be
/// genuine although its signature does not verify: the signature is under a fork version that is not known.
pub fn names_unknown_fork(label: &str, network: &Network) -> bool {
    hint::Hint::of(Some(label)).unknown(network).is_some()
}

/// Returns whether the update at `place` of a list is labelled with a fork that this version of saldo, or the table of `network`,
/// does not know: by its `version` in JSON, by its fork digest in SSZ. It means the same as for [`names_unknown_fork`].
pub fn names_unknown_fork_at(place: usize, bytes: &[u8], encoding: Encoding, network: &Network) -> bool {
    list::hint_at(bytes, encoding, place, network).is_some_and(|hint| hint.unknown(network).is_some())
}

/// Reads the answer to `/eth/v1/beacon/light_client/bootstrap/{root}`.
///
/// `label` is the fork named by `Eth-Consensus-Version`, if the source sent one.
///
/// # Errors
/// [`DecodeError`] if it is not a well-formed bootstrap of the fork scheduled at its slot.
pub fn bootstrap(
    bytes: &[u8],
    encoding: Encoding,
    label: Option<&str>,
    network: &Network,
) -> Result<LightClientBootstrap, DecodeError> {
    object::decode::<Bootstrap>(bytes, encoding, label, network)
}

/// Reads one `LightClientUpdate`.
///
/// `label` is the fork named by `Eth-Consensus-Version`, if the source sent one.
///
/// # Errors
/// [`DecodeError`] if it is not a well-formed update of the fork scheduled at its attested slot.
pub fn update(
    bytes: &[u8],
    encoding: Encoding,
    label: Option<&str>,
    network: &Network,
) -> Result<LightClientUpdate, DecodeError> {
    object::decode::<Update>(bytes, encoding, label, network)
}

/// Reads the answer to `/eth/v1/beacon/light_client/updates`.
///
/// The function takes no label for the whole answer, because a list can span forks. In SSZ the length and the fork digest
/// precede every update; in JSON every update has its own `version`. An update whose digest is not in the schedule is not
/// refused if it can be read: a change of the blob parameters alone makes a new digest.
///
/// # Errors
/// [`DecodeError`] if any of the updates is malformed or the list is too long.
pub fn updates(
    bytes: &[u8],
    encoding: Encoding,
    network: &Network,
) -> Result<Vec<LightClientUpdate>, DecodeError> {
    match encoding {
        Encoding::Json => list::json(bytes, network),
        Encoding::Ssz => list::ssz(bytes, network),
    }
}

/// Reads the answer to `/eth/v1/beacon/light_client/finality_update`.
///
/// `label` is the fork named by `Eth-Consensus-Version`, if the source sent one.
///
/// # Errors
/// [`DecodeError`] if it is not a well-formed finality update of the fork scheduled at its attested slot.
pub fn finality_update(
    bytes: &[u8],
    encoding: Encoding,
    label: Option<&str>,
    network: &Network,
) -> Result<LightClientUpdate, DecodeError> {
    object::decode::<FinalityUpdate>(bytes, encoding, label, network)
}

/// Reads the answer to `/eth/v1/beacon/light_client/optimistic_update`.
///
/// `label` is the fork named by `Eth-Consensus-Version`, if the source sent one.
///
/// # Errors
/// [`DecodeError`] if it is not a well-formed optimistic update of the fork scheduled at its attested slot.
pub fn optimistic_update(
    bytes: &[u8],
    encoding: Encoding,
    label: Option<&str>,
    network: &Network,
) -> Result<LightClientUpdate, DecodeError> {
    object::decode::<OptimisticUpdate>(bytes, encoding, label, network)
}
