//! Signed and finalized Gloas heads over execution headers that a test invents: a head gives only a hash.

use alloy_primitives::{Address, B256, U256, keccak256};
use rlp::RlpStream;
use saldo_beacon::unit::Slot;
use saldo_beacon::{Execution, LightClient, LightClientBootstrap, LightClientHeader, Network};
use saldo_chain::ExecutionHeader;
use saldo_proof::{Account, StateRoot, Verified, verify_account};

use crate::beacon::{Block, Forge, MINIMAL_FULU, Tree};

/// An execution header of which only the fields that saldo reads matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// The parent's hash.
    pub parent_hash: B256,
    /// The root of the state.
    pub state_root: B256,
    /// The number.
    pub number: u64,
}

impl Made {
    /// Block `number` on an unknown parent; another `branch` gives another block.
    pub fn alone(number: u64, branch: u8) -> Self {
        let named = |name: u8| keccak256([&number.to_be_bytes()[..], &[branch, name]].concat());
        Self { parent_hash: named(1), state_root: named(2), number }
    }

    /// The next block after this one; another `branch` gives another block.
    pub fn child(&self, branch: u8) -> Self {
        Self { parent_hash: self.hash(), ..Self::alone(self.number + 1, branch) }
    }

    /// The same block with this state.
    pub fn with_state(self, state_root: B256) -> Self {
        Self { state_root, ..self }
    }

    /// The header's RLP.
    pub fn rlp(&self) -> Vec<u8> {
        let mut stream = RlpStream::new_list(23);
        for field in 0..23 {
            match field {
                0 => stream.append(&self.parent_hash.as_slice()),
                3 => stream.append(&self.state_root.as_slice()),
                8 => stream.append(&self.number),
                11 => stream.append(&1_700_000_000_u64.saturating_add(self.number.saturating_mul(12))),
                _ => stream.append(&&[][..]),
            };
        }
        stream.out().to_vec()
    }

    /// The block hash.
    pub fn hash(&self) -> B256 {
        keccak256(self.rlp())
    }

    /// The header as a wallet decodes it.
    pub fn header(&self) -> ExecutionHeader {
        ExecutionHeader::from_rlp(&self.rlp(), self.hash()).unwrap()
    }
}

/// A forge with Gloas from genesis on.
pub fn forge() -> Forge {
    let toml = MINIMAL_FULU.replace(r#"version = "0x07000001""#, r#"version = "0x07000001", epoch = 0"#);
    Forge { network: Network::from_toml(&toml).unwrap(), seed: 1 }
}

/// The beacon block at `slot` with the hash of `execution`, whose state has finalized `finalized`.
pub fn block(slot: u64, execution: Made, finalized: Option<&LightClientHeader>) -> Block {
    let forge = forge();
    let mut block = forge.block(slot, finalized);
    let gindex = forge.network.fork_at(Slot::new(slot)).unwrap().rules().execution.unwrap();
    let hash = execution.hash();
    let body = Tree([(gindex, hash)].into());
    block.header.beacon.body_root = body.node(1);
    block.header.execution = Execution::Hash(hash);
    block.header.execution_branch = body.branch(gindex);
    block
}

/// A light client that has just started from the block at `slot` with the hash of `execution`.
pub fn client(slot: u64, execution: Made) -> LightClient {
    let forge = forge();
    let (mut checkpoint, bootstrap) = forge.bootstrap(slot);
    let header = block(slot, execution, None).header;
    checkpoint.root = header.beacon.hash_tree_root();
    let bootstrap = LightClientBootstrap { header, ..bootstrap };
    LightClient::bootstrap(forge.network.clone(), checkpoint, bootstrap, forge.now(slot)).unwrap()
}

/// Every member signs the block at `slot` with the hash of `execution`.
pub fn sign(client: &mut LightClient, slot: u64, execution: Made) {
    let forge = forge();
    let update = forge.update_of(&block(slot, execution, None), None, None);
    client.advance(update, forge.now(slot)).unwrap();
}

/// Every member signs the block at `slot` with the hash of `execution`. Its state has finalized the block at the
/// other slot.
pub fn finalize(client: &mut LightClient, slot: u64, execution: Made, finalized: (u64, Made)) {
    let forge = forge();
    let finalized = block(finalized.0, finalized.1, None).header;
    let update = forge.update_of(&block(slot, execution, Some(&finalized)), Some(finalized), None);
    client.advance(update, forge.now(slot)).unwrap();
}

/// A trie with a single leaf: its root, and the proof for `key`.
fn single_leaf(key: &[u8], value: &[u8]) -> (B256, Vec<Vec<u8>>) {
    let path = [&[0x20][..], keccak256(key).as_slice()].concat();
    let mut node = RlpStream::new_list(2);
    node.append(&path.as_slice()).append(&value);
    let node = node.out().to_vec();
    (keccak256(&node), vec![node])
}

/// A state in which one account has one storage word and this code.
pub struct State {
    address: Address,
    root: B256,
    account: Vec<Vec<u8>>,
    slot: Vec<Vec<u8>>,
}

impl State {
    /// The state in which `address` has this code and, at `key`, this word.
    pub fn new(address: Address, code_hash: B256, key: B256, word: B256) -> Self {
        let word = U256::from_be_bytes(word.0).to_be_bytes_trimmed_vec();
        let mut value = RlpStream::new();
        value.append(&word.as_slice());
        let (storage_root, slot) = single_leaf(key.as_slice(), &value.out());
        let mut leaf = RlpStream::new_list(4);
        leaf.append(&1_u8).append(&0_u8).append(&storage_root.as_slice()).append(&code_hash.as_slice());
        let (root, account) = single_leaf(address.as_slice(), &leaf.out());
        Self { address, root, account, slot }
    }

    /// Its root.
    pub fn root(&self) -> B256 {
        self.root
    }

    /// The state's account of `address`: the one account, or absent.
    pub fn account(&self, address: Address) -> Verified<Account> {
        verify_account(StateRoot::new(self.root), address, &self.account).unwrap()
    }

    /// The account's word at `key`: the one word, or absent.
    pub fn slot(&self, key: B256) -> Verified<saldo_proof::Slot> {
        self.account(self.address).slot(key, &self.slot).unwrap()
    }
}
