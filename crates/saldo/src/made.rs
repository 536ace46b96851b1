//! Proven readings for unit tests, made without a provider.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rlp::RlpEncodable;
use saldo_chain::{Anchor, Level};
use saldo_proof::{StateRoot, verify_account};
use saldo_reading::{Candidate, Generation, Holding, NetworkId, ProviderId, join};

use crate::proofs::{Checked, Shown};
use crate::store::Unsaved;

const CHAIN_ID: u64 = 1;

/// The layout of [`Anchor::to_bytes`].
#[derive(RlpEncodable)]
struct Stored {
    chain_id: u64,
    source: u8,
    header: Bytes,
    header_root: B256,
    assurance: u8,
    signers: u64,
    committee_size: u64,
    path: u8,
    path_number: u64,
    checkpoint: B256,
    checkpoint_slot: Vec<u64>,
    agreed_slot: Vec<u64>,
    operators: Vec<String>,
}

/// A holding of the address that consists of this byte.
pub(crate) fn holding(byte: u8) -> Holding {
    Holding::native(NetworkId::new(CHAIN_ID), Address::repeat_byte(byte))
}

/// The root of a state without accounts. An empty proof proves that any account is absent.
fn empty_root() -> B256 {
    keccak256([alloy_rlp::EMPTY_STRING_CODE])
}

fn integer(value: u64) -> Bytes {
    U256::from(value).to_be_bytes_trimmed_vec().into()
}

/// The block `number` of a chain without accounts.
fn anchor(number: u64, level: Level) -> Anchor {
    block(number, number.saturating_mul(12), empty_root(), level)
}

/// The block `number` of a chain with that state, whose time is in seconds since 1970.
pub(crate) fn block(number: u64, time: u64, state_root: B256, level: Level) -> Anchor {
    let mut fields = vec![Bytes::new(); 17];
    fields[0] = Bytes::copy_from_slice(B256::ZERO.as_slice());
    fields[2] = Bytes::copy_from_slice(Address::ZERO.as_slice());
    fields[3] = Bytes::copy_from_slice(state_root.as_slice());
    fields[8] = integer(number);
    fields[9] = integer(30_000_000);
    fields[11] = integer(time);
    fields[13] = Bytes::copy_from_slice(B256::ZERO.as_slice());
    fields[15] = integer(7);
    let header = alloy_rlp::encode(&fields);
    let stored = Stored {
        chain_id: CHAIN_ID,
        source: 0,
        header_root: keccak256(&header),
        header: header.into(),
        assurance: u8::from(level == Level::Finalized),
        signers: 512,
        committee_size: 512,
        path: 0,
        path_number: 0,
        checkpoint: B256::ZERO,
        checkpoint_slot: Vec::new(),
        agreed_slot: Vec::new(),
        operators: Vec::new(),
    };
    Anchor::load(&alloy_rlp::encode(&stored), CHAIN_ID).unwrap()
}

/// The absence of the owner of `holding`, as proven.
pub(crate) fn checked(holding: &Holding) -> Checked {
    let nodes: [Bytes; 0] = [];
    let account = verify_account(StateRoot::new(empty_root()), holding.owner(), &nodes).unwrap();
    Checked { shown: Shown::Account(account), nodes: Some(nodes.into()) }
}

/// A reading of `holding` at the block `number`, proven under the first trust start.
pub(crate) fn proven(holding: &Holding, number: u64, level: Level) -> Candidate {
    let provider = ProviderId::new("provider").unwrap();
    let Shown::Account(account) = checked(holding).shown else { panic!("a native holding") };
    join(*holding, &account, &anchor(number, level), provider, Generation::FIRST).unwrap()
}

/// `proven`, as it waits for the storage.
pub(crate) fn unsaved(proven: &Candidate) -> Unsaved {
    let nodes: [Bytes; 0] = [];
    Unsaved { proven: proven.clone(), nodes: nodes.into() }
}
