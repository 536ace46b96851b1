//! Proven states of one contract for the tests.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use saldo_proof::{ProvenState, Query, StateRoot, verify_account};

pub(crate) const TOKEN: Address = Address::repeat_byte(0x71);
pub(crate) const OWNER: Address = Address::repeat_byte(0x11);

/// A state in which only the token exists, with one word in its storage.
pub(crate) struct Proven {
    pub(crate) root: StateRoot,
    account: Vec<Bytes>,
    slot: Vec<Bytes>,
    code: Bytes,
}

impl Proven {
    /// The token has a code with this hash. The code itself is not known.
    pub(crate) fn of_hash(code_hash: B256, key: B256, word: U256) -> Self {
        let (storage_root, slot) = leaf(keccak256(key), alloy_rlp::encode(word).into());
        let account = vec![integer(1), integer(0), storage_root.into(), code_hash.into()];
        let (root, account) = leaf(keccak256(TOKEN), alloy_rlp::encode(account).into());
        Self { root: StateRoot::new(root), account, slot, code: Bytes::new() }
    }

    pub(crate) fn of_code(code: &[u8], key: B256, word: U256) -> Self {
        Self { code: Bytes::copy_from_slice(code), ..Self::of_hash(keccak256(code), key, word) }
    }

    /// The state with the proofs that `query` asks for.
    pub(crate) fn state(&self, query: &Query) -> ProvenState {
        let mut state = ProvenState::new(self.root);
        for (address, keys) in query.slots() {
            let account = verify_account(self.root, *address, &self.account).unwrap();
            state.add_account(&account).unwrap();
            keys.iter().for_each(|key| state.add_slot(&account.slot(*key, &self.slot).unwrap()).unwrap());
        }
        if !query.codes().is_empty() {
            state.add_code(self.code.clone());
        }
        state
    }

    /// The environment of a block of mainnet with this state.
    #[cfg(feature = "execute")]
    pub(crate) fn environment(&self) -> saldo_chain::Environment {
        let network = saldo_beacon::Network::mainnet();
        let slot = saldo_beacon::unit::Slot::new(420_000 * 32);
        let field = |field: u8| match field {
            0 | 13 => Bytes::from(vec![field; 32]),
            2 => Bytes::from(vec![field; 20]),
            3 => self.root.get().into(),
            8 | 15 => integer(1_000),
            9 => integer(60_000_000),
            11 => integer(network.slot_start(slot).as_secs()),
            _ => Bytes::new(),
        };
        let rlp = alloy_rlp::encode((0..21).map(field).collect::<Vec<Bytes>>());
        let header = saldo_chain::ExecutionHeader::from_rlp(&rlp, keccak256(&rlp)).unwrap();
        saldo_chain::Environment::of_header(&header, &network).unwrap()
    }
}

/// The token with one of its slots and its code.
pub(crate) fn all_of(key: B256) -> Query {
    let mut query = Query::slot(TOKEN, key);
    query.add_code(TOKEN);
    query
}

fn integer(number: u64) -> Bytes {
    U256::from(number).to_be_bytes_trimmed_vec().into()
}

/// A trie of one entry: its root and its only node.
fn leaf(key: B256, value: Bytes) -> (B256, Vec<Bytes>) {
    let path = [&[0x20], key.as_slice()].concat();
    let node = alloy_rlp::encode(vec![Bytes::from(path), value]);
    (keccak256(&node), vec![node.into()])
}
