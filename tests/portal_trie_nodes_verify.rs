//! The trie nodes of the Portal network's tests, each with its proof under a real header. Complete proofs verify, and
//! proofs of nodes on the way are refused as truncated.

use std::path::Path;

use alloy_primitives::{Address, B256, Bytes, U256, address, hex, keccak256};
use saldo_chain::ExecutionHeader;
use saldo_proof::{Account, ProofError, Slot, StateRoot, Verified, verify_account};
use saldo_tests::{forge, second_opinion};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use ssz::Decode;

/// Wrapped ether (WETH).
const WETH: Address = address!("0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2");
/// An account of the genesis block, whose proof has an extension.
const OF_GENESIS: Address = address!("0x1584a2c066b7a455dbd6ae2807a7334e83c35fa5");
/// The storage slot of the token's number of decimals.
const DECIMALS: B256 = B256::with_last_byte(2);

/// A node in all the forms in which the network transfers it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    block_header: Bytes,
    content_key: Bytes,
    content_value_offer: Bytes,
    content_value_retrieval: Bytes,
}

/// An offer of a state trie node.
#[derive(ssz_derive::Decode)]
struct AccountOffer {
    proof: Vec<Vec<u8>>,
    block_hash: B256,
}

/// An offer of a storage trie node.
#[derive(ssz_derive::Decode)]
struct StorageOffer {
    storage_proof: Vec<Vec<u8>>,
    account_proof: Vec<Vec<u8>>,
    block_hash: B256,
}

/// An offer of code.
#[derive(ssz_derive::Decode)]
struct CodeOffer {
    code: Vec<u8>,
    account_proof: Vec<Vec<u8>>,
    block_hash: B256,
}

/// A node's path and hash.
#[derive(ssz_derive::Decode)]
struct AccountKey {
    path: Vec<u8>,
    node_hash: B256,
}

#[derive(ssz_derive::Decode)]
struct StorageKey {
    address_hash: B256,
    path: Vec<u8>,
    node_hash: B256,
}

#[derive(ssz_derive::Decode)]
struct Node {
    node: Vec<u8>,
}

fn read<T: DeserializeOwned>(folder: &Path, name: &str) -> T {
    let text = std::fs::read_to_string(folder.join(name).with_extension("yaml")).unwrap();
    serde_yaml_ng::from_str(&text).unwrap()
}

fn ssz<T: Decode>(bytes: &[u8]) -> T {
    T::from_ssz_bytes(bytes).unwrap()
}

/// The nibbles of a path. Its first byte says whether their number is odd.
fn nibbles(path: &[u8]) -> Vec<u8> {
    let nibbles = forge::nibbles(path);
    match nibbles.as_slice() {
        [0, 0, even @ ..] => even.to_vec(),
        [1, odd @ ..] => odd.to_vec(),
        other => panic!("{other:?}"),
    }
}

/// The state root of a header, after checking the header's hash.
fn state_root(header: &[u8], hash: B256) -> StateRoot {
    ExecutionHeader::from_rlp(header, hash).unwrap().state_root()
}

/// Verifies with saldo and with the second opinion.
fn verify(root: StateRoot, address: Address, proof: &[Vec<u8>]) -> Result<Verified<Account>, ProofError> {
    let verified = verify_account(root, address, proof);
    let nodes: Vec<&[u8]> = proof.iter().map(Vec::as_slice).collect();
    let second = second_opinion::walk(root.get().0, keccak256(address).as_slice(), &nodes);
    assert_eq!(verified.is_ok(), second.is_ok());
    verified
}

fn present(verified: &Verified<Account>) -> saldo_proof::AccountState {
    let Account::Present(account) = verified.leaf() else { panic!("absent") };
    *account
}

/// Checks a proof's last node: its bytes, its hash, and its path on the way to a hashed key.
fn check_last(proof: &[Vec<u8>], retrieved: &[u8], hash: B256, path: &[u8], key: B256) {
    let last = proof.last().unwrap();
    assert_eq!(ssz::<Node>(retrieved).node, *last);
    assert_eq!(keccak256(last), hash);
    assert!(forge::nibbles(key.as_slice()).starts_with(&nibbles(path)));
}

fn is_cut_off(refusal: ProofError, nodes: usize) -> bool {
    matches!(refusal, ProofError::Truncated { nodes: got, .. } if got == nodes)
}

#[test]
fn of_the_state_trie() {
    let Some(folder) = saldo_tests::vectors("mpt/portal-state/tests/mainnet/state/validation") else {
        return;
    };
    let (mut whole, mut cut_off) = (0, 0);
    let contents: Vec<Content> = read(&folder, "account_trie_node");
    assert_eq!(contents.len(), 5);
    for (content, address) in contents.into_iter().zip([WETH, WETH, WETH, OF_GENESIS, OF_GENESIS]) {
        let AccountOffer { proof, block_hash } = ssz(&content.content_value_offer);
        let (kind, key) = content.content_key.split_first().unwrap();
        assert_eq!(*kind, 0x20);
        let AccountKey { path, node_hash } = ssz(key);
        check_last(&proof, &content.content_value_retrieval, node_hash, &path, keccak256(address));
        let root = state_root(&content.block_header, block_hash);
        match verify(root, address, &proof) {
            Ok(verified) => {
                let account = present(&verified);
                let expected = match address {
                    WETH => (1, "3272363543482522011582395"),
                    _ => (0, "130000000000000000000"),
                };
                assert_eq!((account.nonce, account.balance.to_string().as_str()), expected);
                whole += 1;
            }
            Err(refusal) => {
                assert!(is_cut_off(refusal, proof.len()), "{refusal}");
                cut_off += 1;
            }
        }
    }
    assert_eq!((whole, cut_off), (2, 3));
}

#[test]
fn of_a_storage_trie() {
    let Some(folder) = saldo_tests::vectors("mpt/portal-state/tests/mainnet/state/validation") else {
        return;
    };
    let (mut whole, mut cut_off) = (0, 0);
    let contents: Vec<Content> = read(&folder, "contract_storage_trie_node");
    assert_eq!(contents.len(), 3);
    for content in contents {
        let StorageOffer { storage_proof, account_proof, block_hash } = ssz(&content.content_value_offer);
        let (kind, key) = content.content_key.split_first().unwrap();
        assert_eq!(*kind, 0x21);
        let StorageKey { address_hash, path, node_hash } = ssz(key);
        assert_eq!(address_hash, keccak256(WETH));
        check_last(&storage_proof, &content.content_value_retrieval, node_hash, &path, keccak256(DECIMALS));
        let root = state_root(&content.block_header, block_hash);
        let account = verify(root, WETH, &account_proof).unwrap();
        match account.slot(DECIMALS, &storage_proof) {
            Ok(slot) => {
                assert_eq!(slot.leaf(), &Slot::Present(U256::from(18)));
                whole += 1;
            }
            Err(refusal) => {
                assert!(is_cut_off(refusal, storage_proof.len()), "{refusal}");
                cut_off += 1;
            }
        }
    }
    assert_eq!((whole, cut_off), (1, 2));
}

#[test]
fn of_code() {
    let Some(folder) = saldo_tests::vectors("mpt/portal-state/tests/mainnet/state/validation") else {
        return;
    };
    #[derive(ssz_derive::Decode)]
    struct CodeKey {
        address_hash: B256,
        code_hash: B256,
    }
    #[derive(ssz_derive::Decode)]
    struct Code {
        code: Vec<u8>,
    }
    let [content]: [Content; 1] = read::<Vec<Content>>(&folder, "contract_bytecode").try_into().ok().unwrap();
    let CodeOffer { code, account_proof, block_hash } = ssz(&content.content_value_offer);
    let (kind, key) = content.content_key.split_first().unwrap();
    assert_eq!(*kind, 0x22);
    let key: CodeKey = ssz(key);
    let account =
        present(&verify(state_root(&content.block_header, block_hash), WETH, &account_proof).unwrap());
    assert_eq!((key.address_hash, key.code_hash), (keccak256(WETH), account.code_hash));
    assert_eq!(keccak256(&code), account.code_hash);
    assert_eq!(ssz::<Code>(&content.content_value_retrieval).code, code);
}

/// The same block's proofs written out node by node, and their serialized forms.
#[test]
fn as_they_are_serialized() {
    let Some(state) = saldo_tests::vectors("mpt/portal-state/tests/mainnet/state") else { return };
    let contents: Vec<Content> = read(&state.join("validation"), "account_trie_node");
    let folder = state.join("serialization");
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct OfAccount {
        proof: Vec<Bytes>,
        block_hash: B256,
        content_value: Bytes,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct OfStorage {
        storage_proof: Vec<Bytes>,
        account_proof: Vec<Bytes>,
        block_hash: B256,
        content_value: Bytes,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct OfCode {
        bytecode: Bytes,
        account_proof: Vec<Bytes>,
        block_hash: B256,
        content_value: Bytes,
    }
    let of_account: OfAccount = read(&folder, "account_trie_node_with_proof");
    let of_storage: OfStorage = read(&folder, "contract_storage_trie_node_with_proof");
    let of_code: OfCode = read(&folder, "contract_bytecode_with_proof");
    let root = state_root(&contents[0].block_header, of_account.block_hash);
    assert_eq!([of_storage.block_hash, of_code.block_hash], [of_account.block_hash; 2]);
    for proof in [&of_account.proof, &of_storage.account_proof, &of_code.account_proof] {
        let verified = verify_account(root, WETH, proof).unwrap();
        assert_eq!(present(&verified).code_hash, keccak256(&of_code.bytecode));
        let slot = verified.slot(DECIMALS, &of_storage.storage_proof).unwrap();
        assert_eq!(slot.leaf(), &Slot::Present(U256::from(18)));
    }
    assert_eq!(ssz::<AccountOffer>(&of_account.content_value).proof, of_account.proof);
    let offer: StorageOffer = ssz(&of_storage.content_value);
    assert_eq!(offer.storage_proof, of_storage.storage_proof);
    assert_eq!(offer.account_proof, of_storage.account_proof);
    let offer: CodeOffer = ssz(&of_code.content_value);
    assert_eq!((offer.code, offer.block_hash), (of_code.bytecode.to_vec(), of_code.block_hash));

    // The single node, and the keys by which nodes are requested.
    let node: serde_json::Value = read(&folder, "trie_node");
    let leaf = hex::decode(node["trie_node"].as_str().unwrap()).unwrap();
    assert_eq!(leaf, of_account.proof.last().unwrap().to_vec());
    for (file, proof) in [
        ("account_trie_node_key", &of_account.proof[..]),
        // The branch above the leaf.
        ("contract_storage_trie_node_key", &of_storage.storage_proof[..]),
    ] {
        let key: serde_json::Value = read(&folder, file);
        let hash: B256 = key["node_hash"].as_str().unwrap().parse().unwrap();
        assert!(proof.iter().any(|node| keccak256(node) == hash), "{file}");
    }
    // The rest concerns only code, of which a proof contains only the hash.
    let key: serde_json::Value = read(&folder, "contract_bytecode_key");
    assert_eq!(key["code_hash"].as_str().unwrap().parse::<B256>().unwrap(), keccak256(&of_code.bytecode));
    let alone: serde_json::Value = read(&folder, "contract_bytecode");
    assert_eq!(hex::decode(alone["bytecode"].as_str().unwrap()).unwrap(), of_code.bytecode.to_vec());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 9);
}
