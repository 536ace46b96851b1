//! Evidence of a false proof, checked by a third person: that these bytes do not prove what was asked under that root.

use alloy_primitives::{Address, B256};
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{Account, ProofError, StateRoot, Verified, claimed_root};
use serde_json::Value;

/// A reply that is false as a proof of what was asked, under the state root that the evidence names.
///
/// [`FalseProof::verify`] alone makes it. It shows nothing about who sent the reply, and nothing about whether the chain has
/// a block with this root: [`FalseProof::CANNOT_SHOW`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FalseProof {
    address: Address,
    key: Option<B256>,
    number: u64,
    hash: B256,
    state_root: StateRoot,
    refusal: ProofError,
    other_root: Option<StateRoot>,
}

/// Why evidence shows nothing. The fault of the party that gave it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FalseProofError {
    /// The evidence is larger than any that is read.
    #[error("the evidence has {got} bytes, at most {limit} are read")]
    TooLarge {
        /// Bytes of the evidence.
        got: usize,
        /// [`FalseProof::MAX_BYTES`].
        limit: usize,
    },
    /// It is no JSON object of the schema `saldo.evidence/1`.
    #[error("the evidence is malformed: {what}")]
    Malformed {
        /// The member of the object.
        what: &'static str,
    },
    /// The request names another block than the evidence.
    #[error("the request names the block {got}, the evidence is about {expected}")]
    OtherBlock {
        /// The block of the request.
        got: B256,
        /// The block of the evidence.
        expected: B256,
    },
    /// The reply is a true proof under that root: it is evidence of nothing.
    #[error("the reply is a true proof under the state root {root}")]
    Genuine {
        /// The state root.
        root: StateRoot,
    },
}

impl FalseProof {
    /// The most bytes of evidence that are read. A client keeps replies of at most 256 KB.
    pub const MAX_BYTES: usize = 1 << 20;
    /// The most slots of one request.
    pub const MAX_KEYS: usize = 256;
    /// What no evidence can show, as sentences to print beside it.
    pub const CANNOT_SHOW: [&'static str; 2] = [
        "It does not show who sent the reply: replies are not signed, so anyone can write such a file.",
        "It does not show that a block of the chain has this state root. A proof file of the same block shows that.",
    ];

    /// Checks one JSON object of the schema `saldo.evidence/1`: that its reply does not prove what its request asked for, under its
    /// block's state root. The reason in the evidence is not believed; it is found again.
    ///
    /// # Errors
    /// [`FalseProofError`] if it is malformed, or the reply is a true proof.
    pub fn verify(json: &[u8]) -> Result<Self, FalseProofError> {
        if json.len() > Self::MAX_BYTES {
            return Err(FalseProofError::TooLarge { got: json.len(), limit: Self::MAX_BYTES });
        }
        let malformed = |what| move || FalseProofError::Malformed { what };
        let evidence: Value = serde_json::from_slice(json)
            .map_err(|_| FalseProofError::Malformed { what: "it is not JSON" })?;
        let member = |pointer: &str| evidence.pointer(pointer).cloned();
        if member("/request/method").as_ref().and_then(Value::as_str) != Some("eth_getProof") {
            return Err(FalseProofError::Malformed { what: "request.method" });
        }
        let address: Address = read(member("/request/params/0")).ok_or_else(malformed("request.params"))?;
        let keys: Vec<B256> = read(member("/request/params/1")).ok_or_else(malformed("request.params"))?;
        let asked: B256 =
            read(member("/request/params/2/blockHash")).ok_or_else(malformed("request.params"))?;
        let hash: B256 = read(member("/block/hash")).ok_or_else(malformed("block.hash"))?;
        let number: u64 = read(member("/block/number")).ok_or_else(malformed("block.number"))?;
        let root: B256 = read(member("/block/stateRoot")).ok_or_else(malformed("block.stateRoot"))?;
        let reply: AccountReply = read(member("/reply")).ok_or_else(malformed("reply"))?;
        if keys.len() > Self::MAX_KEYS {
            return Err(FalseProofError::Malformed { what: "request.params" });
        }
        if asked != hash {
            return Err(FalseProofError::OtherBlock { got: asked, expected: hash });
        }
        let state_root = StateRoot::new(root);
        let (key, refusal) = match reply.verify(state_root, address) {
            Err(refusal) => (None, refusal),
            Ok(account) => {
                first_false(&account, &keys, &reply).ok_or(FalseProofError::Genuine { root: state_root })?
            }
        };
        let other_root = claimed_root(&reply.account_proof)
            .ok()
            .filter(|claimed| *claimed != state_root && is_true(&reply, *claimed, address, &keys));
        Ok(Self { address, key, number, hash, state_root, refusal, other_root })
    }

    /// Returns the address that was asked about.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Returns the slot whose proof is false; `None` if the proof of the account is.
    pub const fn key(&self) -> Option<B256> {
        self.key
    }

    /// Returns the number of the block, as the evidence says it.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Returns the hash of the block, as the evidence says it.
    pub const fn hash(&self) -> B256 {
        self.hash
    }

    /// Returns the state root under which the reply is false. That the block has it is a claim of the evidence.
    pub const fn state_root(&self) -> StateRoot {
        self.state_root
    }

    /// Returns why the proof is refused.
    pub const fn refusal(&self) -> &ProofError {
        &self.refusal
    }

    /// Returns the other state root under which the reply is a complete proof, if there is one: it can be of another block or of
    /// another chain, or made up.
    pub const fn other_root(&self) -> Option<StateRoot> {
        self.other_root
    }
}

fn read<T: serde::de::DeserializeOwned>(value: Option<Value>) -> Option<T> {
    serde_json::from_value(value?).ok()
}

/// The first of `keys` whose proof is false. A slot that the reply leaves out is not proven, and no false proof either.
fn first_false(
    account: &Verified<Account>,
    keys: &[B256],
    reply: &AccountReply,
) -> Option<(Option<B256>, ProofError)> {
    keys.iter().find_map(|key| {
        let refusal = account.slot(*key, &reply.storage(*key)?.proof).err()?;
        Some((Some(*key), refusal))
    })
}

fn is_true(reply: &AccountReply, root: StateRoot, address: Address, keys: &[B256]) -> bool {
    reply.verify(root, address).is_ok_and(|account| first_false(&account, keys, reply).is_none())
}
