//! Accounts, slots, codes and blocks for the tests. A [`World`] has no proofs; [`Leaf`] is a state of one account, with proofs.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use revm::bytecode::opcode as op;
use saldo_beacon::Network;
use saldo_beacon::unit::Slot;
use saldo_chain::{Environment, ExecutionHeader};
use saldo_proof::{Account, HashedCode, ProvenState, Query, StateRoot, Verified, verify_account};

use crate::meter::Meter;
use crate::prepared::prepare;
use crate::run::{self, Call, Output, Run};
use crate::source::{Seen, Source};

pub(crate) const TOKEN: Address = Address::with_last_byte(0x70);
pub(crate) const OTHER: Address = Address::with_last_byte(0x71);
/// An epoch of Osaka.
const OSAKA: u64 = 420_000;

/// Returns the word on top of the stack.
const RETURN_WORD: [u8; 6] = [op::PUSH0, op::MSTORE, op::PUSH1, 32, op::PUSH0, op::RETURN];

/// Code that returns what `source` leaves on the stack.
pub(crate) fn returning(source: &[u8]) -> Vec<u8> {
    [source, &RETURN_WORD].concat()
}

/// Calls the account whose address ends with `target`, with the gas that `gas` pushes. Leaves 1 if it succeeds, else 0.
pub(crate) fn call_of(target: u8, gas: &[u8]) -> Vec<u8> {
    let start = [op::PUSH0, op::PUSH0, op::PUSH0, op::PUSH0, op::PUSH0, op::PUSH1, target];
    [start.as_slice(), gas, &[op::CALL]].concat()
}

/// What a test says is known.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) accounts: BTreeMap<Address, Seen>,
    pub(crate) words: BTreeMap<(Address, B256), U256>,
    pub(crate) codes: BTreeMap<B256, HashedCode>,
    pub(crate) guesses: bool,
    pub(crate) number: u64,
    pub(crate) epoch: u64,
    pub(crate) gas_limit: u64,
}

impl Source for World {
    fn account(&self, address: Address) -> Option<Seen> {
        self.accounts.get(&address).copied()
    }

    fn word(&self, address: Address, key: B256) -> Option<U256> {
        self.words.get(&(address, key)).copied()
    }

    fn code(&self, hash: B256) -> Option<&HashedCode> {
        self.codes.get(&hash)
    }

    fn guesses(&self) -> bool {
        self.guesses
    }
}

impl World {
    /// A world in which the token has this code.
    pub(crate) fn of(code: &[u8]) -> Self {
        let nothing = Self {
            accounts: BTreeMap::new(),
            words: BTreeMap::new(),
            codes: BTreeMap::new(),
            guesses: false,
            number: 1_000,
            epoch: OSAKA,
            gas_limit: 60_000_000,
        };
        nothing.with(TOKEN, code)
    }

    pub(crate) fn with(mut self, address: Address, code: &[u8]) -> Self {
        self = self.with_account(address, keccak256(code));
        let code = prepare(Bytes::copy_from_slice(code));
        self.codes.insert(code.hash(), code);
        self
    }

    /// The code of the account is not known.
    pub(crate) fn with_account(mut self, address: Address, code_hash: B256) -> Self {
        self.accounts.insert(address, Seen { balance: U256::from(9), nonce: 1, code_hash, exists: true });
        self
    }

    pub(crate) fn without_account(mut self, address: Address) -> Self {
        let absent = Seen { balance: U256::ZERO, nonce: 0, code_hash: KECCAK256_EMPTY, exists: false };
        self.accounts.insert(address, absent);
        self
    }

    pub(crate) fn storing(mut self, address: Address, key: u64, word: u64) -> Self {
        self.words.insert((address, U256::from(key).into()), U256::from(word));
        self
    }

    /// Asks the token, without input.
    pub(crate) fn run(&self) -> Run {
        self.run_with(Bytes::new())
    }

    pub(crate) fn run_with(&self, data: Bytes) -> Run {
        self.run_within(data, &mut Meter::default())
    }

    pub(crate) fn run_within(&self, data: Bytes, meter: &mut Meter) -> Run {
        run::run(self, &self.environment(), &Call::new(TOKEN, data), self.gas_limit, meter)
    }

    pub(crate) fn environment(&self) -> Environment {
        environment(B256::ZERO, self.number, self.epoch, self.gas_limit)
    }

    /// The number that the token returns.
    #[track_caller]
    pub(crate) fn number(&self) -> U256 {
        let Ok(Output::Returned(bytes)) = self.run().outcome else { panic!("no result") };
        U256::from_be_slice(&bytes)
    }
}

/// The environment of a block of mainnet.
pub(crate) fn environment(state_root: B256, number: u64, epoch: u64, gas_limit: u64) -> Environment {
    let network = Network::mainnet();
    let time = network.slot_start(Slot::new(epoch.saturating_mul(32))).as_secs();
    let field = |field: u8| match field {
        0 | 13 => Bytes::from(vec![field; 32]),
        2 => Bytes::from(vec![0xc0; 20]),
        3 => state_root.into(),
        8 => integer(number),
        9 => integer(gas_limit),
        11 => integer(time),
        15 => integer(7),
        _ => Bytes::new(),
    };
    let rlp = alloy_rlp::encode((0..21).map(field).collect::<Vec<Bytes>>());
    let header = ExecutionHeader::from_rlp(&rlp, keccak256(&rlp)).unwrap();
    Environment::of_header(&header, &network).unwrap()
}

fn integer(number: u64) -> Bytes {
    U256::from(number).to_be_bytes_trimmed_vec().into()
}

/// A state in which only the token exists, with at most one word in its storage.
pub(crate) struct Leaf {
    root: StateRoot,
    account: Vec<Bytes>,
    slot: Vec<Bytes>,
    code: Bytes,
}

impl Leaf {
    /// The key is 0.
    pub(crate) fn new(code: &[u8], word: Option<u64>) -> Self {
        let (storage_root, slot) = match word {
            Some(word) => leaf(keccak256(B256::ZERO), alloy_rlp::encode(U256::from(word)).into()),
            None => (keccak256([0x80]), Vec::new()),
        };
        let account = vec![integer(1), integer(5), storage_root.into(), keccak256(code).into()];
        let (root, account) = leaf(keccak256(TOKEN), alloy_rlp::encode(account).into());
        Self { root: StateRoot::new(root), account, slot, code: Bytes::copy_from_slice(code) }
    }

    pub(crate) fn environment(&self) -> Environment {
        environment(self.root.get(), 1_000, OSAKA, 60_000_000)
    }

    pub(crate) fn nothing(&self) -> ProvenState {
        ProvenState::new(self.root)
    }

    pub(crate) fn verified(&self, address: Address) -> Verified<Account> {
        verify_account(self.root, address, &self.account).unwrap()
    }

    /// Proves what `query` asks for, in `state`.
    pub(crate) fn prove(&self, state: &mut ProvenState, query: &Query) {
        for (address, keys) in query.slots() {
            let account = self.verified(*address);
            state.add_account(&account).unwrap();
            for key in keys {
                state.add_slot(&account.slot(*key, &self.slot).unwrap()).unwrap();
            }
        }
        if !query.codes().is_empty() {
            state.add_code(self.code.clone());
        }
    }
}

/// A trie of one entry: its root and its only node.
fn leaf(key: B256, value: Bytes) -> (B256, Vec<Bytes>) {
    let path = [&[0x20], key.as_slice()].concat();
    let node = alloy_rlp::encode(vec![Bytes::from(path), value]);
    (keccak256(&node), vec![node.into()])
}
