//! The execution state: accounts and their storage, as one version per block.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, address, b256, keccak256};

use crate::trie::{MissingNode, Trie};
use crate::{Seed, rlp};

/// The contract that keeps recent block hashes ([EIP-2935](https://eips.ethereum.org/EIPS/eip-2935)).
pub const HISTORY_CONTRACT: Address = address!("0000F90827F1C53a10cb7A02335B175320002935");
/// The hash of that contract's code.
const HISTORY_CODE: B256 = b256!("6e49e66782037c0555897870e29fa5e552daf4719552131a0abce779daec0a5d");
/// How many block hashes it keeps.
const HISTORY_LENGTH: u64 = 8191;
/// How many levels of a mainnet path are full.
const FULL_LEVELS: usize = 7;

/// A change to the state, waiting for the next block.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Balance(Address, U256),
    Nonce(Address, u64),
    Storage(Address, B256, U256),
    /// A contract's code, by its hash; the bytes are empty if they are not known.
    Code(Address, B256, Bytes),
    /// Nothing but the shape of the path, so that the account can be proven absent.
    Path(Address),
}

/// One account.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) nonce: u64,
    pub(crate) balance: U256,
    pub(crate) code_hash: B256,
    /// Empty if only the hash is known.
    pub(crate) code: Bytes,
    storage: Trie,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            nonce: 0,
            balance: U256::ZERO,
            code_hash: KECCAK256_EMPTY,
            code: Bytes::new(),
            storage: Trie::default(),
        }
    }
}

impl Account {
    /// An account that was only ever sent `balance` wei.
    pub(crate) fn holding(balance: U256) -> Self {
        Self { balance, ..Self::default() }
    }

    /// A contract with that code and these words in its storage.
    pub(crate) fn contract(code_hash: B256, words: &[(B256, U256)]) -> Self {
        let mut account = Self::default();
        account.become_contract(code_hash, Bytes::new());
        words.iter().for_each(|(key, word)| account.write(*key, *word));
        account
    }

    /// The root of the account's storage.
    pub(crate) fn storage_root(&self) -> B256 {
        self.storage.root()
    }

    /// The value at `key`; zero if there is none.
    pub(crate) fn storage_at(&self, key: B256) -> U256 {
        self.storage
            .get(keccak256(key).as_slice())
            .and_then(|value| alloy_rlp::decode_exact(&value).ok())
            .unwrap_or(U256::ZERO)
    }

    /// The proof of what is at `key`.
    pub(crate) fn prove(&self, key: B256) -> Result<Vec<Bytes>, MissingNode> {
        self.storage.prove(keccak256(key).as_slice())
    }

    /// Empty accounts are not in the state ([EIP-161](https://eips.ethereum.org/EIPS/eip-161)).
    fn is_empty(&self) -> bool {
        self.nonce == 0 && self.balance.is_zero() && self.code_hash == KECCAK256_EMPTY
    }

    /// Gives it code. A contract starts with nonce 1.
    fn become_contract(&mut self, code_hash: B256, code: Bytes) {
        self.nonce = self.nonce.max(1);
        (self.code_hash, self.code) = (code_hash, code);
    }

    fn write(&mut self, key: B256, value: U256) {
        let value = if value.is_zero() { Vec::new() } else { rlp::integer(value) };
        self.storage.insert(keccak256(key).as_slice(), &value);
    }

    fn encoded(&self) -> Vec<u8> {
        rlp::list([
            rlp::integer(U256::from(self.nonce)).as_slice(),
            &rlp::integer(self.balance),
            &rlp::string(self.storage_root().as_slice()),
            &rlp::string(self.code_hash.as_slice()),
        ])
    }
}

/// All accounts at one block. A clone is cheap.
#[derive(Clone, Debug)]
pub(crate) struct World {
    accounts: Arc<BTreeMap<Address, Account>>,
    history: Account,
    trie: Trie,
    /// Set if paths shall have the shape they have on mainnet.
    thick: Option<Seed>,
}

impl World {
    pub(crate) fn new(thick: Option<Seed>) -> Self {
        let history = Account { nonce: 1, code_hash: HISTORY_CODE, ..Account::default() };
        let mut world = Self { accounts: Arc::default(), history, trie: Trie::default(), thick };
        world.place(HISTORY_CONTRACT, &world.history.clone());
        world
    }

    /// An invented world: `address` holds what `account` says, and no other account holds anything.
    pub(crate) fn invented(seed: Seed, address: Address, account: &Account) -> Self {
        let mut world = Self::new(Some(seed));
        world.thicken(address);
        world.place(address, account);
        world
    }

    pub(crate) fn root(&self) -> B256 {
        self.trie.root()
    }

    /// The account at `address`, if it exists.
    pub(crate) fn account(&self, address: Address) -> Option<&Account> {
        if address == HISTORY_CONTRACT { Some(&self.history) } else { self.accounts.get(&address) }
    }

    /// Another account than `address`, if there is one.
    pub(crate) fn stranger_to(&self, address: Address) -> Option<Address> {
        self.accounts.keys().copied().find(|other| *other != address)
    }

    /// The proof of what is at `address`.
    pub(crate) fn prove(&self, address: Address) -> Result<Vec<Bytes>, MissingNode> {
        self.trie.prove(keccak256(address).as_slice())
    }

    /// Keeps the hash of block `number`, as the system call of the block after it does.
    pub(crate) fn remember(&mut self, number: u64, hash: B256) {
        let slot = number.checked_rem(HISTORY_LENGTH).unwrap_or(0);
        self.history.write(B256::from(U256::from(slot)), U256::from_be_bytes(hash.0));
        self.place(HISTORY_CONTRACT, &self.history.clone());
    }

    pub(crate) fn apply(&mut self, change: &Change) {
        let address = match *change {
            Change::Balance(address, _)
            | Change::Nonce(address, _)
            | Change::Storage(address, ..)
            | Change::Code(address, ..)
            | Change::Path(address) => address,
        };
        if address == HISTORY_CONTRACT {
            return;
        }
        self.thicken(address);
        let mut account = self.account(address).cloned().unwrap_or_default();
        match change {
            Change::Balance(_, balance) => account.balance = *balance,
            Change::Nonce(_, nonce) => account.nonce = *nonce,
            Change::Path(_) => {}
            Change::Storage(_, key, value) => {
                account.write(*key, *value);
                // Only a contract has storage.
                if account.code_hash == KECCAK256_EMPTY {
                    account.become_contract(keccak256(address), address.0.into());
                }
            }
            Change::Code(_, hash, code) => account.become_contract(*hash, code.clone()),
        }
        self.place(address, &account);
        let accounts = Arc::make_mut(&mut self.accounts);
        if account.is_empty() {
            accounts.remove(&address);
        } else {
            accounts.insert(address, account);
        }
    }

    fn place(&mut self, address: Address, account: &Account) {
        let value = if account.is_empty() { Vec::new() } else { account.encoded() };
        self.trie.insert(keccak256(address).as_slice(), &value);
    }

    /// Gives the path of `address` the shape it has on mainnet: full branches, and then a neighbour, so that
    /// absence too has a leaf to end in.
    fn thicken(&mut self, address: Address) {
        let Some(seed) = self.thick else { return };
        let path = keccak256(address);
        let seed = seed.child(&address.to_string());
        let neighbour = neighbour(path, seed);
        if self.trie.get(neighbour.as_slice()).is_some() {
            return;
        }
        let mut index = 0_u64;
        self.trie.thicken(path.as_slice(), FULL_LEVELS, &mut || {
            index = index.saturating_add(1);
            seed.bytes("sibling", index)
        });
        let balance = U256::from(seed.number("neighbour's balance", 0));
        let account = Account { nonce: 1, balance, ..Account::default() };
        self.trie.insert(neighbour.as_slice(), &account.encoded());
    }
}

/// A path that is like `path` for just the full levels.
fn neighbour(path: B256, seed: Seed) -> B256 {
    let mut other = seed.bytes("neighbour", 0);
    for (index, (other, own)) in other.iter_mut().zip(path).enumerate() {
        match index {
            0..=2 => *other = own,
            3 => *other = own ^ 1,
            _ => {}
        }
    }
    other
}

/// The storage key under which a token with its `balances` mapping in slot 0 keeps what `holder` has
/// ([Solidity's storage layout](https://docs.soliditylang.org/en/latest/internals/layout_in_storage.html)).
pub fn token_balance_key(holder: Address) -> B256 {
    keccak256([holder.into_word(), B256::ZERO].concat())
}
