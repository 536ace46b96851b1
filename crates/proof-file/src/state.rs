//! The proofs under one state root: of accounts, of slots in their storage, and the codes of contracts.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, Bytes};
use saldo_beacon::encode::Writer;
use saldo_reading::{Asset, Holding, NetworkId};

use crate::error::FileError;
use crate::limit::{
    MAX_ACCOUNTS, MAX_CODE_BYTES, MAX_CODES, MAX_HOLDINGS, MAX_NODE_BYTES, MAX_NODES, MAX_PATH, MAX_PLACES,
    MAX_SLOTS,
};
use crate::ssz::{Container, fixed_list, list, write_list};

/// The holdings of a file, and the proofs that their amounts follow from. Nothing of it is checked here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateProof {
    holdings: BTreeSet<Holding>,
    accounts: BTreeMap<Address, AccountProof>,
    codes: BTreeSet<Bytes>,
}

/// The proof of one account and of some of its slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccountProof {
    pub(crate) nodes: Vec<Bytes>,
    pub(crate) slots: BTreeMap<B256, Vec<Bytes>>,
}

impl StateProof {
    /// Makes a proof of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a holding whose amount follows from the proofs.
    pub fn add_holding(&mut self, holding: Holding) {
        self.holdings.insert(holding);
    }

    /// Adds the proof of an account: RLP nodes, root first. An account that was added before keeps its first proof.
    pub fn add_account(&mut self, address: Address, nodes: Vec<Bytes>) {
        self.accounts.entry(address).or_insert(AccountProof { nodes, slots: BTreeMap::new() });
    }

    /// Adds the proof of a slot of an account that was added before; without effect if the account was not.
    pub fn add_slot(&mut self, address: Address, key: B256, nodes: Vec<Bytes>) {
        if let Some(account) = self.accounts.get_mut(&address) {
            account.slots.entry(key).or_insert(nodes);
        }
    }

    /// Adds the code of a contract whose account was added.
    pub fn add_code(&mut self, code: Bytes) {
        self.codes.insert(code);
    }

    /// Returns the holdings, in order.
    pub fn holdings(&self) -> impl Iterator<Item = &Holding> {
        self.holdings.iter()
    }

    pub(crate) fn accounts(&self) -> impl Iterator<Item = (Address, &AccountProof)> {
        self.accounts.iter().map(|(address, proof)| (*address, proof))
    }

    pub(crate) fn codes(&self) -> impl Iterator<Item = &Bytes> {
        self.codes.iter()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut nodes = Nodes::default();
        let accounts: Vec<Vec<u8>> =
            self.accounts.iter().map(|(address, proof)| nodes.account(*address, proof)).collect();
        let holdings: Vec<u8> = self.holdings.iter().flat_map(holding_bytes).collect();
        let mut writer = Writer::default();
        writer.variable(holdings);
        writer.variable(write_list(accounts));
        writer.variable(write_list(nodes.list.iter().map(|node| node.to_vec())));
        writer.variable(write_list(self.codes.iter().map(|code| code.to_vec())));
        writer.finish()
    }

    pub(crate) fn decode(bytes: &[u8], network: NetworkId) -> Result<Self, FileError> {
        let mut container = Container::new("the proofs", bytes);
        (0..4).try_for_each(|_| container.offset())?;
        let [holdings, accounts, nodes, codes] = container.parts()?;
        let mut state = Self::new();
        for holding in fixed_list::<HOLDING>("the holdings", holdings, MAX_HOLDINGS)? {
            state.add_holding(read_holding(holding, network)?);
        }
        let nodes = list("the nodes", nodes, MAX_NODES, MAX_NODE_BYTES)?;
        let mut places =
            Places { nodes: nodes.into_iter().map(Bytes::copy_from_slice).collect(), left: MAX_PLACES };
        for account in list("the accounts", accounts, MAX_ACCOUNTS, bytes.len())? {
            let (address, proof) = places.account(account)?;
            if state.accounts.insert(address, proof).is_some() {
                return Err(FileError::NotCanonical);
            }
        }
        let codes = list("the codes", codes, MAX_CODES, MAX_CODE_BYTES)?;
        codes.into_iter().for_each(|code| state.add_code(Bytes::copy_from_slice(code)));
        Ok(state)
    }
}

/// Bytes of a holding: the owner, the kind of asset, and the token.
const HOLDING: usize = 41;
const NATIVE: u8 = 0;
const ERC20: u8 = 1;

/// The bytes of a holding; none for an asset that this version cannot name.
fn holding_bytes(holding: &Holding) -> Vec<u8> {
    let (kind, token) = match holding.asset() {
        Asset::Native => (NATIVE, Address::ZERO),
        Asset::Erc20(token) => (ERC20, token),
        _ => return Vec::new(),
    };
    [holding.owner().as_slice(), &[kind], token.as_slice()].concat()
}

fn read_holding(bytes: &[u8; HOLDING], network: NetworkId) -> Result<Holding, FileError> {
    let mut container = Container::new("a holding", bytes);
    let owner = Address::from(container.fixed()?);
    let kind = container.uint8()?;
    let token = Address::from(container.fixed()?);
    match kind {
        NATIVE => Ok(Holding::native(network, owner)),
        ERC20 => Ok(Holding::erc20(network, owner, token)),
        _ => Err(FileError::Malformed { what: "a holding" }),
    }
}

/// The nodes in the order in which the proofs first name them, each once.
#[derive(Default)]
struct Nodes<'a> {
    list: Vec<&'a Bytes>,
    places: BTreeMap<&'a Bytes, u16>,
}

impl<'a> Nodes<'a> {
    fn account(&mut self, address: Address, proof: &'a AccountProof) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.fixed(address.as_slice());
        writer.variable(self.path(&proof.nodes));
        let slots: Vec<Vec<u8>> = proof.slots.iter().map(|(key, nodes)| self.slot(*key, nodes)).collect();
        writer.variable(write_list(slots));
        writer.finish()
    }

    fn slot(&mut self, key: B256, nodes: &'a [Bytes]) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.roots(&[key]);
        writer.variable(self.path(nodes));
        writer.finish()
    }

    fn path(&mut self, nodes: &'a [Bytes]) -> Vec<u8> {
        let mut place = |node| {
            let next = u16::try_from(self.list.len()).unwrap_or(u16::MAX);
            let list = &mut self.list;
            *self.places.entry(node).or_insert_with(|| {
                list.push(node);
                next
            })
        };
        nodes.iter().flat_map(|node| place(node).to_le_bytes()).collect()
    }
}

/// Turns places back into nodes.
struct Places {
    nodes: Vec<Bytes>,
    /// How many places may still be named.
    left: usize,
}

impl Places {
    fn account(&mut self, bytes: &[u8]) -> Result<(Address, AccountProof), FileError> {
        let mut container = Container::new("an account", bytes);
        let address = Address::from(container.fixed()?);
        (0..2).try_for_each(|_| container.offset())?;
        let [nodes, slots] = container.parts()?;
        let nodes = self.path(nodes)?;
        let mut proof = AccountProof { nodes, slots: BTreeMap::new() };
        for slot in list("the slots of an account", slots, MAX_SLOTS, bytes.len())? {
            let mut container = Container::new("a slot", slot);
            let key = container.fixed()?;
            container.offset()?;
            let [nodes] = container.parts()?;
            if proof.slots.insert(key, self.path(nodes)?).is_some() {
                return Err(FileError::NotCanonical);
            }
        }
        Ok((address, proof))
    }

    fn path(&mut self, bytes: &[u8]) -> Result<Vec<Bytes>, FileError> {
        const WHAT: &str = "the nodes of a proof";
        let places = fixed_list::<2>(WHAT, bytes, MAX_PATH)?;
        let over = FileError::TooMany { what: "the nodes of all proofs", got: MAX_PLACES, limit: MAX_PLACES };
        self.left = self.left.checked_sub(places.len()).ok_or(over)?;
        let node = |place: &[u8; 2]| self.nodes.get(usize::from(u16::from_le_bytes(*place))).cloned();
        places.iter().map(node).collect::<Option<_>>().ok_or(FileError::Malformed { what: WHAT })
    }
}
