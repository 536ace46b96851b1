//! A trie that no client would build is refused, even under its own root: it proves nothing.

use alloy_primitives::{Address, B256, U256, keccak256};
use saldo_proof::trie::{Lookup, lookup};
use saldo_proof::{Account, LeafError, NodeError, ProofError, RlpError, Slot, StateRoot, verify_account};
use saldo_tests::forge::{
    self, Encoded, branch, extension, hex_prefix, leaf, list, nibbles, reference, string,
};

/// The key to look up. Its nibbles are 1, 2, 1, 2, … so that paths are easy to write.
const KEY: [u8; 32] = [0x12; 32];

/// The refusal of a node that is alone the root of a trie.
fn as_root(node: &[u8]) -> ProofError {
    lookup(keccak256(node), &KEY, &[node]).unwrap_err()
}

/// The refusal of a node below a branch: hashed, if it is long enough, or embedded.
fn below_a_branch(node: &Encoded) -> ProofError {
    let top = branch(&[(1, node.clone()), (2, leaf(&[0], b"other"))], &[]);
    let mut proof = vec![top];
    if node.len() >= 32 {
        proof.push(node.clone());
    }
    lookup(keccak256(&proof[0]), &KEY, &proof).unwrap_err()
}

fn node_cause(refusal: ProofError, node: usize, depth: usize) -> NodeError {
    match refusal {
        ProofError::MalformedNode { node: at, depth: down, cause } if (at, down) == (node, depth) => cause,
        other => panic!("{other:?}"),
    }
}

/// Tries with an embedded node beside the key's path, and the node's depth.
fn beside_the_path(node: &Encoded) -> Vec<(Encoded, usize)> {
    let further = |child: &Encoded| [(extension(&[2], child), 1), (extension(&[3], child), 1)];
    let beneath = further(node).into_iter().chain([(node.clone(), 0)]);
    let tries = beneath.filter(|(child, _)| child.len() < 32).flat_map(|(child, depth)| {
        let sibling = branch(&[(1, leaf(&[0], b"other")), (5, child.clone())], &[]);
        [
            (sibling, depth + 1),
            (extension(&[9], &child), depth + 1),
            (extension(&[1, 9, 9], &child), depth + 3),
        ]
    });
    tries.collect()
}

/// Checks a malformed node as root, below a branch (hashed or embedded, by its length) and, if it is embedded, beside
/// the key's path.
fn is_refused_for(node: &Encoded, expected: NodeError) {
    assert_eq!(node_cause(as_root(node), 0, 0), expected, "as root: {node:02x?}");
    let hashed = usize::from(node.len() >= 32);
    assert_eq!(node_cause(below_a_branch(node), hashed, 1), expected, "below a branch: {node:02x?}");
    let is_embedded = node.len() < 32;
    for (top, depth) in is_embedded.then(|| beside_the_path(node)).into_iter().flatten() {
        assert_eq!(node_cause(as_root(&top), 0, depth), expected, "beside the path: {top:02x?}");
    }
}

const LONG: [u8; 40] = [0x77; 40];

#[test]
fn paths() {
    let value = string(&LONG);
    for flag in 4..=15_u8 {
        is_refused_for(&list(&[string(&[flag << 4]), value.clone()]), NodeError::PathFlag { got: flag });
    }
    for padding in 1..=15_u8 {
        for flag in [0x00, 0x20] {
            let node = list(&[string(&[flag | padding, 0x12]), value.clone()]);
            is_refused_for(&node, NodeError::PathPadding { got: padding });
        }
    }
    is_refused_for(&list(&[string(&[]), value.clone()]), NodeError::MissingPath);
    is_refused_for(&list(&[list(&[]), value]), RlpError::ListForString.into());
    // The same with nodes short enough to be embedded.
    is_refused_for(&list(&[string(&[0x40]), string(b"x")]), NodeError::PathFlag { got: 4 });
    is_refused_for(&list(&[string(&[0x21]), string(b"x")]), NodeError::PathPadding { got: 1 });
}

#[test]
fn extensions() {
    let below = branch(&[(1, leaf(&[], &LONG)), (2, leaf(&[], &LONG))], &[]);
    is_refused_for(&extension(&[], &below), NodeError::EmptyExtension);
    let to = |child: Encoded| list(&[string(&hex_prefix(&[1], false)), child]);
    is_refused_for(&to(string(&[])), NodeError::MissingChild);
    is_refused_for(&to(string(&[7; 31])), NodeError::ChildLength { got: 31 });
    is_refused_for(&to(string(&[7; 33])), NodeError::ChildLength { got: 33 });
    is_refused_for(&to(list(&[string(&[7; 30])])), NodeError::ChildTooLarge { got: 31 });
    is_refused_for(&to(below.clone()), NodeError::ChildTooLarge { got: below.len() - 2 });
    // An extension beside the key's path is checked too.
    is_refused_for(&list(&[string(&hex_prefix(&[9], false)), string(&[])]), NodeError::MissingChild);
}

#[test]
fn leaves() {
    is_refused_for(&leaf(&[1; 62], &[]), NodeError::EmptyValue);
    is_refused_for(&list(&[string(&hex_prefix(&[1; 62], true)), list(&[])]), RlpError::ListForString.into());
}

#[test]
fn branches() {
    let items = || -> Vec<Encoded> {
        let mut items = vec![string(&[]); 17];
        items[5] = string(&[5; 32]);
        items
    };
    let with = |index: usize, item: Encoded| {
        let mut items = items();
        items[index] = item;
        list(&items)
    };
    for index in 0..16 {
        is_refused_for(&with(index, string(&[7; 31])), NodeError::ChildLength { got: 31 });
        is_refused_for(&with(index, string(&[7; 33])), NodeError::ChildLength { got: 33 });
        is_refused_for(&with(index, string(&[7])), NodeError::ChildLength { got: 1 });
        is_refused_for(&with(index, list(&[string(&[7; 30])])), NodeError::ChildTooLarge { got: 31 });
    }
    is_refused_for(&with(16, list(&[])), RlpError::ListForString.into());

    for count in [0, 1, 3, 4, 15, 16] {
        let expected = NodeError::ItemCount { got: count };
        let short = vec![string(&[]); count];
        is_refused_for(&list(&short), expected);
        let long: Vec<Encoded> = (0..count).map(|_| string(&[7; 32])).collect();
        is_refused_for(&list(&long), expected);
    }
    is_refused_for(&list(&[items(), vec![string(&[])]].concat()), NodeError::ItemCount { got: 18 });
    is_refused_for(&list(&vec![string(&[]); 31]), NodeError::ItemCount { got: 18 });
}

/// Each encoding is wrong, and everything else is right.
#[test]
fn encodings() {
    let node = leaf(&[3; 60], &LONG);
    let (header, payload) = node.split_at(2);
    assert_eq!(header[0], 0xf8, "a list with one length byte");
    let value = string(&LONG);
    let path = string(&hex_prefix(&[3; 60], true));
    for (malformed, expected) in [
        ([&node[..], &[0]].concat(), RlpError::TrailingBytes { got: 1 }),
        ([&node[..], &node[..]].concat(), RlpError::TrailingBytes { got: node.len() }),
        ([&[0xf8, header[1] + 1], payload].concat(), RlpError::PastTheEnd),
        ([&[0xf8, header[1] - 1], payload].concat(), RlpError::TrailingBytes { got: 1 }),
        ([&[0xf9, 0, header[1]], payload].concat(), RlpError::LeadingZero),
        ([&[0xff, 255, 255, 255, 255, 255, 255, 255, 255], payload].concat(), RlpError::PastTheEnd),
        ([&[0xbf, 255, 255, 255, 255, 255, 255, 255, 255], payload].concat(), RlpError::PastTheEnd),
        ([&[0xf8, 40], &[0x80; 40][..]].concat(), RlpError::LongForm),
        (string(payload), RlpError::StringForList),
        (vec![0xc0 + 40; 40], RlpError::PastTheEnd),
        (list(&[path.clone(), [&[0xb8, 40], &LONG[..]].concat()]), RlpError::LongForm),
        (list(&[path.clone(), [&[0xb9, 0, 40], &LONG[..]].concat()]), RlpError::LeadingZero),
        (list(&[[&[0xb8, path[0] - 0x80], &path[1..]].concat(), value]), RlpError::LongForm),
        (list(&[path.clone(), vec![0x81, 0x05]]), RlpError::LongForm),
        (list(&[path, vec![0xb7]]), RlpError::PastTheEnd),
    ] {
        assert_eq!(node_cause(as_root(&malformed), 0, 0), expected.into(), "{malformed:02x?}");
        let proof = [branch(&[(1, malformed.clone()), (2, leaf(&[0], b"other"))], &[]), malformed];
        let refusal = lookup(keccak256(&proof[0]), &KEY, &proof).unwrap_err();
        assert_eq!(node_cause(refusal, 1, 1), expected.into());
    }
}

/// Nested lists: they are not followed, and an embedded node is too short to nest deeply.
#[test]
fn nesting_bombs() {
    let mut bomb = list(&[]);
    while bomb.len() < 900 {
        bomb = list(&[bomb]);
    }
    assert_eq!(node_cause(as_root(&bomb), 0, 0), NodeError::ItemCount { got: 1 });
    let bombs = list(&[string(&hex_prefix(&[1], false)), list(&[string(&[9; 31]), bomb[..].to_vec()])]);
    assert!(matches!(node_cause(as_root(&bombs), 0, 0), NodeError::ChildTooLarge { .. }));

    // Nested extensions, as deep as 31 bytes allow.
    let mut inner = leaf(&[1], b"x");
    while inner.len() < 28 {
        inner = extension(&[1], &inner);
    }
    let refusal = lookup(keccak256(&inner), &KEY, std::slice::from_ref(&inner));
    assert_eq!(refusal, Ok(Lookup::Absent), "the second nibble is not 1");
    let proof = [extension(&[1; 3], &inner)];
    let found = lookup(keccak256(&proof[0]), &[0x11; 6], &proof);
    assert!(found.is_ok(), "{found:?}");
}

#[test]
fn paths_past_64_nibbles() {
    let path_too_long = |node, got| ProofError::PathTooLong { node, got, limit: 64 };
    assert_eq!(as_root(&leaf(&[1; 65], &LONG)), path_too_long(0, 65));
    assert_eq!(as_root(&leaf(&[1; 1000], &LONG)), path_too_long(0, 1000));
    assert_eq!(as_root(&extension(&[1; 65], &[0; 40])), path_too_long(0, 65));
    let top = |node: &Encoded| vec![extension(&nibbles(&KEY)[..60], node), node.clone()];
    let answer = |proof: &[Encoded]| lookup(keccak256(&proof[0]), &KEY, proof).unwrap_err();
    assert_eq!(answer(&top(&leaf(&[1, 2, 1, 2, 1], &LONG))), path_too_long(1, 65));
    assert_eq!(answer(&top(&extension(&[9; 5], &[0; 40]))), path_too_long(1, 65));

    // The same beside the key's path.
    assert_eq!(as_root(&extension(&[9; 60], &leaf(&[1; 5], b"x"))), path_too_long(0, 65));
    assert_eq!(as_root(&extension(&[9; 59], &extension(&[1], &leaf(&[1; 5], b"x")))), path_too_long(0, 65));

    let bottom = branch(&[(1, leaf(&[], &LONG)), (2, leaf(&[], &LONG))], &LONG);
    let proof = [extension(&nibbles(&KEY), &bottom), bottom];
    assert_eq!(answer(&proof), path_too_long(1, 65), "a branch below the last nibble");
    // A branch with every child, which another code path reads at once.
    let full = list(&[vec![string(&[7; 32]); 16], vec![string(&[])]].concat());
    let proof = [extension(&nibbles(&KEY), &full), full.clone()];
    assert_eq!(answer(&proof), path_too_long(1, 65), "a full branch below the last nibble");
    // One nibble higher it is an ordinary branch.
    let proof = [extension(&nibbles(&KEY)[..63], &full), full];
    assert_eq!(answer(&proof), ProofError::Truncated { nodes: 2, depth: 64 });
}

/// Found by fuzzing: an extension beside the path leads to an invalid list. `alloy-trie` refused it before saldo did.
#[test]
fn a_child_that_is_not_entered_proves_no_absence() {
    let path = hex_prefix(&[[0, 0], [12, 12], [9, 11]].concat().repeat(10), false);
    let proof =
        [list(&[string(&path), vec![0xca, 0xf5, 0xab, 0x29, 0x56, 0x3f, 0x26, 0xec, 0xa7, 0x91, 0x00]])];
    assert_eq!(node_cause(as_root(&proof[0]), 0, 60), RlpError::PastTheEnd.into());
    let whole = [list(&[string(&path), leaf(&[1, 2], b"whole")])];
    assert_eq!(lookup(keccak256(&whole[0]), &KEY, &whole), Ok(Lookup::Absent));
}

/// Only the root may be short without being embedded.
#[test]
fn a_short_node_by_its_hash() {
    let short = leaf(&[2; 10], b"short");
    assert!(short.len() < 32);
    let mut children = vec![string(&[]); 17];
    children[1] = string(keccak256(&short).as_slice());
    children[2] = string(&[9; 32]);
    let proof = [list(&children), short.clone()];
    let refusal = lookup(keccak256(&proof[0]), &KEY, &proof);
    assert_eq!(refusal, Err(ProofError::NodeTooShort { node: 1, got: short.len() }));
    assert_eq!(lookup(keccak256(&short), &KEY, &[short]), Ok(Lookup::Absent), "it may be the root");
}

/// A word that an attacker stored is a value, even if it is the hash of an attacker's node.
#[test]
fn a_value_is_no_child() {
    let rich = leaf(&[], &forge::word(U256::MAX));
    let word = keccak256(&rich);
    let path = nibbles(&KEY);
    let bottom = leaf(&path[1..], word.as_slice());
    let proof = [branch(&[(1, bottom.clone()), (2, leaf(&[0], b"other"))], &[]), bottom, rich];
    let root = keccak256(&proof[0]);
    assert_eq!(lookup(root, &KEY, &proof[..2]), Ok(Lookup::Present(word.as_slice())));
    assert_eq!(lookup(root, &KEY, &proof), Err(ProofError::ExtraNodes { got: 3, used: 2 }));

    // The value of a branch is not on the key's path.
    let top = branch(&[(2, leaf(&[0], b"other"))], word.as_slice());
    let proof = [top, proof[2].clone()];
    let refusal = lookup(keccak256(&proof[0]), &KEY, &proof);
    assert_eq!(refusal, Err(ProofError::ExtraNodes { got: 2, used: 1 }));
    // And a child is not a value: if the key ends at the branch, the branch has no value.
    let top = branch(&[(2, proof[1].clone())], &[]);
    assert_eq!(lookup(keccak256(&top), &[], &[top]), Ok(Lookup::Absent));
}

#[test]
fn accounts() {
    let address = Address::repeat_byte(1);
    let (root, code) = (string(&[1; 32]), string(&[2; 32]));
    let refusal_of = |value: &[u8]| {
        let node = leaf(&nibbles(keccak256(address).as_slice()), value);
        match verify_account(StateRoot::new(keccak256(&node)), address, &[node]) {
            Err(ProofError::MalformedLeaf { cause }) => cause,
            other => panic!("{other:?}"),
        }
    };
    let small = string(&[5]);
    let long = |length| string(&vec![1; length]);
    for (fields, expected) in [
        (vec![], LeafError::FieldCount { got: 0 }),
        (vec![small.clone(), small.clone(), root.clone()], LeafError::FieldCount { got: 3 }),
        (
            vec![small.clone(), small.clone(), root.clone(), code.clone(), small.clone()],
            LeafError::FieldCount { got: 5 },
        ),
        (vec![long(9), small.clone(), root.clone(), code.clone()], LeafError::NonceTooLarge),
        (vec![vec![0], small.clone(), root.clone(), code.clone()], RlpError::LeadingZero.into()),
        (vec![small.clone(), vec![0x82, 0, 1], root.clone(), code.clone()], RlpError::LeadingZero.into()),
        (
            vec![small.clone(), long(33), root.clone(), code.clone()],
            RlpError::IntegerTooLong { got: 33, limit: 32 }.into(),
        ),
        (
            vec![small.clone(), small.clone(), string(&[]), code.clone()],
            RlpError::WordLength { got: 0 }.into(),
        ),
        (vec![small.clone(), small.clone(), root.clone(), long(33)], RlpError::WordLength { got: 33 }.into()),
        (vec![small.clone(), list(&[]), root.clone(), code.clone()], RlpError::ListForString.into()),
    ] {
        assert_eq!(refusal_of(&list(&fields)), expected, "{fields:02x?}");
    }
    let whole = list(&[small.clone(), small, root, code]);
    assert_eq!(refusal_of(&[&whole[..], &[0x80]].concat()), RlpError::TrailingBytes { got: 1 }.into());
    assert_eq!(refusal_of(&whole[..whole.len() - 1]), RlpError::PastTheEnd.into());
    assert_eq!(refusal_of(&[7; 100]), RlpError::TrailingBytes { got: 99 }.into());
}

#[test]
fn storage_words() {
    let (address, key) = (Address::repeat_byte(1), B256::with_last_byte(3));
    let slot_of = |value: &[u8]| {
        let bottom = leaf(&nibbles(keccak256(key).as_slice()), value);
        let account = forge::account(0, U256::ZERO, keccak256(&bottom), B256::ZERO);
        let top = leaf(&nibbles(keccak256(address).as_slice()), &account);
        let account = verify_account(StateRoot::new(keccak256(&top)), address, &[top]).unwrap();
        assert!(matches!(account.leaf(), Account::Present(_)));
        account.slot(key, &[bottom]).map(|slot| *slot.leaf())
    };
    for (value, expected) in [
        (string(&[]), LeafError::ZeroValue),
        (vec![0x00], RlpError::LeadingZero.into()),
        (vec![0x82, 0x00, 0x01], RlpError::LeadingZero.into()),
        (string(&[0; 32]), RlpError::LeadingZero.into()),
        (string(&[1; 33]), RlpError::IntegerTooLong { got: 33, limit: 32 }.into()),
        (list(&[]), RlpError::ListForString.into()),
        (list(&[string(&[5])]), RlpError::ListForString.into()),
        (vec![0x81, 0x05], RlpError::LongForm.into()),
        (vec![0x05, 0x05], RlpError::TrailingBytes { got: 1 }.into()),
        (vec![0x82, 0x05], RlpError::PastTheEnd.into()),
        // A word without its RLP header, which no trie contains.
        (vec![0x11; 32], RlpError::TrailingBytes { got: 31 }.into()),
    ] {
        assert_eq!(slot_of(&value), Err(ProofError::MalformedLeaf { cause: expected }), "{value:02x?}");
    }
    for word in [U256::from(1), U256::from(127), U256::from(128), U256::from(255), U256::from(256), U256::MAX]
    {
        assert_eq!(slot_of(&forge::word(word)), Ok(Slot::Present(word)));
    }
}

/// Nodes made by the test's forge are valid: the parts above, combined correctly, are a trie.
#[test]
fn the_forge_makes_tries() {
    let path = nibbles(&KEY);
    let bottom = leaf(&path[4..], &LONG);
    let fork = branch(&[(path[3], bottom.clone()), (9, leaf(&[1; 60], &LONG))], &[]);
    let proof = [extension(&path[..3], &fork), fork, bottom];
    assert_eq!(reference(&proof[1]).len(), 33);
    assert_eq!(lookup(keccak256(&proof[0]), &KEY, &proof), Ok(Lookup::Present(&LONG)));
}
