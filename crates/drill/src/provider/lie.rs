//! The lies of an execution provider: about proofs, about results, and in the shape of the answer.

use alloy_primitives::{B256, Bytes, KECCAK256_EMPTY, U256};
use serde_json::{Value, json};

use super::method::{Proof, StorageProof, missing, prove, storage_key};
use super::{Failure, View};
use crate::block::Block;
use crate::fault::{Fault, Rule};
use crate::world::{Account, World};

impl View<'_> {
    /// The proof under all faults that concern proofs.
    pub(super) fn distort(&self, mut proof: Proof, block: &Block, keys: &[&str]) -> Result<Proof, Failure> {
        for fault in self.faults {
            match fault {
                Fault::ZeroBalance => proof.claim_nothing(),
                Fault::TruncatedProof { nodes } => {
                    proof.nodes.truncate(*nodes);
                    proof.claim_nothing();
                }
                Fault::ExtraNodes => {
                    // The last node again: a node of the right trie, in a place where none belongs.
                    proof.nodes.extend(proof.nodes.last().cloned());
                }
                Fault::FlippedByte { node, byte } => {
                    if let Some(bytes) = proof.nodes.get_mut(*node) {
                        let mut changed = bytes.to_vec();
                        changed.iter_mut().skip(*byte).take(1).for_each(|byte| *byte ^= 1);
                        *bytes = Bytes::from(changed);
                    }
                }
                Fault::OtherAccountsProof => {
                    if let Some(other) = block.world.stranger_to(proof.address) {
                        proof = Proof { address: proof.address, ..prove(block, other, keys)? };
                    }
                }
                Fault::OtherAccountEchoed => {
                    if let Some(other) = block.world.stranger_to(proof.address) {
                        proof = prove(block, other, keys)?;
                    }
                }
                Fault::InventedTrie { balance } => proof = self.invent(&proof, *balance)?,
                Fault::NoStorageProof => proof.storage.clear(),
                Fault::LeftOutSlot => drop(proof.storage.pop()),
                Fault::OtherSlotsProof => {
                    proof.claim_nothing();
                    let Some(account) = block.world.account(proof.address) else { continue };
                    for entry in &mut proof.storage {
                        let mut other = storage_key(&entry.key)?;
                        other.0.iter_mut().rev().take(1).for_each(|byte| *byte ^= 1);
                        entry.nodes = account.prove(other).map_err(missing)?;
                    }
                }
                Fault::TruncatedStorageProof { nodes } => {
                    proof.storage.iter_mut().for_each(|entry| entry.nodes.truncate(*nodes));
                    proof.claim_nothing();
                }
                Fault::ShortKeys => proof.storage.iter_mut().for_each(|entry| shorten(&mut entry.key)),
                _ => {}
            }
        }
        Ok(proof)
    }

    /// A flawless proof under a root of the provider's own making.
    fn invent(&self, proof: &Proof, balance: U256) -> Result<Proof, Failure> {
        let seed = self.chain.seed().child("invented").child(&self.turn.to_string());
        let mut account = Account::holding(balance);
        if proof.code_hash != KECCAK256_EMPTY {
            let words = proof.storage.iter().map(|entry| {
                let word = if is_pointer(entry.value) { entry.value } else { balance };
                storage_key(&entry.key).map(|key| (key, word))
            });
            account = Account::contract(proof.code_hash, &words.collect::<Result<Vec<_>, _>>()?);
        }
        let nodes = World::invented(seed, proof.address, &account).prove(proof.address).map_err(missing)?;
        let storage = proof.storage.iter().map(|entry| {
            let key = storage_key(&entry.key)?;
            let nodes = account.prove(key).map_err(missing)?;
            Ok(StorageProof { key: entry.key.clone(), value: account.storage_at(key), nodes })
        });
        Ok(Proof {
            address: proof.address,
            balance: account.balance,
            nonce: account.nonce,
            code_hash: account.code_hash,
            storage_root: account.storage_root(),
            nodes,
            storage: storage.collect::<Result<_, Failure>>()?,
        })
    }
}

/// Whether a word looks like the address of another contract, which is no small number.
fn is_pointer(word: U256) -> bool {
    (128..=160).contains(&word.bit_len())
}

impl Proof {
    /// Claims zero of everything, and leaves the nodes as they are.
    fn claim_nothing(&mut self) {
        self.balance = U256::ZERO;
        self.nonce = 0;
        self.code_hash = B256::ZERO;
        self.storage_root = B256::ZERO;
        for entry in &mut self.storage {
            entry.value = U256::ZERO;
        }
    }
}

fn shorten(key: &mut String) {
    let digits = key.trim_start_matches("0x").trim_start_matches('0');
    *key = format!("0x{}", if digits.is_empty() { "0" } else { digits });
}

/// The result under the faults that change single fields of it.
pub(crate) fn edit(mut result: Value, faults: &[&Fault]) -> Value {
    for fault in faults {
        if let Fault::Field { name, value } = fault {
            set(&mut result, name, value.clone());
        }
    }
    result
}

/// What is said instead of an answer, if something is.
pub(super) fn outcome(faults: &[&Fault]) -> Option<Result<Value, Failure>> {
    faults.iter().find_map(|fault| match fault {
        Fault::NullResult => Some(Ok(Value::Null)),
        Fault::Result(value) => Some(Ok(value.clone())),
        Fault::Error { code, message } => Some(Err(Failure::new(*code, message))),
        _ => None,
    })
}

/// Replaces the answers of a batch that are over the limit of all answers by errors, as geth does.
pub(super) fn limit(answers: &mut [Value], rules: &[Rule]) {
    let bytes = rules.iter().find_map(|rule| match rule.fault {
        Fault::ResponseLimit { bytes } => Some(bytes),
        _ => None,
    });
    let Some(bytes) = bytes.filter(|_| answers.len() > 1) else { return };
    let mut sent = 0_usize;
    for answer in answers {
        // The answer that reaches the limit is sent whole.
        if sent > bytes {
            set(answer, "result", None);
            set(answer, "error", Some(json!({ "code": -32_003, "message": "response too large" })));
        }
        sent = sent.saturating_add(answer.to_string().len());
    }
}

/// The body of the reply: one answer or a list of them, under the faults that concern ids and lists.
pub(crate) fn shape(mut answers: Vec<Value>, is_batch: bool, rules: &[Rule]) -> Value {
    let mut listed = is_batch;
    for rule in rules {
        let ids: Vec<Value> = answers.iter().map(|answer| answer["id"].clone()).collect();
        match rule.fault {
            Fault::WrongId => {
                for answer in &mut answers {
                    set(answer, "id", Some(json!("no such request")));
                }
            }
            Fault::MissingId => answers.iter_mut().for_each(|answer| set(answer, "id", None)),
            Fault::DuplicatedId => {
                answers.iter_mut().for_each(|answer| set(answer, "id", ids.first().cloned()));
            }
            Fault::SwappedBatch => {
                let others = ids.iter().cycle().skip(1);
                answers.iter_mut().zip(others).for_each(|(answer, id)| set(answer, "id", Some(id.clone())));
            }
            Fault::ReorderedBatch => answers.reverse(),
            Fault::PartialBatch if is_batch => {
                answers.pop();
            }
            Fault::ListForSingle => listed = true,
            _ => {}
        }
    }
    if listed { Value::Array(answers) } else { answers.pop().unwrap_or_default() }
}

pub(crate) fn set(object: &mut Value, field: &str, value: Option<Value>) {
    let Some(object) = object.as_object_mut() else { return };
    match value {
        Some(value) => object.insert(field.to_owned(), value),
        None => object.remove(field),
    };
}
