//! Account and storage proofs, compared with the keccak hashes of their nodes and keys.

use std::collections::BTreeSet;
use std::hint::black_box;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::proof::verify_proof;
use alloy_trie::{Nibbles, TrieAccount};
use saldo_drill::Seed;
use saldo_drill::trie::Trie;
use saldo_proof::StateRoot;
use saldo_proof::eip1186::AccountReply;
use saldo_proof::trie::{Lookup, lookup};
use serde::Deserialize;

use crate::row::{Bound, Row, Work};
use crate::{Missing, vector};

/// How many accounts are verified in one call.
pub(crate) const BATCH: u64 = 100;

/// The levels of a mainnet-sized state trie in which every branch node is full.
const FULL_LEVELS: usize = 7;

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    #[serde(rename = "stateRoot")]
    state_root: B256,
    proof: AccountReply,
}

/// A real mainnet account with a storage slot.
fn real() -> Result<Case, Missing> {
    let vectors: Vectors = vector::json("mpt/real-getproof/helios.json")?;
    let with_slot = |case: &Case| !case.proof.storage_proof.is_empty();
    vectors.cases.into_iter().find(with_slot).ok_or_else(|| "no case with a storage proof".into())
}

/// The value under a hashed key of a trie. The peer needs the expected value as an argument.
pub(crate) fn value(root: B256, key: B256, proof: &[Bytes]) -> Result<Option<Vec<u8>>, Missing> {
    Ok(match lookup(root, key.as_slice(), proof)? {
        Lookup::Present(value) => Some(value.to_vec()),
        Lookup::Absent => None,
    })
}

/// Verification by `alloy-trie`.
pub(crate) fn peer_verifies(root: B256, key: B256, value: Option<&[u8]>, proof: &[Bytes]) -> bool {
    verify_proof(root, Nibbles::unpack(key), value.map(<[u8]>::to_vec), proof).is_ok()
}

pub(crate) fn hash_all<'a>(nodes: impl IntoIterator<Item = &'a Bytes>) -> bool {
    nodes.into_iter().all(|node| !black_box(keccak256(black_box(node))).is_zero())
}

pub(crate) fn account() -> Result<Row, Missing> {
    let Case { state_root, proof: AccountReply { address, account_proof, .. } } = real()?;
    let address = address.ok_or("no address")?;
    let bytes: usize = account_proof.iter().map(|node| node.len()).sum();
    let what = format!("a mainnet account proof: {} nodes, {bytes} bytes", account_proof.len());
    let expected = value(state_root, keccak256(address), &account_proof)?;

    let nodes = account_proof.clone();
    let limit: Work = Box::new(move || {
        black_box(keccak256(black_box(address)));
        hash_all(&nodes)
    });
    let nodes = account_proof.clone();
    let peer: Work = Box::new(move || {
        let key = keccak256(black_box(address));
        peer_verifies(black_box(state_root), key, expected.as_deref(), black_box(&nodes))
    });
    let ours: Work = Box::new(move || {
        let root = StateRoot::new(black_box(state_root));
        black_box(saldo_proof::verify_account(root, black_box(address), black_box(&account_proof))).is_ok()
    });
    let bound = Bound::TimesLimit(1.05);
    Ok(Row { what, limit: Some(limit), peer: Some(peer), ours, bound })
}

pub(crate) fn account_and_slot() -> Result<Row, Missing> {
    let Case { state_root, proof } = real()?;
    let AccountReply { address, storage_hash, account_proof, storage_proof, .. } = proof;
    let (address, storage_hash) = address.zip(storage_hash).ok_or("no address or storage hash")?;
    let slot = storage_proof.into_iter().next().ok_or("no storage proof")?;
    let (key, slot_proof) = (B256::from(slot.key), slot.proof);
    let what = format!("that account and a slot: {} and {} nodes", account_proof.len(), slot_proof.len());
    let expected = value(state_root, keccak256(address), &account_proof)?;
    let expected_slot = value(storage_hash, keccak256(key), &slot_proof)?;

    let nodes = [account_proof.clone(), slot_proof.clone()].concat();
    let limit: Work = Box::new(move || {
        black_box(keccak256(black_box(address)));
        black_box(keccak256(black_box(key)));
        hash_all(&nodes)
    });
    let (nodes, slot_nodes) = (account_proof.clone(), slot_proof.clone());
    let peer: Work = Box::new(move || {
        let (hashed, hashed_slot) = (keccak256(black_box(address)), keccak256(black_box(key)));
        peer_verifies(black_box(state_root), hashed, expected.as_deref(), black_box(&nodes))
            && peer_verifies(
                black_box(storage_hash),
                hashed_slot,
                expected_slot.as_deref(),
                black_box(&slot_nodes),
            )
    });
    let ours: Work = Box::new(move || {
        let root = StateRoot::new(black_box(state_root));
        saldo_proof::verify_account(root, black_box(address), black_box(&account_proof))
            .and_then(|account| black_box(account.slot(black_box(key), black_box(&slot_proof))))
            .is_ok()
    });
    let bound = Bound::TimesLimit(1.05);
    Ok(Row { what, limit: Some(limit), peer: Some(peer), ours, bound })
}

/// Accounts of one state whose trie has mainnet's shape.
pub(crate) struct Accounts {
    pub(crate) root: B256,
    /// Each account with its address and its proof nodes.
    pub(crate) each: Vec<(Address, Vec<Bytes>, TrieAccount)>,
}

impl Accounts {
    pub(crate) fn new() -> Result<Self, Missing> {
        let seed = Seed::new(4);
        let accounts: Vec<(Address, TrieAccount)> = (0..BATCH)
            .map(|index| {
                let balance = U256::from(seed.number("balance", index));
                let account = TrieAccount { nonce: index, balance, ..TrieAccount::default() };
                (Address::from_word(seed.bytes("address", index)), account)
            })
            .collect();
        let mut trie = Trie::default();
        for (address, account) in &accounts {
            trie.insert(keccak256(address).as_slice(), &alloy_rlp::encode(account));
        }
        let mut index = 0_u64;
        for (address, _) in &accounts {
            trie.thicken(keccak256(address).as_slice(), FULL_LEVELS, &mut || {
                index = index.saturating_add(1);
                seed.bytes("sibling", index)
            });
        }
        let prove = |(address, account): (Address, TrieAccount)| {
            let proof = trie.prove(keccak256(address).as_slice());
            // No two proofs share memory, as in real replies.
            let own = |proof: Vec<Bytes>| proof.iter().map(|node| Bytes::copy_from_slice(node)).collect();
            proof.map(|proof| (address, own(proof), account)).map_err(|missing| format!("{missing:?}").into())
        };
        Ok(Self { root: trie.root(), each: accounts.into_iter().map(prove).collect::<Result<_, Missing>>()? })
    }

    /// The nodes of all proofs, without duplicates.
    pub(crate) fn distinct_nodes(&self) -> Vec<Bytes> {
        let nodes: BTreeSet<Bytes> =
            self.each.iter().flat_map(|(_, proof, _)| proof.iter().cloned()).collect();
        nodes.into_iter().collect()
    }
}

pub(crate) fn batch() -> Result<Row, Missing> {
    let accounts = Accounts::new()?;
    let (root, nodes) = (accounts.root, accounts.distinct_nodes());
    let all: usize = accounts.each.iter().map(|(_, proof, _)| proof.len()).sum();
    let what = format!(
        "{BATCH} accounts of one block: {all} nodes, {} of them distinct (peer: one by one)",
        nodes.len()
    );
    let addresses: Vec<Address> = accounts.each.iter().map(|(address, ..)| *address).collect();
    let peers: Vec<_> = accounts
        .each
        .iter()
        .map(|(address, proof, account)| (*address, proof.clone(), alloy_rlp::encode(account)))
        .collect();

    let limit: Work = Box::new(move || {
        addresses.iter().all(|address| !black_box(keccak256(black_box(address))).is_zero())
            && hash_all(&nodes)
    });
    let peer: Work = Box::new(move || {
        peers.iter().all(|(address, proof, value)| {
            peer_verifies(black_box(root), keccak256(black_box(address)), Some(value), black_box(proof))
        })
    });
    let ours: Work = Box::new(move || {
        let proofs: Vec<(Address, &[Bytes])> =
            accounts.each.iter().map(|(address, proof, _)| (*address, proof.as_slice())).collect();
        let answers = saldo_proof::verify_accounts(StateRoot::new(black_box(root)), black_box(&proofs));
        black_box(answers).iter().all(Result::is_ok)
    });
    let bound = Bound::TimesLimit(1.10);
    Ok(Row { what, limit: Some(limit), peer: Some(peer), ours, bound })
}
