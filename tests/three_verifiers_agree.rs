//! Three verifiers that share no code give the same result for any proof: saldo's, the plain second opinion, and
//! `alloy-trie`, in tries of 1 to 100,000 keys.
//!
//! saldo and the second opinion must agree in everything. `alloy-trie`, with hashed keys, accepts more only in the
//! ways that [`AlloyDiffers`] lists. Under one root a key has exactly one proof: anything else is refused, and the
//! first difference decides the error ([`refusal`]).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use alloy_primitives::{B256, Bytes, U256, keccak256};
use alloy_trie::Nibbles;
use alloy_trie::proof::verify_proof;
use proptest::prelude::*;
use proptest::sample::Index;
use saldo_drill::trie;
use saldo_proof::ProofError;
use saldo_proof::trie::{EMPTY_ROOT_HASH, Lookup, lookup};
use saldo_tests::{forge, second_opinion};

/// The cases in which `alloy-trie` 0.9.9 is known to accept what saldo refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AlloyDiffers {
    /// Nodes after the node 0x80 in a proof for the empty trie.
    TrailingAfterEmpty,
    /// Nodes below an extension that leaves the key's path.
    TrailingAfterExtension,
}

fn ours(root: B256, key: &[u8], proof: &[Vec<u8>]) -> Result<Option<Vec<u8>>, ProofError> {
    lookup(root, key, proof).map(|found| match found {
        Lookup::Present(value) => Some(value.to_vec()),
        Lookup::Absent => None,
    })
}

fn alloy_accepts(root: B256, key: &[u8], value: Option<&[u8]>, proof: &[Vec<u8>]) -> bool {
    let nodes: Vec<Bytes> = proof.iter().map(|node| Bytes::copy_from_slice(node)).collect();
    verify_proof(root, Nibbles::unpack(key), value.map(<[u8]>::to_vec), &nodes).is_ok()
}

/// Runs saldo and the second opinion, which must agree. Returns saldo's answer.
fn both(root: B256, key: &[u8], proof: &[Vec<u8>]) -> Result<Option<Vec<u8>>, ProofError> {
    let answer = ours(root, key, proof);
    let nodes: Vec<&[u8]> = proof.iter().map(Vec::as_slice).collect();
    let second = second_opinion::walk(root.0, key, &nodes);
    assert_eq!(answer.as_ref().ok(), second.as_ref().ok(), "ours {answer:?}, second opinion {second:?}");
    answer
}

/// Runs all three, which must agree except for the known differences. Returns saldo's answer and the difference. Only
/// for hashed keys.
fn all_three(
    root: B256,
    key: &[u8; 32],
    proof: &[Vec<u8>],
    truth: Option<&[u8]>,
) -> (Result<Option<Vec<u8>>, ProofError>, Option<AlloyDiffers>) {
    let answer = both(root, key, proof);
    let accepts = |value| alloy_accepts(root, key, value, proof);
    let difference = match &answer {
        Ok(value) if accepts(value.as_deref()) => None,
        Ok(value) => panic!("alloy-trie refuses {value:?}"),
        Err(_) if !accepts(None) && !truth.is_some_and(|value| accepts(Some(value))) => None,
        Err(ProofError::ExtraNodes { .. }) if root == EMPTY_ROOT_HASH => {
            Some(AlloyDiffers::TrailingAfterEmpty)
        }
        Err(ProofError::ExtraNodes { .. }) => Some(AlloyDiffers::TrailingAfterExtension),
        Err(refusal) => panic!("alloy-trie accepts what saldo refuses: {refusal}"),
    };
    (answer, difference)
}

/// The form of a trie's keys and values.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// As in a state trie: hashed keys, long values.
    Hashed,
    /// Keys that differ only in a few nibbles at the end, and values of one or two bytes: deep, full of embedded
    /// nodes.
    Crowded,
    /// Like `Crowded`, with more positions that may differ: room for many keys.
    Wide,
    /// Keys of 0 to 5 bytes, some the beginning of others: branches with values.
    Short,
}

#[derive(Clone, Debug)]
struct Case {
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    target: Vec<u8>,
    other: Vec<u8>,
}

fn key_of(shape: Shape, seed: u64) -> Vec<u8> {
    let hash = keccak256(seed.to_be_bytes());
    match shape {
        Shape::Hashed => hash.to_vec(),
        Shape::Crowded => {
            let mut key = [0xab; 32];
            // A few positions may differ: the last three bytes, each with a few values.
            for (place, byte) in key.iter_mut().zip(hash.iter()).skip(29) {
                *place = byte & 0x33;
            }
            key.to_vec()
        }
        Shape::Wide => {
            let mut key = [0xab; 32];
            for (place, byte) in key.iter_mut().zip(hash.iter()).skip(26) {
                *place = byte & 0x3f;
            }
            key.to_vec()
        }
        Shape::Short => hash[1..=usize::from(hash[0] % 5)].iter().map(|byte| byte & 0x13).collect(),
    }
}

fn value_of(shape: Shape, seed: u64) -> Vec<u8> {
    let hash = keccak256((seed ^ 0xffff).to_be_bytes());
    let length = match shape {
        Shape::Hashed => 70 + usize::from(hash[0] % 10),
        Shape::Crowded | Shape::Wide => 1 + usize::from(hash[0] % 3),
        Shape::Short => 1 + usize::from(hash[0] % 40),
    };
    hash.iter().cycle().take(length).copied().collect()
}

fn case() -> impl Strategy<Value = Case> {
    let shape = prop_oneof![Just(Shape::Hashed), Just(Shape::Crowded), Just(Shape::Short)];
    // As many small tries as large ones.
    let size = (0..=11_u32).prop_flat_map(|bits| 1..=(1_usize << bits).min(2_000));
    (shape, size, any::<u64>(), any::<Index>(), any::<Index>(), any::<bool>()).prop_map(
        |(shape, size, seed, target, other, present)| {
            let seeds = || (0..size).map(|count| seed.wrapping_add(u64::try_from(count).unwrap()));
            let entries: BTreeMap<_, _> =
                seeds().map(|one| (key_of(shape, one), value_of(shape, one))).collect();
            let key_at = |index: Index| entries.keys().nth(index.index(entries.len())).unwrap().clone();
            let target = if present {
                key_at(target)
            } else {
                key_of(shape, seed.wrapping_sub(u64::try_from(target.index(999)).unwrap()))
            };
            Case { target, other: key_at(other), entries }
        },
    )
}

/// What a lying provider does to a proof.
#[derive(Clone, Debug)]
enum Change {
    Drop(Index),
    Repeat(Index),
    /// Inserts a genuine node of another trie.
    Insert(Index),
    Swap(Index, Index),
    Cut(Index),
    Append(Vec<u8>),
    AppendOther,
    Flip(Index, Index, u8),
    CutNode(Index, Index),
    InsertByte(Index, Index, u8),
    RemoveByte(Index, Index),
    /// Sends a genuine proof of another key.
    Other,
    /// Changes a node and every hash above it: an invented trie, valid under its own root.
    Reforge(Index, Index, u8),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        1 => any::<Index>().prop_map(Change::Drop),
        1 => any::<Index>().prop_map(Change::Repeat),
        1 => any::<Index>().prop_map(Change::Insert),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(one, other)| Change::Swap(one, other)),
        1 => any::<Index>().prop_map(Change::Cut),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Change::Append),
        1 => Just(Change::AppendOther),
        1 => (any::<Index>(), any::<Index>(), 1..=255_u8).prop_map(|(node, byte, bits)| Change::Flip(node, byte, bits)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(node, length)| Change::CutNode(node, length)),
        1 => (any::<Index>(), any::<Index>(), any::<u8>())
            .prop_map(|(node, at, byte)| Change::InsertByte(node, at, byte)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(node, at)| Change::RemoveByte(node, at)),
        1 => Just(Change::Other),
        4 => (any::<Index>(), any::<Index>(), 1..=255_u8)
            .prop_map(|(node, byte, bits)| Change::Reforge(node, byte, bits)),
    ]
}

/// Applies a change; the root differs only if the trie was invented.
fn apply(change: &Change, root: B256, mut proof: Vec<Vec<u8>>, others: Vec<Vec<u8>>) -> (B256, Vec<Vec<u8>>) {
    let count = proof.len();
    match change {
        Change::Drop(node) => drop(proof.remove(node.index(count))),
        Change::Repeat(node) => proof.insert(node.index(count), proof[node.index(count)].clone()),
        Change::Insert(at) => proof.insert(at.index(count + 1), forge::leaf(&[1; 60], &[0x77; 70])),
        Change::Swap(one, other) => proof.swap(one.index(count), other.index(count)),
        Change::Cut(kept) => proof.truncate(kept.index(count)),
        Change::Append(node) => proof.push(node.clone()),
        Change::AppendOther => proof.extend(others.last().cloned()),
        Change::Flip(node, byte, bits) => {
            let node = &mut proof[node.index(count)];
            let index = byte.index(node.len());
            node[index] ^= bits;
        }
        Change::CutNode(node, length) => {
            let node = &mut proof[node.index(count)];
            node.truncate(length.index(node.len()));
        }
        Change::InsertByte(node, at, byte) => {
            let node = &mut proof[node.index(count)];
            node.insert(at.index(node.len() + 1), *byte);
        }
        Change::RemoveByte(node, at) => {
            let node = &mut proof[node.index(count)];
            node.remove(at.index(node.len()));
        }
        Change::Other => proof = others,
        Change::Reforge(node, byte, bits) => {
            let mut at = node.index(count);
            let mut old = keccak256(&proof[at]);
            let index = byte.index(proof[at].len());
            proof[at][index] ^= bits;
            while let Some(above) = at.checked_sub(1) {
                let new = keccak256(&proof[at]);
                let parent = &mut proof[above];
                let place = parent.windows(32).position(|window| window == old.as_slice()).unwrap();
                old = keccak256(&parent);
                parent[place..place + 32].copy_from_slice(new.as_slice());
                at = above;
            }
            return (keccak256(&proof[0]), proof);
        }
    }
    (root, proof)
}

/// The error for `sent` if `genuine` is the proof under that root, or `None` if they are equal.
///
/// Only the first difference decides.
fn refusal(sent: &[Vec<u8>], genuine: &[Vec<u8>]) -> Option<&'static str> {
    let same = sent.iter().zip(genuine).take_while(|(one, other)| one == other).count();
    match (sent.len(), genuine.len()) {
        (got, used) if same == got && same == used => None,
        (0, _) => Some("empty"),
        (got, _) if same == got => Some("truncated"),
        (_, used) if same == used => Some("extra nodes"),
        _ => Some("another node"),
    }
}

/// Runs the verifiers that can judge `sent`, and compares the answer with the truth.
fn check(key: &[u8], root: B256, truth: Option<&[u8]>, genuine: &[Vec<u8>], sent: &[Vec<u8>]) {
    let answer = match <&[u8; 32]>::try_from(key) {
        Ok(key) => all_three(root, key, sent, truth).0,
        Err(_) => both(root, key, sent),
    };
    let same = sent.iter().zip(genuine).take_while(|(one, other)| one == other).count();
    let refused = match &answer {
        Ok(answer) => {
            // Under the true root there is the true answer, or none.
            assert_eq!(answer.as_deref(), truth);
            None
        }
        Err(ProofError::EmptyProof { expected }) if *expected == root => Some("empty"),
        Err(ProofError::Truncated { nodes, .. }) if *nodes == sent.len() => Some("truncated"),
        Err(ProofError::ExtraNodes { got, used }) if (*got, *used) == (sent.len(), same) => {
            Some("extra nodes")
        }
        Err(ProofError::HashMismatch { node, .. }) if *node == same => Some("another node"),
        Err(other) => panic!("{other:?}"),
    };
    assert_eq!(refused, refusal(sent, genuine));
}

/// A trie that is built once, for many proofs.
struct Large {
    shape: Shape,
    /// Keys are made from the numbers below this one.
    seeds: u64,
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    trie: trie::Trie,
    root: B256,
}

/// Tries of 100,000 hashed keys, of 100,000 keys that share 52 nibbles, and of 3,137 short keys, many the beginning
/// of others.
static LARGE: LazyLock<[Large; 3]> = LazyLock::new(|| {
    let kinds =
        [(Shape::Hashed, 100_000, 100_000), (Shape::Wide, 100_000, 100_000), (Shape::Short, 20_000, 3_137)];
    kinds.map(|(shape, seeds, keys)| {
        let entries: BTreeMap<_, _> =
            (0..seeds).map(|seed| (key_of(shape, seed), value_of(shape, seed))).collect();
        assert_eq!(entries.len(), keys);
        let mut trie = trie::Trie::default();
        entries.iter().for_each(|(key, value)| trie.insert(key, value));
        let root = trie.root();
        let forged: forge::Trie = entries.iter().map(|(key, value)| (key, value.clone())).collect();
        assert_eq!(forged.root(), root);
        Large { shape, seeds, entries, trie, root }
    })
});

impl Large {
    fn prove(&self, key: &[u8]) -> Vec<Vec<u8>> {
        self.trie.prove(key).unwrap().iter().map(|node| node.to_vec()).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_honest_proofs(case in case()) {
        let trie: forge::Trie = case.entries.clone().into_iter().collect();
        let truth = case.entries.get(&case.target).cloned();
        let proof = trie.prove(&case.target);
        let answer = match <&[u8; 32]>::try_from(case.target.as_slice()) {
            Ok(key) => {
                let (answer, difference) = all_three(trie.root(), key, &proof, truth.as_deref());
                prop_assert_eq!(difference, None);
                answer
            }
            Err(_) => both(trie.root(), &case.target, &proof),
        };
        prop_assert_eq!(answer, Ok(truth));
    }

    #[test]
    fn on_changed_proofs(case in case(), changes in prop::collection::vec(change(), 1..=3)) {
        let trie: forge::Trie = case.entries.clone().into_iter().collect();
        let truth = case.entries.get(&case.target).cloned();
        let (genuine, others) = (trie.prove(&case.target), trie.prove(&case.other));
        for change in changes {
            let (root, sent) = apply(&change, trie.root(), genuine.clone(), others.clone());
            if root == trie.root() {
                check(&case.target, root, truth.as_deref(), &genuine, &sent);
            } else {
                // The result of `alloy-trie` for an invented trie's nodes does not matter.
                let _ = both(root, &case.target, &sent);
            }
        }
    }

    #[test]
    fn in_tries_of_100_000_keys(
        which in 0..3_usize,
        (seed, other) in any::<(u64, u64)>(),
        present in any::<bool>(),
        changes in prop::collection::vec(change(), 4),
    ) {
        let large = &LARGE[which];
        let target = key_of(large.shape, if present { seed % large.seeds } else { seed | 1 << 40 });
        let truth = large.entries.get(&target).map(Vec::as_slice);
        prop_assert!(truth.is_some() || !present);
        let (genuine, others) = (large.prove(&target), large.prove(&key_of(large.shape, other % large.seeds)));
        check(&target, large.root, truth, &genuine, &genuine);
        for change in changes {
            let (root, sent) = apply(&change, large.root, genuine.clone(), others.clone());
            if root == large.root {
                check(&target, root, truth, &genuine, &sent);
            } else {
                let _ = both(root, &target, &sent);
            }
        }
    }
}

#[test]
fn alloy_trie_accepts_more_in_two_ways() {
    let key = [0x12; 32];
    let long = [0x77; 40];
    let refused = |got, used| Err(ProofError::ExtraNodes { got, used });
    let fork = forge::branch(&[(1, forge::leaf(&[0; 60], &long)), (3, forge::leaf(&[0; 60], &long))], &[]);
    let answer = all_three(EMPTY_ROOT_HASH, &key, &[vec![0x80], fork.clone()], None);
    assert_eq!(answer, (refused(2, 0), Some(AlloyDiffers::TrailingAfterEmpty)));

    let beside = forge::extension(&[1, 2, 9], &fork);
    let answer = all_three(keccak256(&beside), &key, &[beside, fork], None);
    assert_eq!(answer, (refused(2, 1), Some(AlloyDiffers::TrailingAfterExtension)));
}

/// Neither case occurs with hashed keys.
#[test]
fn alloy_trie_reads_less_in_two_ways() {
    let long = [0x77; 40];
    let short_root = forge::leaf(&[1, 2, 1, 2], b"x");
    assert!(short_root.len() < 32);
    let with_value = forge::branch(&[(5, forge::leaf(&[1], &long))], &long);
    for (key, node, value) in [(&[0x12, 0x12][..], short_root, &b"x"[..]), (&[], with_value, &long)] {
        let (root, proof) = (keccak256(&node), [node]);
        assert_eq!(both(root, key, &proof), Ok(Some(value.to_vec())));
        assert!(!alloy_accepts(root, key, Some(value), &proof), "alloy-trie now reads this");
    }
}

/// Accounts and words too, not only the bytes in the leaves.
#[test]
fn on_accounts_and_words() {
    let address = [0x11; 20];
    for (nonce, balance) in [(0, U256::ZERO), (1, U256::MAX), (u64::MAX, U256::from(1))] {
        let value = forge::account(nonce, balance, B256::repeat_byte(3), B256::repeat_byte(4));
        let node = forge::leaf(&forge::nibbles(keccak256(address).as_slice()), &value);
        let root = keccak256(&node);
        let verified =
            saldo_proof::verify_account(saldo_proof::StateRoot::new(root), address.into(), &[&node]).unwrap();
        let json = serde_json::json!({
            "address": format!("0x{}", "00".repeat(20)), "balance": "0x0", "nonce": "0x0",
            "codeHash": B256::ZERO, "storageHash": B256::ZERO, "accountProof": [Bytes::from(node)], "storageProof": [],
        });
        let reply = second_opinion::reply(&json.to_string()).unwrap();
        let second = second_opinion::account(root.0, address, &reply).unwrap().unwrap();
        let saldo_proof::Account::Present(ours) = verified.leaf() else { panic!("absent") };
        assert_eq!((ours.nonce, ours.balance), (nonce, balance));
        assert_eq!(
            (ours.nonce, ours.balance.to_be_bytes(), ours.storage_root.get().0, ours.code_hash.0),
            (second.nonce, second.balance, second.storage_root, second.code_hash)
        );
    }
}
