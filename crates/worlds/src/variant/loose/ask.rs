//! How the plain reader asks its providers: one, then the next if it failed or is slow.

use std::collections::BTreeMap;
use std::time::Duration;

use alloy_primitives::{Address, B256, U256};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, join_all, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use saldo::Holding;
use saldo_chain::ExecutionHeader;
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{Account, StateRoot, Verified, claimed_root, verify_account};
use serde_json::{Value, json};

use super::held::Head;
use super::{Found, LooseReader, Miss, Omission};
use crate::holding::of_token;
use crate::wallet::ShownBlock;

/// The outcome of an answer.
pub(super) enum Worth {
    /// What is proven at that block.
    Proven(Found, Head),
    /// A proof under a root that is not signed.
    Pending,
}

/// The hedge delay.
const HEDGE: Duration = Duration::from_millis(400);
/// Number of strikes before quarantine.
const STRIKES: u64 = 2;

impl LooseReader {
    /// Asks for a proof at `head` until one arrives.
    pub(super) async fn prove(&self, holding: Holding, head: &Head) -> Option<(Found, Head)> {
        if self.has(Omission::ErrorsAreVotes) && of_token(&holding).is_none() {
            let (wei, head) = self.vote(holding.owner(), head).await?;
            return Some((Found::Units(wei, false), head));
        }
        let mut waiting = self.order().into_iter();
        let mut running: FuturesUnordered<BoxFuture<'_, (usize, Result<Worth, Miss>)>> =
            FuturesUnordered::new();
        let mut is_due = true;
        loop {
            if is_due && let Some(provider) = waiting.next() {
                let ask = self.ask(provider, holding, head);
                running.push(ask.map(move |answer| (provider, answer)).boxed());
            }
            if running.is_empty() {
                return None;
            }
            let wait = match self.has(Omission::NeverHedges) || waiting.len() == 0 {
                true => std::future::pending().boxed(),
                false => self.wire.sleep(HEDGE),
            };
            match select(running.next(), wait).await {
                Either::Left((Some((provider, answer)), _)) => {
                    self.note(provider, &answer);
                    match answer {
                        Ok(Worth::Proven(found, head)) => return Some((found, head)),
                        Ok(Worth::Pending) if self.has(Omission::PendingEndsRead) => return None,
                        Err(miss) if miss != Miss::Offline && self.has(Omission::RetryStorm) => {
                            let ask = self.ask(provider, holding, head);
                            running.push(ask.map(move |answer| (provider, answer)).boxed());
                        }
                        _ => {}
                    }
                    is_due = true;
                }
                Either::Left((None, _)) | Either::Right(_) => is_due = true,
            }
        }
    }

    /// The providers in the order of asking.
    fn order(&self) -> Vec<usize> {
        let skipped = usize::from(self.has(Omission::LastNeverAsked) && self.providers > 1);
        let shut_out = self.state().shut_out.clone();
        (0..self.providers.saturating_sub(skipped)).filter(|provider| !shut_out.contains(provider)).collect()
    }

    /// Counts a failure as a strike if it is the provider's fault.
    fn note(&self, provider: usize, answer: &Result<Worth, Miss>) {
        let most = match (self.omission, answer) {
            (Some(Omission::StrikesForLag), Err(Miss::Without) | Ok(Worth::Pending)) => STRIKES,
            (Some(Omission::BreakerStays), Err(_)) => 1,
            (Some(Omission::OfflinePunishes), Err(Miss::Offline)) => 1,
            _ => return,
        };
        let mut state = self.state();
        let strikes = state.strikes.entry(provider).or_default();
        *strikes = strikes.saturating_add(1);
        if *strikes >= most {
            state.shut_out.insert(provider);
        }
    }

    async fn ask(&self, provider: usize, holding: Holding, head: &Head) -> Result<Worth, Miss> {
        match of_token(&holding) {
            Some((owner, token)) => self.ask_token(provider, holding, (owner, token), head).await,
            None => self.ask_native(provider, holding, head).await,
        }
    }

    async fn ask_native(&self, provider: usize, holding: Holding, head: &Head) -> Result<Worth, Miss> {
        let owner = holding.owner();
        if self.has(Omission::ProvidersHeader) {
            return self.ask_with_header(provider, owner).await;
        }
        let number = format!("{:#x}", head.block.number);
        let missed = match self.wire.call(provider, "eth_getProof", json!([owner, [], number])).await {
            Ok(reply) => return self.weigh(&reply, owner, head),
            Err(Miss::Without) => Miss::Without,
            Err(miss) => return Err(miss),
        };
        let older = self.state().heads.newest(true).filter(|_| self.has(Omission::OldBlock));
        if let Some(older) = older {
            let number = format!("{:#x}", older.block.number);
            let reply = self.wire.call(provider, "eth_getProof", json!([owner, [], number])).await?;
            return self.weigh(&reply, owner, &older);
        }
        let reply = self.wire.call(provider, "eth_getProof", json!([owner, [], "latest"])).await?;
        let reply: AccountReply = serde_json::from_value(reply).map_err(|_| missed)?;
        let root = claimed_root(&reply.account_proof).map_err(|_| missed)?;
        let account = verify_account(root, owner, &reply.account_proof).map_err(|_| missed)?;
        if self.has(Omission::UnsignedTip) {
            return Ok(Worth::Proven(balance(&account), *head));
        }
        self.join_or_keep(holding, root.get(), balance(&account))
    }

    /// The outcome of a proof under `root`: it is of a signed block, or it is kept.
    pub(super) fn join_or_keep(&self, holding: Holding, root: B256, found: Found) -> Result<Worth, Miss> {
        let known = self.state().heads.of_root(root);
        match known.filter(|known| !self.wants_final || known.block.finalized) {
            Some(known) if self.is_current(holding, &known) => Ok(Worth::Proven(found, known)),
            Some(_) => Err(Miss::Without),
            None => {
                let mut state = self.state();
                let pending = state.pending.entry(holding).or_default();
                pending.push((root, found));
                if pending.len() > 24 {
                    pending.remove(0);
                }
                Ok(Worth::Pending)
            }
        }
    }

    /// The outcome of a reply about `head`.
    fn weigh(&self, reply: &Value, owner: Address, head: &Head) -> Result<Worth, Miss> {
        if self.has(Omission::FirstReply) {
            let balance = reply.get("balance").and_then(Value::as_str).and_then(|text| text.parse().ok());
            return balance.map(|wei| Worth::Proven(Found::Units(wei, false), *head)).ok_or(Miss::Failed);
        }
        let reply: AccountReply = serde_json::from_value(reply.clone()).map_err(|_| Miss::Failed)?;
        let subject = if self.has(Omission::EchoedAddress) { reply.address.unwrap_or(owner) } else { owner };
        match verify_account(StateRoot::new(head.root), subject, &reply.account_proof) {
            Ok(account) => Ok(Worth::Proven(balance(&account), *head)),
            Err(_) if self.has(Omission::TruncatedIsZero) && reply.account_proof.len() < 2 => {
                Ok(Worth::Proven(Found::Units(U256::ZERO, false), *head))
            }
            Err(_) => Err(Miss::Failed),
        }
    }

    /// Believes the block that the provider calls its newest.
    async fn ask_with_header(&self, provider: usize, owner: Address) -> Result<Worth, Miss> {
        let block = self.wire.call(provider, "eth_getBlockByNumber", json!(["latest", false])).await?;
        let hash = block.get("hash").and_then(Value::as_str).and_then(|text| text.parse().ok());
        let hash = hash.ok_or(Miss::Failed)?;
        let text = block.to_string();
        let header = ExecutionHeader::from_json(text.as_bytes(), hash).map_err(|_| Miss::Failed)?;
        let number = format!("{:#x}", header.number());
        let reply = self.wire.call(provider, "eth_getProof", json!([owner, [], number])).await?;
        let slot = self.network.slot_at(header.timestamp()).ok_or(Miss::Failed)?;
        let (number, time) = (header.number(), header.timestamp());
        let block = ShownBlock { number, hash, time, finalized: false };
        let (root, parent) = (header.state_root().get(), header.parent_hash());
        self.weigh(&reply, owner, &Head { slot, root, parent, block })
    }

    /// The answer of the majority, where a failure counts as zero.
    async fn vote(&self, owner: Address, head: &Head) -> Option<(U256, Head)> {
        let number = format!("{:#x}", head.block.number);
        let each = (0..self.providers).map(|provider| {
            let asked = self.wire.call(provider, "eth_getBalance", json!([owner, number]));
            async {
                match select(asked.boxed(), self.wire.sleep(Duration::from_millis(1_500))).await {
                    Either::Left((Ok(reply), _)) => reply.as_str().and_then(|text| text.parse().ok()),
                    _ => None,
                }
            }
        });
        let mut votes = BTreeMap::<U256, usize>::new();
        for vote in join_all(each).await {
            let count = votes.entry(vote.unwrap_or_default()).or_default();
            *count = count.saturating_add(1);
        }
        votes.into_iter().max_by_key(|(_, count)| *count).map(|(wei, _)| (wei, *head))
    }

    /// Joins a pending proof with the newest head, if it is of that block.
    pub(super) fn join_pending(&self, holding: Holding) -> bool {
        let Some(head) = self.head() else { return false };
        let pending = self.state().pending.get(&holding).cloned().unwrap_or_default();
        let found = pending.iter().find(|(root, _)| *root == head.root);
        let joined = found.is_some_and(|(_, found)| self.offer(holding, *found, &head));
        if joined {
            self.state().pending.remove(&holding);
        }
        joined
    }

    /// Whether a block is young enough, and not older than the record of the holding.
    fn is_current(&self, holding: Holding, head: &Head) -> bool {
        let held = self.state().held.get(&holding).and_then(super::Held::newest);
        self.has(Omission::OldBlock)
            || self.is_young(head) && held.is_none_or(|held| held.block.number <= head.block.number)
    }
}

fn balance(account: &Verified<Account>) -> Found {
    match account.leaf() {
        Account::Present(state) => Found::Units(state.balance, false),
        Account::Absent => Found::Units(U256::ZERO, false),
    }
}
