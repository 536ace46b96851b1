//! A plain verifier of account and storage proofs that shares no code with saldo: RLP from `rlp`, keccak from `sha3`,
//! the reply's types from `ethers-core`.
//!
//! It is written to be obviously right, not fast: it decodes every node, encodes it again, and refuses it if a byte
//! differs.

use ethers_core::types::{EIP1186ProofResponse, U256};
use rlp::{Rlp, RlpStream};
use sha3::{Digest, Keccak256};

/// Why it refuses a proof. Only for people: no test depends on the text.
pub type Refusal = String;

/// An item of an RLP list.
#[derive(Clone, Debug, PartialEq)]
enum Item {
    /// A string, without its header.
    Text(Vec<u8>),
    /// A list, with its header.
    List(Vec<u8>),
}

/// An account as the second opinion decodes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Nonce.
    pub nonce: u64,
    /// Balance in wei, big-endian.
    pub balance: [u8; 32],
    /// Root of the storage trie.
    pub storage_root: [u8; 32],
    /// Hash of the code.
    pub code_hash: [u8; 32],
}

/// Parses a reply of `eth_getProof`.
///
/// # Errors
/// If it is not such a reply.
pub fn reply(json: &str) -> Result<EIP1186ProofResponse, Refusal> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

/// The account of the requested address, by the reply's proof; `None` is proven absence.
///
/// # Errors
/// If the proof is not valid.
pub fn account(
    root: [u8; 32],
    asked: [u8; 20],
    reply: &EIP1186ProofResponse,
) -> Result<Option<Account>, Refusal> {
    let nodes: Vec<&[u8]> = reply.account_proof.iter().map(AsRef::as_ref).collect();
    walk(root, &keccak(&asked), &nodes)?.map(|value| read_account(&value)).transpose()
}

/// The value of the requested slot, by the storage proof; `None` is proven absence.
///
/// # Errors
/// If the proof is not valid.
pub fn slot(storage_root: [u8; 32], asked: [u8; 32], nodes: &[&[u8]]) -> Result<Option<[u8; 32]>, Refusal> {
    walk(storage_root, &keccak(&asked), nodes)?.map(|value| read_word(&value)).transpose()
}

/// The value of a key, by the proof; `None` is proven absence.
///
/// # Errors
/// If the proof is not valid.
pub fn walk(root: [u8; 32], key: &[u8], nodes: &[&[u8]]) -> Result<Option<Vec<u8>>, Refusal> {
    if nodes.len() > 65 || nodes.iter().any(|node| node.len() > 1024) {
        return refuse("too large");
    }
    if root == keccak(&[0x80]) {
        return if nodes.is_empty() || nodes == [&[0x80]] {
            Ok(None)
        } else {
            refuse("nodes in an empty trie")
        };
    }
    let path: Vec<u8> = key.iter().flat_map(|byte| [byte / 16, byte % 16]).collect();
    let (answer, used) = descend(&Item::Text(root.to_vec()), &path, 0, nodes, 0)?;
    if used == nodes.len() { Ok(answer) } else { refuse("nodes left over") }
}

type Descent = Result<(Option<Vec<u8>>, usize), Refusal>;

/// Continues at the child `named`, which is at `depth`, after `used` nodes.
fn descend(named: &Item, path: &[u8], depth: usize, nodes: &[&[u8]], used: usize) -> Descent {
    match named {
        Item::List(node) => step(&decode_list(node)?, path, depth, nodes, used),
        Item::Text(hash) => {
            let Some(node) = nodes.get(used) else { return refuse("cut off") };
            if keccak(node).as_slice() != hash {
                return refuse("another node");
            }
            if used > 0 && node.len() < 32 {
                return refuse("hashed, but short");
            }
            step(&decode_list(node)?, path, depth, nodes, used + 1)
        }
    }
}

fn step(items: &[Item], path: &[u8], depth: usize, nodes: &[&[u8]], used: usize) -> Descent {
    match items {
        [Item::Text(prefix), below] => {
            let (is_leaf, shared) = read_prefix(prefix)?;
            if depth + shared.len() > 64 {
                return refuse("too deep");
            }
            match (is_leaf, below) {
                (true, Item::Text(value)) if !value.is_empty() => {
                    Ok((if path == shared { Some(value.clone()) } else { None }, used))
                }
                (true, _) => refuse("a leaf without a string for its value"),
                (false, _) if shared.is_empty() => refuse("an extension of nothing"),
                (false, child) => {
                    check_child(child, false, depth + shared.len())?;
                    match path.strip_prefix(shared.as_slice()) {
                        Some(rest) => descend(child, rest, depth + shared.len(), nodes, used),
                        None => Ok((None, used)),
                    }
                }
            }
        }
        [children @ .., Item::Text(value)] if children.len() == 16 => {
            if depth >= 64 {
                return refuse("too deep");
            }
            for child in children {
                check_child(child, true, depth + 1)?;
            }
            match path.split_first() {
                None => Ok((if value.is_empty() { None } else { Some(value.clone()) }, used)),
                Some((nibble, rest)) => match &children[usize::from(*nibble)] {
                    Item::Text(none) if none.is_empty() => Ok((None, used)),
                    child => descend(child, rest, depth + 1, nodes, used),
                },
            }
        }
        _ => refuse("neither branch, extension nor leaf"),
    }
}

/// Checks a child at `depth`, also beside the path.
fn check_child(child: &Item, may_be_empty: bool, depth: usize) -> Result<(), Refusal> {
    match child {
        Item::Text(hash) if hash.len() == 32 || (may_be_empty && hash.is_empty()) => Ok(()),
        // Fewer than 32 bytes in all, including the header. The path does not continue below it, so its embedded
        // nodes are checked as well.
        Item::List(node) if node.len() < 32 && usize::from(node[0]) == 0xc0 + node.len() - 1 => {
            step(&decode_list(node)?, &[], depth, &[], 0).map(|_| ())
        }
        _ => refuse("no child"),
    }
}

fn read_prefix(prefix: &[u8]) -> Result<(bool, Vec<u8>), Refusal> {
    let nibbles: Vec<u8> = prefix.iter().flat_map(|byte| [byte / 16, byte % 16]).collect();
    match nibbles.as_slice() {
        [flag @ (1 | 3), path @ ..] => Ok((*flag == 3, path.to_vec())),
        [flag @ (0 | 2), 0, path @ ..] => Ok((*flag == 2, path.to_vec())),
        _ => refuse("no hex prefix"),
    }
}

fn read_account(value: &[u8]) -> Result<Account, Refusal> {
    let fields = decode_list(value)?;
    let [Item::Text(nonce), Item::Text(balance), Item::Text(storage_root), Item::Text(code_hash)] =
        fields.as_slice()
    else {
        return refuse("an account with other fields");
    };
    let nonce = integer(nonce)?;
    if nonce > U256::from(u64::MAX) {
        return refuse("nonce");
    }
    let hash = |bytes: &Vec<u8>| <[u8; 32]>::try_from(bytes.as_slice()).map_err(|error| error.to_string());
    Ok(Account {
        nonce: nonce.as_u64(),
        balance: integer(balance)?.into(),
        storage_root: hash(storage_root)?,
        code_hash: hash(code_hash)?,
    })
}

fn read_word(value: &[u8]) -> Result<[u8; 32], Refusal> {
    let bytes = decode_text(value)?;
    if bytes.is_empty() { refuse("no word") } else { Ok(integer(&bytes)?.into()) }
}

fn integer(bytes: &[u8]) -> Result<U256, Refusal> {
    if bytes.len() > 32 || bytes.first() == Some(&0) {
        return refuse("no integer");
    }
    Ok(U256::from_big_endian(bytes))
}

/// Decodes a list, and checks that `rlp` itself would encode it so.
fn decode_list(bytes: &[u8]) -> Result<Vec<Item>, Refusal> {
    let list = Rlp::new(bytes);
    if !list.is_list() {
        return refuse("a string where a list must be");
    }
    let mut items = Vec::new();
    for item in &list {
        items.push(if item.is_list() {
            Item::List(item.as_raw().to_vec())
        } else {
            Item::Text(item.data().map_err(|error| error.to_string())?.to_vec())
        });
    }
    let mut stream = RlpStream::new_list(items.len());
    for item in &items {
        match item {
            Item::Text(text) => stream.append(text),
            Item::List(raw) => stream.append_raw(raw, 1),
        };
    }
    if stream.out() == bytes { Ok(items) } else { refuse("not canonical") }
}

/// The same for a string.
fn decode_text(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let text = Rlp::new(bytes).data().map_err(|error| error.to_string())?.to_vec();
    if rlp::encode(&text) == bytes { Ok(text) } else { refuse("not canonical") }
}

fn keccak(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

fn refuse<T>(why: &str) -> Result<T, Refusal> {
    Err(why.to_owned())
}
