//! The work that one reply can cause is limited, and the limit is checked first.

use alloy_primitives::{Address, B256, Bytes, keccak256};
use saldo_beacon::{Network, NetworkError};
use saldo_proof::eip1186::AccountReply;
use saldo_proof::trie::{Lookup, MAX_NODE_BYTES, MAX_NODES, lookup};
use saldo_proof::{ProofError, StateRoot, claimed_root, verify_account};
use saldo_source::{Directory, DirectoryError};
use saldo_tests::captured::four_accounts;
use saldo_tests::forge;
use serde_json::json;

/// No node in these tests has this hash.
const ROOT: StateRoot = StateRoot::new(B256::repeat_byte(1));

fn both(proof: &[Bytes]) -> ProofError {
    let refusal = verify_account(ROOT, Address::ZERO, proof).unwrap_err();
    assert_eq!(claimed_root(proof), Err(refusal), "both check the limits first");
    refusal
}

/// Hashing would find a wrong first node: these refusals come before hashing.
#[test]
fn too_many_nodes() {
    for got in [MAX_NODES + 1, 1_000_000] {
        let proof = vec![Bytes::from_static(&[0x80]); got];
        assert_eq!(both(&proof), ProofError::TooManyNodes { got, limit: 65 });
    }
    let proof = vec![Bytes::from_static(&[0x80]); MAX_NODES];
    let refusal = verify_account(ROOT, Address::ZERO, &proof).unwrap_err();
    assert!(matches!(refusal, ProofError::HashMismatch { node: 0, .. }), "65 nodes are hashed: {refusal}");
}

#[test]
fn too_large_a_node() {
    for got in [MAX_NODE_BYTES + 1, 10_000_000] {
        for node in [0, 1, 64] {
            let mut proof = vec![Bytes::from_static(&[0x80]); MAX_NODES];
            proof[node] = vec![0; got].into();
            assert_eq!(both(&proof), ProofError::NodeTooLarge { node, got, limit: 1024 });
        }
    }
    let proof = [Bytes::from(vec![0; MAX_NODE_BYTES])];
    let refusal = verify_account(ROOT, Address::ZERO, &proof).unwrap_err();
    assert!(matches!(refusal, ProofError::HashMismatch { node: 0, .. }), "1,024 bytes are hashed: {refusal}");
}

/// As many nodes as the largest accepted reply can hold: they are counted, and none is hashed.
#[test]
fn a_reply_of_thousands_of_nodes() {
    let mut json = four_accounts()[0].json.clone();
    let many = 40_000;
    for field in ["accountProof", "storageProof"] {
        json[field] = match field {
            "accountProof" => json!(vec!["0x80"; many]),
            _ => json!([{ "key": "0x0", "value": "0x0", "proof": vec!["0x80"; many] }]),
        };
    }
    let reply: AccountReply = serde_json::from_value(json).unwrap();
    let refusal = ProofError::TooManyNodes { got: many, limit: 65 };
    assert_eq!(reply.verify(ROOT, reply.address.unwrap()), Err(refusal));
    let [account, ..] = four_accounts();
    let account = account.reply.verify(account.state_root, account.address).unwrap();
    assert_eq!(account.slot(B256::ZERO, &reply.storage(B256::ZERO).unwrap().proof), Err(refusal));
}

/// Files are measured before they are parsed, too.
#[test]
fn network_files_and_directories() {
    let got = 64 * 1024 + 1;
    let text = "#".repeat(got);
    let limit = 64 * 1024;
    assert!(
        matches!(Network::from_toml(&text), Err(NetworkError::TooLarge { got: g, limit: l }) if (g, l) == (got, limit))
    );
    assert_eq!(Directory::from_toml(&text), Err(DirectoryError::TooLarge { got, limit }));
    let nested = format!("a = {}", "[".repeat(limit - 4));
    assert!(matches!(Network::from_toml(&nested), Err(NetworkError::Toml(_))));
    assert!(matches!(Directory::from_toml(&nested), Err(DirectoryError::NotToml { .. })));
}

/// The limits also hold for an empty trie, and for the storage of an absent account.
#[test]
fn limits_hold_for_the_empty_trie() {
    let empty = StateRoot::new(saldo_proof::trie::EMPTY_ROOT_HASH);
    let proof = vec![Bytes::from_static(&[0x80]); 66];
    assert_eq!(
        verify_account(empty, Address::ZERO, &proof),
        Err(ProofError::TooManyNodes { got: 66, limit: 65 })
    );
}

/// The longest possible proof: a branch at each of the 64 nibbles, and a leaf.
#[test]
fn the_deepest_trie_is_read_and_one_deeper_is_not() {
    let key = keccak256(b"deep");
    let deepest = |path: &[u8]| {
        let mut node = forge::leaf(&[], b"found");
        let mut proof = vec![];
        for (level, nibble) in path.iter().enumerate().rev() {
            if node.len() >= 32 {
                proof.push(node.clone());
            }
            // A sibling that is never entered: any hash works.
            let sibling = keccak256(level.to_be_bytes()).to_vec();
            let mut children = vec![forge::string(&[]); 17];
            children[usize::from(*nibble)] = forge::reference(&node);
            children[usize::from(*nibble ^ 1)] = forge::string(&sibling);
            node = forge::list(&children);
        }
        proof.push(node);
        proof.reverse();
        proof
    };
    // The leaf is so short that it is embedded in the last branch.
    let proof = deepest(&forge::nibbles(key.as_slice()));
    assert_eq!(proof.len(), 64);
    assert_eq!(lookup(keccak256(&proof[0]), key.as_slice(), &proof), Ok(Lookup::Present(b"found")));

    // A longer key has room for a branch below nibble 64, but hashed keys do not.
    let long_key = [key.as_slice(), &[0]].concat();
    let mut path = forge::nibbles(&long_key);
    path.pop();
    let proof = deepest(&path);
    assert_eq!(proof.len(), 65);
    let refusal = lookup(keccak256(&proof[0]), &long_key, &proof);
    assert_eq!(refusal, Err(ProofError::PathTooLong { node: 64, got: 65, limit: 64 }));
    let refusal = lookup(keccak256(&proof[0]), key.as_slice(), &proof);
    assert_eq!(refusal, Err(ProofError::PathTooLong { node: 64, got: 65, limit: 64 }));
}

/// The root under which a proof would be valid, before that root is signed.
#[test]
fn the_claimed_root_is_the_hash_of_the_first_node() {
    for account in four_accounts() {
        assert_eq!(claimed_root(&account.reply.account_proof), Ok(account.state_root), "{}", account.name);
    }
    let nothing: [Bytes; 0] = [];
    assert_eq!(claimed_root(&nothing), Err(ProofError::EmptyProof { expected: B256::ZERO }));
    let empty = claimed_root(&[[0x80]]).unwrap();
    assert_eq!(empty.get(), saldo_proof::trie::EMPTY_ROOT_HASH);
}
