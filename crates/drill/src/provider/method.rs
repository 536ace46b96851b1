//! The methods of JSON-RPC, answered as geth does.

use std::str::FromStr;
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, hex};
use serde_json::{Value, json};

use super::{Failure, View};
use crate::block::Block;
use crate::fault::Fault;
use crate::header::quantity;
use crate::trie::{EMPTY_ROOT, MissingNode};
use crate::world::Account;

pub(super) type Answer = Result<Value, Failure>;

/// What `eth_getProof` says, before lies are put on it.
pub(super) struct Proof {
    pub(super) address: Address,
    pub(super) balance: U256,
    pub(super) nonce: u64,
    pub(super) code_hash: B256,
    pub(super) storage_root: B256,
    pub(super) nodes: Vec<Bytes>,
    pub(super) storage: Vec<StorageProof>,
}

/// One entry of `storageProof`.
pub(super) struct StorageProof {
    /// The key, spelled as it was asked for.
    pub(super) key: String,
    pub(super) value: U256,
    pub(super) nodes: Vec<Bytes>,
}

impl View<'_> {
    /// The answer to `method`.
    pub(super) fn answer(&self, method: &str, params: Option<&Value>) -> Answer {
        let params = Params(params.and_then(Value::as_array).map_or(&[], Vec::as_slice));
        match method {
            "eth_chainId" => Ok(quantity(self.chain.network().chain_id()).into()),
            "eth_blockNumber" => Ok(quantity(self.tip).into()),
            "eth_getBlockByNumber" => {
                Ok(self.by_tag(params.text(0)?)?.map_or(Value::Null, |block| block.execution.json()))
            }
            "eth_getBlockByHash" => {
                Ok(self.by_hash(params.parse(0)?).map_or(Value::Null, |block| block.execution.json()))
            }
            "debug_getRawHeader" => {
                Ok(hex::encode_prefixed(self.block(params.get(0)?)?.execution.rlp()).into())
            }
            "eth_getBalance" => {
                let (_, account) = self.account(&params, 1)?;
                let zero = self.faults.iter().any(|fault| matches!(fault, Fault::ZeroBalance));
                let balance = account.filter(|_| !zero).map_or(U256::ZERO, |account| account.balance);
                Ok(format!("{balance:#x}").into())
            }
            "eth_getTransactionCount" => {
                Ok(quantity(self.account(&params, 1)?.1.map_or(0, |account| account.nonce)).into())
            }
            "eth_getStorageAt" => {
                let key = storage_key(params.text(1)?)?;
                let value = self.account(&params, 2)?.1.map_or(U256::ZERO, |account| account.storage_at(key));
                Ok(format!("{value:#066x}").into())
            }
            "eth_call" => self.call(&params),
            "eth_createAccessList" => self.access_list(&params),
            "eth_getCode" => self.get_code(&params),
            "eth_getProof" => self.get_proof(&params),
            _ => Err(Failure::new(-32601, &format!("the method {method} does not exist/is not available"))),
        }
    }

    fn get_code(&self, params: &Params<'_>) -> Answer {
        if self.faults.iter().any(|fault| matches!(fault, Fault::OtherCode)) {
            return Ok("0x00".into());
        }
        let account = self.account(params, 1)?.1.unwrap_or_default();
        if account.code.is_empty() && account.code_hash != KECCAK256_EMPTY {
            return Err(Failure::new(-32000, "the bytes of this code are not known"));
        }
        Ok(hex::encode_prefixed(&account.code).into())
    }

    fn get_proof(&self, params: &Params<'_>) -> Answer {
        if self.faults.iter().any(|fault| matches!(fault, Fault::NoProofs)) {
            return Err(Failure::new(-32601, "the method eth_getProof does not exist/is not available"));
        }
        let address: Address = params.parse(0)?;
        let keys = params.get(1)?.as_array().cloned().unwrap_or_default();
        let keys: Vec<&str> = keys.iter().filter_map(Value::as_str).collect();
        let block = self.block(params.get(2)?)?;
        let distance = self.tip.saturating_sub(block.execution.number);
        if self.proof_window.is_some_and(|window| distance > window) {
            return Err(Failure::new(-32602, "distance to target block exceeds maximum proof window"));
        }
        Ok(self.distort(prove(&block, address, &keys)?, &block, &keys)?.json())
    }

    /// The address in the first parameter, and its account at the block in parameter `place`.
    fn account(&self, params: &Params<'_>, place: usize) -> Result<(Address, Option<Account>), Failure> {
        let address = params.parse(0)?;
        let block = self.block(params.get(place)?)?;
        Ok((address, block.world.account(address).cloned()))
    }

    /// The block that a parameter names: by tag, number, hash, or an object with one of the two
    /// ([EIP-1898](https://eips.ethereum.org/EIPS/eip-1898)).
    pub(super) fn block(&self, name: &Value) -> Result<Arc<Block>, Failure> {
        let unknown = |message| Failure::new(-32000, message);
        let hash =
            name.get("blockHash").or(Some(name)).and_then(Value::as_str).filter(|text| text.len() == 66);
        let block = match hash {
            Some(hash) => self.by_hash(parse(hash)?).ok_or_else(|| unknown("header for hash not found"))?,
            None => {
                let tag = name.get("blockNumber").unwrap_or(name).as_str().ok_or_else(invalid)?;
                self.by_tag(tag)?.ok_or_else(|| unknown("header not found"))?
            }
        };
        let is_second = self.turn.checked_rem(2) == Some(0);
        let stale = self.faults.iter().find_map(|fault| match fault {
            Fault::StaleBlock(blocks) => Some(*blocks),
            Fault::MixedBlocks if is_second => Some(1),
            _ => None,
        });
        let older =
            stale.and_then(|blocks| self.chain.block_at(block.execution.number.saturating_sub(blocks)));
        Ok(older.unwrap_or(block))
    }

    fn by_tag(&self, tag: &str) -> Result<Option<Arc<Block>>, Failure> {
        let number = match tag {
            "latest" | "pending" => self.tip,
            "earliest" => 0,
            "finalized" | "safe" => {
                let tip = self.chain.block_at(self.tip).ok_or_else(invalid)?;
                let ledger = self.chain.ledger();
                ledger.finalized_by(&tip).told().number
            }
            number => {
                let digits = number.strip_prefix("0x").ok_or_else(invalid)?;
                u64::from_str_radix(digits, 16).map_err(|_| invalid())?
            }
        };
        Ok(self.chain.block_at(number).filter(|_| number <= self.tip))
    }

    fn by_hash(&self, hash: B256) -> Option<Arc<Block>> {
        self.chain.block_of_hash(hash).filter(|block| block.execution.number <= self.tip)
    }
}

/// The genuine proof of `address` and of `keys` in its storage.
pub(super) fn prove(block: &Block, address: Address, keys: &[&str]) -> Result<Proof, Failure> {
    let account = block.world.account(address);
    let storage = keys.iter().map(|key| {
        let hashed = storage_key(key)?;
        let nodes = account.map_or(Ok(Vec::new()), |account| account.prove(hashed)).map_err(missing)?;
        let value = account.map_or(U256::ZERO, |account| account.storage_at(hashed));
        Ok(StorageProof { key: (*key).to_owned(), value, nodes })
    });
    Ok(Proof {
        address,
        balance: account.map_or(U256::ZERO, |account| account.balance),
        nonce: account.map_or(0, |account| account.nonce),
        code_hash: account.map_or(KECCAK256_EMPTY, |account| account.code_hash),
        storage_root: account.map_or(EMPTY_ROOT, Account::storage_root),
        nodes: block.world.prove(address).map_err(missing)?,
        storage: storage.collect::<Result<_, _>>()?,
    })
}

impl Proof {
    fn json(&self) -> Value {
        let storage: Vec<Value> = self
            .storage
            .iter()
            .map(|entry| json!({ "key": entry.key, "value": entry.value, "proof": entry.nodes }))
            .collect();
        json!({
            "address": self.address,
            "accountProof": self.nodes,
            "balance": self.balance,
            "codeHash": self.code_hash,
            "nonce": quantity(self.nonce),
            "storageHash": self.storage_root,
            "storageProof": storage,
        })
    }
}

pub(super) fn missing(node: MissingNode) -> Failure {
    Failure::new(-32000, &format!("missing trie node {:x} (path ) state is not available", node.hash))
}

pub(super) fn invalid() -> Failure {
    Failure::new(-32602, "invalid argument")
}

pub(super) fn parse<T: FromStr>(text: &str) -> Result<T, Failure> {
    text.parse().map_err(|_| invalid())
}

/// A storage key: 32 bytes, or fewer with the leading zeros left out.
pub(super) fn storage_key(text: &str) -> Result<B256, Failure> {
    let digits = text.strip_prefix("0x").ok_or_else(invalid)?;
    U256::from_str_radix(digits, 16).map(B256::from).map_err(|_| invalid())
}

/// The parameters of a call.
pub(super) struct Params<'a>(&'a [Value]);

impl<'a> Params<'a> {
    pub(super) fn get(&self, place: usize) -> Result<&'a Value, Failure> {
        self.0
            .get(place)
            .ok_or_else(|| Failure::new(-32602, &format!("missing value for required argument {place}")))
    }

    fn text(&self, place: usize) -> Result<&'a str, Failure> {
        self.get(place)?.as_str().ok_or_else(invalid)
    }

    fn parse<T: FromStr>(&self, place: usize) -> Result<T, Failure> {
        parse(self.text(place)?)
    }
}
