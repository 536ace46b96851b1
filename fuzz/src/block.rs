//! Blocks of mainnet with a given state.

use alloy_primitives::{Address, B256, keccak256};
use alloy_rlp::Encodable;
use saldo_beacon::Network;
use saldo_beacon::unit::Slot;
use saldo_chain::{Environment, ExecutionHeader};

/// The list of fields that are encoded already.
pub fn list(fields: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::new();
    alloy_rlp::Header { list: true, payload_length: fields.len() }.encode(&mut encoded);
    encoded.extend(fields);
    encoded
}

/// The environment of a block of mainnet with this state, in that epoch.
///
/// # Panics
/// If the epoch is of no fork that is known.
pub fn environment(root: B256, epoch: u64, gas_limit: u64) -> Environment {
    let time = Network::mainnet().slot_start(Slot::new(epoch * 32)).as_secs();
    let mut fields = Vec::new();
    for field in 0..21_u8 {
        match field {
            0 | 13 => B256::repeat_byte(field).encode(&mut fields),
            2 => Address::repeat_byte(field).encode(&mut fields),
            3 => root.encode(&mut fields),
            8 => 1_000_u64.encode(&mut fields),
            9 => gas_limit.encode(&mut fields),
            11 => time.encode(&mut fields),
            _ => 7_u64.encode(&mut fields),
        }
    }
    let rlp = list(&fields);
    let header = ExecutionHeader::from_rlp(&rlp, keccak256(&rlp)).expect("the hash is its own");
    Environment::of_header(&header, &Network::mainnet()).expect("the epochs are those of known forks")
}
