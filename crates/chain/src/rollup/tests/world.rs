//! An L1 with a rollup's contracts: what it holds is proven node by node, so nothing is believed that a provider could not send.
//!
//! Tries are built by `alloy-trie`, which shares no code with the verifier.

use std::collections::BTreeMap;

use crate::{Anchor, ExecutionHeader};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rlp::{Encodable, Header};
use alloy_trie::proof::ProofRetainer;
use alloy_trie::{HashBuilder, Nibbles};
use saldo_beacon::unit::UnixTime;
use saldo_proof::{ProvenState, Query, StateRoot, verify_account};

use crate::rollup::{
    Factory, Game, GameClaim, Hints, L1State, Obstacle, Profile, Refusal, Registry, Verdict,
};

/// The hash of the proxy's code that the built-in profiles know.
pub(super) const PROXY: B256 =
    alloy_primitives::b256!("fa8c9db6c6cab7108dea276f4cd09d575674eb0852c0fa3187e59e98ef977998");
/// The codes of the made-up implementations, by their hashes.
pub(super) const REGISTRY_CODE: B256 = B256::repeat_byte(0xa1);
pub(super) const FACTORY_CODE: B256 = B256::repeat_byte(0xa2);
pub(super) const GAME_CODE: B256 = B256::repeat_byte(0xa3);
pub(super) const PAUSE_CODE: B256 = B256::repeat_byte(0xa4);
/// Where they are. The game names its own.
pub(super) const REGISTRY_IMPLEMENTATION: Address = Address::repeat_byte(0xb1);
pub(super) const FACTORY_IMPLEMENTATION: Address = Address::repeat_byte(0xb2);
pub(super) const PAUSE_IMPLEMENTATION: Address = Address::repeat_byte(0xb4);

/// A contract: the hash of its code, the code where it is read, and its slots.
#[derive(Clone, Default)]
pub(super) struct Account {
    pub(super) code_hash: B256,
    pub(super) code: Bytes,
    pub(super) slots: BTreeMap<B256, U256>,
}

/// An L1 block with these contracts, and a game that is asked about.
#[derive(Clone)]
pub(super) struct World {
    pub(super) profile: Profile,
    pub(super) accounts: BTreeMap<Address, Account>,
    pub(super) factory: Address,
    pub(super) game: Address,
    pub(super) claim: GameClaim,
    /// The time of the L1 block.
    pub(super) time: u64,
    /// The protocol's time.
    pub(super) now: u64,
    pub(super) l1_chain_id: u64,
    pub(super) is_final: bool,
}

/// Registry and its code; the contract that pauses, its code and its slots; factory and its code; entry; game and its code; slots of the
/// game; the answer.
const MOST_ROUNDS: usize = 12;

/// Returns the key of the slot `number`.
pub(super) fn slot(number: u64) -> B256 {
    B256::from(U256::from(number))
}

impl World {
    pub(super) fn account(&mut self, address: Address) -> &mut Account {
        self.accounts.entry(address).or_default()
    }

    pub(super) fn set(&mut self, address: Address, key: B256, word: U256) {
        self.account(address).slots.insert(key, word);
    }

    /// Puts a contract behind the known proxy.
    pub(super) fn put_proxy(&mut self, address: Address, implementation: Address, code_hash: B256) {
        self.account(address).code_hash = PROXY;
        self.set(address, crate::rollup::proxy::IMPLEMENTATION_SLOT, implementation.into_word().into());
        self.account(implementation).code_hash = code_hash;
    }

    /// Puts the game: its code with the claim, and its entry in the factory.
    pub(super) fn put_game(&mut self, code: Bytes, created_at: u64) {
        let (game, claim) = (self.game, self.claim.clone());
        let account = self.account(game);
        account.code_hash = keccak256(&code);
        account.code = code;
        self.set(self.factory, Factory::game_key(&claim), game_id(claim.game_type, created_at, game));
    }

    pub(super) fn set_blacklisted(&mut self, game: Address) {
        self.set(self.profile.registry(), Registry::blacklist_key(game), U256::from(1));
    }

    /// Asks for the verdict as a wallet does: whatever is missing is proven, and the way starts again.
    pub(super) fn verdict(&self) -> Result<Verdict, Refusal> {
        self.ask(|game| game.verdict())
    }

    pub(super) fn ask<T>(&self, ask: impl Fn(Game<'_>) -> Result<T, Obstacle>) -> Result<T, Refusal> {
        self.read(|l1| ask(l1.registry()?.factory()?.game(&self.claim)?))
    }

    /// Asks for everything at once. The verdict, or what was still missing.
    pub(super) fn verdict_in_one_round(&self, hints: &Hints) -> Result<Verdict, Obstacle> {
        let tries = self.tries();
        let anchor = anchor(self.l1_chain_id, &l1_header(tries.root, self.time), self.is_final);
        let mut state = ProvenState::new(anchor.state_root());
        tries.prove(self, &self.profile.query(&self.claim, hints), &mut state);
        let now = UnixTime::from_secs(self.now);
        let l1 = L1State::new(&self.profile, &anchor, &state, now, L1State::MAX_AGE)?;
        l1.registry()?.factory()?.game(&self.claim)?.verdict()
    }

    pub(super) fn read<T>(&self, read: impl Fn(L1State<'_>) -> Result<T, Obstacle>) -> Result<T, Refusal> {
        let tries = self.tries();
        let anchor = anchor(self.l1_chain_id, &l1_header(tries.root, self.time), self.is_final);
        let mut state = ProvenState::new(anchor.state_root());
        for _round in 0..MOST_ROUNDS {
            let now = UnixTime::from_secs(self.now);
            let l1 = L1State::new(&self.profile, &anchor, &state, now, L1State::MAX_AGE)?;
            match read(l1) {
                Ok(answer) => return Ok(answer),
                Err(Obstacle::Refused(refusal)) => return Err(refusal),
                Err(Obstacle::Missing(query)) => tries.prove(self, &query, &mut state),
            }
        }
        panic!("there is no answer after {MOST_ROUNDS} rounds");
    }

    fn tries(&self) -> Tries {
        let storage = |account: &Account| trie(&slots(account), None).0;
        let accounts = self.accounts.iter().map(|(address, account)| {
            (keccak256(address), account_leaf(storage(account), account.code_hash))
        });
        let accounts: BTreeMap<B256, Vec<u8>> = accounts.collect();
        Tries { root: trie(&accounts, None).0, accounts }
    }
}

struct Tries {
    root: B256,
    accounts: BTreeMap<B256, Vec<u8>>,
}

impl Tries {
    /// Proves what is asked for, as a provider does.
    fn prove(&self, world: &World, query: &Query, state: &mut ProvenState) {
        assert!(!query.is_empty());
        let keys = query.slots().iter().map(|(address, keys)| (*address, keys.clone()));
        let codes = query.codes().iter().map(|address| (*address, Default::default()));
        for (address, keys) in keys.chain(codes) {
            let nodes = trie(&self.accounts, Some(keccak256(address))).1;
            let account = verify_account(StateRoot::new(self.root), address, &nodes).unwrap();
            state.add_account(&account).unwrap();
            let none = Account::default();
            let held = world.accounts.get(&address).unwrap_or(&none);
            for key in keys {
                let nodes = match slots(held) {
                    empty if empty.is_empty() => Vec::new(),
                    slots => trie(&slots, Some(keccak256(key))).1,
                };
                state.add_slot(&account.slot(key, &nodes).unwrap()).unwrap();
            }
            if query.codes().contains(&address) {
                state.add_code(held.code.clone());
            }
        }
    }
}

/// An account as the state trie holds it.
pub(super) fn account_leaf(storage_root: B256, code_hash: B256) -> Vec<u8> {
    let mut leaf = Vec::new();
    1_u64.encode(&mut leaf);
    U256::ZERO.encode(&mut leaf);
    storage_root.encode(&mut leaf);
    code_hash.encode(&mut leaf);
    list(&leaf)
}

fn slots(account: &Account) -> BTreeMap<B256, Vec<u8>> {
    let set = account.slots.iter().filter(|(_, word)| !word.is_zero());
    set.map(|(key, word)| (keccak256(key), alloy_rlp::encode(word))).collect()
}

/// Builds a trie, and the nodes on the way to a key.
pub(super) fn trie(leaves: &BTreeMap<B256, Vec<u8>>, target: Option<B256>) -> (B256, Vec<Bytes>) {
    let targets = target.map(|key| Nibbles::unpack(key)).into_iter().collect();
    let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(targets));
    for (key, leaf) in leaves {
        builder.add_leaf(Nibbles::unpack(key), leaf);
    }
    let root = builder.root();
    let nodes = builder.take_proof_nodes().into_nodes_sorted();
    (root, nodes.into_iter().map(|(_, node)| node).collect())
}

/// An entry of the factory.
pub(super) fn game_id(game_type: u32, created_at: u64, game: Address) -> U256 {
    let id = [&game_type.to_be_bytes()[..], &created_at.to_be_bytes(), game.as_slice()].concat();
    U256::from_be_slice(&id)
}

/// Slot 0 of a game.
pub(super) fn status_word(created_at: u64, resolved_at: u64, status: u8, respected: bool) -> U256 {
    let flags = [u8::from(respected), 1, status];
    let word = [&flags[..], &resolved_at.to_be_bytes(), &created_at.to_be_bytes()].concat();
    U256::from_be_slice(&word)
}

/// The code of a game.
pub(super) fn clone_code(implementation: Address, arguments: &[u8]) -> Bytes {
    let length = u16::try_from(arguments.len().saturating_add(2)).unwrap().to_be_bytes();
    let head = alloy_primitives::hex!(
        "36602c57343d527f9e4ac34f21c619cefc926c8bd93b54bf5a39c7ab2127a895af1cc0691d7e3dff593da1005b363d3d373d3d3d3d61"
    );
    let (middle, tail) =
        (alloy_primitives::hex!("806062363936013d73"), alloy_primitives::hex!("5af43d3d93803e606057fd5bf3"));
    let parts = [&head[..], &length, &middle, implementation.as_slice(), &tail, arguments, &length];
    parts.concat().into()
}

/// A header with these values; the others are zero. With `messages` it has the fields up to the withdrawals root.
pub(super) fn header(
    parent: B256,
    number: u64,
    time: u64,
    state_root: B256,
    messages: Option<B256>,
) -> ExecutionHeader {
    let mut payload = Vec::new();
    for word in [parent, B256::ZERO] {
        word.encode(&mut payload);
    }
    Address::ZERO.encode(&mut payload);
    for word in [state_root, B256::ZERO, B256::ZERO] {
        word.encode(&mut payload);
    }
    [0_u8; 256].as_slice().encode(&mut payload);
    for integer in [0, number, 30_000_000, 0, time] {
        integer.encode(&mut payload);
    }
    [].as_slice().encode(&mut payload);
    B256::ZERO.encode(&mut payload);
    [0_u8; 8].as_slice().encode(&mut payload);
    if let Some(messages) = messages {
        7_u64.encode(&mut payload);
        messages.encode(&mut payload);
    }
    let rlp = list(&payload);
    ExecutionHeader::from_rlp(&rlp, keccak256(&rlp)).unwrap()
}

fn l1_header(state_root: B256, time: u64) -> ExecutionHeader {
    header(B256::ZERO, 11_816_991, time, state_root, None)
}

fn list(payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Header { list: true, payload_length: payload.len() }.encode(&mut bytes);
    [bytes, payload.to_vec()].concat()
}

/// A trusted L1 block, as it comes back from storage: the only way to one without a committee.
pub(super) fn anchor(chain_id: u64, header: &ExecutionHeader, is_final: bool) -> Anchor {
    let mut payload = Vec::new();
    chain_id.encode(&mut payload);
    0_u8.encode(&mut payload);
    header.rlp().encode(&mut payload);
    header.hash().encode(&mut payload);
    u8::from(is_final).encode(&mut payload);
    for count in [400_u64, 512, 0, 0] {
        count.encode(&mut payload);
    }
    B256::repeat_byte(9).encode(&mut payload);
    let none: Vec<u64> = Vec::new();
    none.encode(&mut payload);
    none.encode(&mut payload);
    Vec::<String>::new().encode(&mut payload);
    Anchor::load(&list(&payload), chain_id).unwrap()
}
