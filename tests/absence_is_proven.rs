//! A complete proof of absence is a proof: every way in which a trie can lack a key is accepted, and nothing
//! incomplete is.

use alloy_primitives::{Address, B256, U256, keccak256};
use saldo_proof::trie::{EMPTY_ROOT_HASH, Lookup, lookup};
use saldo_proof::{Account, ProofError, StateRoot, verify_account};
use saldo_tests::captured::four_accounts;
use saldo_tests::forge::{self, branch, extension, leaf, nibbles};

const KEY: [u8; 32] = [0x12; 32];
const LONG: [u8; 40] = [0x77; 40];

fn answer<'a>(key: &[u8], proof: &'a [Vec<u8>]) -> Result<Lookup<'a>, ProofError> {
    let answer = lookup(keccak256(&proof[0]), key, proof);
    // An additional node is refused in every case.
    let mut more = proof.to_vec();
    more.push(proof[0].clone());
    if answer.is_ok() {
        let expected = Err(ProofError::ExtraNodes { got: more.len(), used: proof.len() });
        assert_eq!(lookup(keccak256(&proof[0]), key, &more), expected);
    }
    answer
}

#[test]
fn of_a_real_account() {
    let [_, absent, ..] = four_accounts();
    let verified = absent.reply.verify(absent.state_root, absent.address).unwrap();
    assert_eq!(verified.leaf(), &Account::Absent);
    assert!(!absent.reply.contradictions(&verified).any());
}

#[test]
fn by_an_empty_child() {
    let fork = branch(&[(2, leaf(&[0; 63], &LONG)), (3, leaf(&[0; 63], &LONG))], &[]);
    assert_eq!(answer(&KEY, &[fork]), Ok(Lookup::Absent));
}

#[test]
fn by_another_keys_leaf() {
    let mut other = nibbles(&KEY);
    for nibble in [0, 1, 31, 62, 63] {
        other[nibble] ^= 1;
        assert_eq!(answer(&KEY, &[leaf(&other, &LONG)]), Ok(Lookup::Absent), "differs at {nibble}");
        other[nibble] ^= 1;
    }
    assert_eq!(answer(&KEY, &[leaf(&other, &LONG)]), Ok(Lookup::Present(&LONG)));

    let bottom = leaf(&[5; 63], &LONG);
    let fork = branch(&[(1, bottom.clone()), (3, leaf(&[0; 63], &LONG))], &[]);
    assert_eq!(answer(&KEY, &[fork, bottom]), Ok(Lookup::Absent));
}

#[test]
fn by_an_extension_that_goes_another_way() {
    let fork = branch(&[(1, leaf(&[0; 60], &LONG)), (3, leaf(&[0; 60], &LONG))], &[]);
    for path in [&[2_u8, 2, 1][..], &[1, 1, 1], &[1, 2, 2]] {
        assert_eq!(answer(&KEY, &[extension(path, &fork)]), Ok(Lookup::Absent), "{path:?}");
    }
    let more = [extension(&[1, 2, 2], &fork), fork.clone()];
    assert_eq!(
        answer(&KEY, &more),
        Err(ProofError::ExtraNodes { got: 2, used: 1 }),
        "the child is not needed"
    );
    assert_eq!(
        answer(&KEY, &[extension(&[1, 2, 1], &fork)]),
        Err(ProofError::Truncated { nodes: 1, depth: 3 })
    );
}

#[test]
fn in_an_embedded_node() {
    let path = nibbles(&KEY);
    let tiny = |path: &[u8], value: u8| leaf(path, &[value]);
    // Below nibble 62: a branch whose children are leaves of one nibble, all in one node.
    let inner = branch(&[(path[62], tiny(&path[63..], 5)), (9, tiny(&[9], 6))], &[]);
    assert!(inner.len() < 32, "{}", inner.len());
    let top = extension(&path[..62], &inner);
    assert_eq!(answer(&KEY, std::slice::from_ref(&top)), Ok(Lookup::Present(&[5])));
    let mut other = KEY;
    other[31] = 0x13;
    assert_eq!(answer(&other, std::slice::from_ref(&top)), Ok(Lookup::Absent), "another leaf's place");
    other[31] = 0x33;
    assert_eq!(answer(&other, std::slice::from_ref(&top)), Ok(Lookup::Absent), "no child");
    other[31] = 0x99;
    assert_eq!(answer(&other, &[top]), Ok(Lookup::Present(&[6])));
}

/// In a trie with unhashed keys, one key can be the beginning of another.
#[test]
fn of_a_key_that_ends_inside() {
    let trie: forge::Trie =
        [(&b"do"[..], &b"verb"[..]), (b"dog", b"puppy"), (b"dogs", b"puppies")].into_iter().collect();
    for (key, expected) in [
        (&b"do"[..], Lookup::Present(b"verb")),
        (b"dog", Lookup::Present(b"puppy")),
        (b"dogs", Lookup::Present(b"puppies")),
        (b"d", Lookup::Absent),
        (b"", Lookup::Absent),
        (b"dogsled", Lookup::Absent),
        (b"dot", Lookup::Absent),
    ] {
        assert_eq!(answer(key, &trie.prove(key)), Ok(expected), "{key:?}");
    }
    let alone = branch(&[(1, leaf(&[2], &LONG)), (3, leaf(&[4], &LONG))], &[]);
    assert_eq!(answer(&[], &[alone]), Ok(Lookup::Absent), "a branch without a value");
}

#[test]
fn in_the_empty_trie() {
    let root = StateRoot::new(EMPTY_ROOT_HASH);
    let address = Address::repeat_byte(3);
    let nothing: [&[u8]; 0] = [];
    assert_eq!(verify_account(root, address, &nothing).unwrap().leaf(), &Account::Absent);
    assert_eq!(verify_account(root, address, &[[0x80]]).unwrap().leaf(), &Account::Absent);
    for (proof, got) in [
        (vec![vec![0x80], vec![0x80]], 2),
        (vec![vec![]], 1),
        (vec![vec![0xc0]], 1),
        (vec![vec![0x80, 0]], 1),
    ] {
        let refusal = verify_account(root, address, &proof);
        assert_eq!(refusal, Err(ProofError::ExtraNodes { got, used: 0 }), "{proof:?}");
    }
}

/// A proof without nodes does not prove absence.
#[test]
fn not_by_silence() {
    let nothing: [&[u8]; 0] = [];
    for root in [B256::ZERO, B256::repeat_byte(1), keccak256([]), keccak256([0xc0])] {
        let refusal = verify_account(StateRoot::new(root), Address::ZERO, &nothing);
        assert_eq!(refusal, Err(ProofError::EmptyProof { expected: root }));
        let refusal = lookup(root, &KEY, &nothing);
        assert_eq!(refusal, Err(ProofError::EmptyProof { expected: root }));
    }
}

/// A liar's own trie can prove absence in that trie. Only its root shows that it is another trie.
#[test]
fn under_an_invented_root_it_stands_under_that_root_only() {
    let victim = Address::repeat_byte(7);
    let account = forge::account(1, U256::from(1), EMPTY_ROOT_HASH, B256::ZERO);
    let invented: forge::Trie = (0..50_u8).map(|other| (keccak256([other]), account.clone())).collect();
    let proof = invented.prove(keccak256(victim).as_slice());
    let root = StateRoot::new(invented.root());
    let verified = verify_account(root, victim, &proof).unwrap();
    assert_eq!((verified.leaf(), verified.state_root()), (&Account::Absent, root));

    let real = four_accounts()[0].state_root;
    let refusal = verify_account(real, victim, &proof);
    assert_eq!(refusal, Err(ProofError::HashMismatch { node: 0, expected: real.get(), got: root.get() }));
}
