//! Light-client objects from the bytes that servers send.
//!
//! All functions are total and bounded: any bytes give a value or a [`DecodeError`], in time and memory proportional
//! to their length, which is itself limited. The fork an object is read as is the one scheduled at the slot of its own
//! header; a label that says otherwise is refused, and a fork that saldo cannot read is [`DecodeError::UnknownFork`].

mod encoding;
mod error;
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

/// Reads the answer to `/eth/v1/beacon/light_client/bootstrap/{root}`.
///
/// `label` is the fork named by `Eth-Consensus-Version`, if the source sent one.
///
/// # Errors
/// [`DecodeError`] if it is no well-formed bootstrap of the fork scheduled at its slot.
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
/// [`DecodeError`] if it is no well-formed update of the fork scheduled at its attested slot.
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
/// In SSZ every update is framed by its length and fork digest, in JSON by its own `version`, so one label for the
/// whole answer is of no use: a list can span forks. A digest outside the schedule does not refuse an update that can
/// be read all the same, since a change of the blob parameters alone makes one.
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
/// [`DecodeError`] if it is no well-formed finality update of the fork scheduled at its attested slot.
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
/// [`DecodeError`] if it is no well-formed optimistic update of the fork scheduled at its attested slot.
pub fn optimistic_update(
    bytes: &[u8],
    encoding: Encoding,
    label: Option<&str>,
    network: &Network,
) -> Result<LightClientUpdate, DecodeError> {
    object::decode::<OptimisticUpdate>(bytes, encoding, label, network)
}
