//! How the plain reader proves the balance of a token: step by step at one block, without any guess.

use alloy_primitives::{Address, B256, Bytes, U256};
use saldo::Holding;
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{Account, Slot, StateRoot, Verified, claimed_root};
use saldo_token::{Obstacle, ProvenState, Query, VerifiedBalance};
use serde_json::{Value, json};

use super::ask::Worth;
use super::held::Head;
use super::{Found, LooseReader, Miss, Omission};
use crate::holding::{PLAIN, PROXY, PROXY_CODE};
use crate::token::{BLOCKED, POINTER, address_in, key_of};

/// The most steps: the token, the pointer, the implementation, its code, and the slots.
const STEPS: usize = 6;
const ZERO: Found = Found::Units(U256::ZERO, false);

/// Where one provider is asked for what: at this block, which has this state root.
#[derive(Clone)]
struct At {
    provider: usize,
    block: Value,
    root: StateRoot,
}

/// The proof of an account, and the reply with the proofs of its slots.
struct Proof {
    account: Verified<Account>,
    reply: AccountReply,
}

impl LooseReader {
    pub(super) async fn ask_token(
        &self,
        provider: usize,
        holding: Holding,
        (owner, token): (Address, Address),
        head: &Head,
    ) -> Result<Worth, Miss> {
        let at = At { provider, block: block_of(head), root: StateRoot::new(head.root) };
        match self.token_at(&at, owner, token).await {
            Ok(found) => return Ok(Worth::Proven(found, *head)),
            Err(Miss::Without) => {}
            Err(miss) => return Err(miss),
        }
        let block = json!("latest");
        let reply = self.reply(provider, &block, token, &[]).await?;
        let root = claimed_root(&reply.account_proof).map_err(|_| Miss::Failed)?;
        let found = self.token_at(&At { provider, block, root }, owner, token).await?;
        self.join_or_keep(holding, root.get(), found)
    }

    /// What the state says about the balance.
    async fn token_at(&self, at: &At, owner: Address, token: Address) -> Result<Found, Miss> {
        if self.has(Omission::BareSlot) {
            return Ok(Found::Units(self.word(at, token, key_of(token, owner)).await?, false));
        }
        if token == PROXY
            && let Some(code) = self.other_code(at).await?
        {
            let word = self.word(at, token, key_of(code, owner)).await?;
            return Ok(Found::Units(word & !BLOCKED, word & BLOCKED != U256::ZERO));
        }
        let Some(outcome) = self.balance(at, owner, token).await? else { return Ok(ZERO) };
        match outcome {
            Ok(balance) if self.has(Omission::Unmasked) && balance.is_blocked() => {
                Ok(Found::Units(balance.amount() | BLOCKED, true))
            }
            Ok(balance) => {
                let is_frozen = balance.is_blocked() && !self.has(Omission::NeverFrozen);
                Ok(Found::Units(balance.amount(), is_frozen))
            }
            Err(Obstacle::NotAToken(_)) if self.has(Omission::NotATokenIsZero) => Ok(ZERO),
            Err(Obstacle::NotAToken(_)) => Ok(Found::NoBalance("not_a_token")),
            Err(Obstacle::GuardFailed { .. }) if self.has(Omission::NoGuard) => {
                Ok(Found::Units(self.word(at, token, key_of(token, owner)).await?, false))
            }
            Err(Obstacle::Missing(_)) => Err(Miss::Failed),
            Err(_) if self.has(Omission::UnprovenIsZero) => Ok(ZERO),
            Err(_) => Ok(Found::NoBalance("token_layout_unproven")),
        }
    }

    /// The implementation of the proxy at another moment: when it was first read, or at the final block.
    async fn other_code(&self, at: &At) -> Result<Option<Address>, Miss> {
        let code = if self.has(Omission::OldImplementation) {
            let known = self.state().implementation;
            match known {
                Some(code) => code,
                None => {
                    let code = address_in(self.word(at, PROXY, POINTER).await?);
                    *self.state().implementation.get_or_insert(code)
                }
            }
        } else if self.has(Omission::TwoBlocks) {
            let Some(head) = self.state().heads.newest(true) else { return Ok(None) };
            let older = At { block: block_of(&head), root: StateRoot::new(head.root), ..at.clone() };
            address_in(self.word(&older, PROXY, POINTER).await?)
        } else {
            return Ok(None);
        };
        Ok([PLAIN, PROXY_CODE].contains(&code).then_some(code))
    }

    /// Asks for what is missing until there is a balance, or an obstacle; `None` where a slot without a proof passes for empty.
    async fn balance(
        &self,
        at: &At,
        owner: Address,
        token: Address,
    ) -> Result<Option<Result<VerifiedBalance, Obstacle>>, Miss> {
        let mut state = ProvenState::new(at.root);
        for _ in 0..STEPS {
            let query = match VerifiedBalance::from_slot(&state, token, owner) {
                Err(Obstacle::Missing(query)) => query,
                outcome => return Ok(Some(outcome)),
            };
            if !self.extend(at, &query, &mut state).await? {
                return Ok(None);
            }
        }
        Err(Miss::Failed)
    }

    /// Adds what `query` asks for to `state`. False if a slot has no proof, and that passes for empty.
    async fn extend(&self, at: &At, query: &Query, state: &mut ProvenState) -> Result<bool, Miss> {
        for (address, keys) in query.slots() {
            let keys: Vec<B256> = keys.iter().copied().collect();
            let proof = self.proof(at, *address, &keys).await?;
            state.add_account(&proof.account).map_err(|_| Miss::Failed)?;
            for key in keys {
                match proof.slot(key) {
                    Ok(slot) => state.add_slot(&slot).map_err(|_| Miss::Failed)?,
                    Err(is_there) => {
                        let passes = if is_there { Omission::CutSlotIsZero } else { Omission::LeftOutIsZero };
                        return if self.has(passes) { Ok(false) } else { Err(Miss::Failed) };
                    }
                }
            }
        }
        for address in query.codes() {
            let code = self.wire.call(at.provider, "eth_getCode", json!([address, at.block])).await?;
            let code = code.as_str().and_then(|text| text.parse::<Bytes>().ok());
            state.add_code(code.ok_or(Miss::Failed)?);
        }
        Ok(true)
    }

    /// The proven word in a slot.
    async fn word(&self, at: &At, address: Address, key: B256) -> Result<U256, Miss> {
        let proof = self.proof(at, address, &[key]).await?;
        match proof.slot(key).map_err(|_| Miss::Failed)?.leaf() {
            Slot::Present(word) => Ok(*word),
            Slot::Absent => Ok(U256::ZERO),
        }
    }

    async fn proof(&self, at: &At, address: Address, keys: &[B256]) -> Result<Proof, Miss> {
        let reply = self.reply(at.provider, &at.block, address, keys).await?;
        let account = reply.verify(at.root, address).map_err(|_| Miss::Failed)?;
        Ok(Proof { account, reply })
    }

    async fn reply(
        &self,
        provider: usize,
        block: &Value,
        address: Address,
        keys: &[B256],
    ) -> Result<AccountReply, Miss> {
        let reply = self.wire.call(provider, "eth_getProof", json!([address, keys, block])).await?;
        serde_json::from_value(reply).map_err(|_| Miss::Failed)
    }
}

impl Proof {
    /// The verified slot; else whether the reply has an entry for it.
    fn slot(&self, key: B256) -> Result<Verified<Slot>, bool> {
        let entry = self.reply.storage(key).ok_or(false)?;
        self.account.slot(key, &entry.proof).map_err(|_| true)
    }
}

fn block_of(head: &Head) -> Value {
    json!(format!("{:#x}", head.block.number))
}
