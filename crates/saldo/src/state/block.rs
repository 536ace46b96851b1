//! Finds the block that a caller names.

use alloy_primitives::B256;
use saldo_chain::{Anchor, Chain, HISTORY_CONTRACT, Level, history_key};
use saldo_proof::Slot;
use saldo_reading::Why;
use saldo_source::Deadline;

use super::found::FoundBlock;
use super::proven::NotProven;
use crate::head::Synced;
use crate::inner::ClientInner;
use crate::proofs::AccountNeed;

/// Names a block, as JSON-RPC does. There is no `pending`: what is not in a block cannot be proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlockId {
    /// The newest block of the assurance that the client's policy asks for: by default one that the sync committee signed.
    Latest,
    /// The newest finalized block.
    Finalized,
    /// The block of this number, at most 64 blocks below the newest one.
    Number(u64),
    /// The block with this hash, at most 64 blocks below the newest one.
    Hash(B256),
}

impl ClientInner {
    /// From how many missing headers on the history contract is asked in their place.
    const FEW_HEADERS: u64 = 2;

    /// Finds the block that `id` names. It is never another block than that.
    pub(crate) async fn find_block(&self, id: BlockId, deadline: Deadline) -> Result<FoundBlock, NotProven> {
        let generation = self.head.generation();
        let least = self.env.policy.assurance;
        let found = |anchor, level, Synced { attempts, problem }: Synced| FoundBlock {
            anchor,
            generation,
            level,
            attempts,
            problem,
        };
        let known = match id {
            BlockId::Latest => {
                self.head.newest(least).filter(|head| self.env.is_young(head, self.head.now()))
            }
            BlockId::Finalized => None,
            BlockId::Number(number) => self.ancestor(number, least),
            BlockId::Hash(hash) => self.ancestor_with(hash, least),
        };
        // A newer head can have another block in its place, unless it is final.
        let is_final = |block: &Anchor| block.assurance().level().is_strongest();
        let counts =
            |block: &Anchor| self.head.head_is_newest() || (id != BlockId::Latest && is_final(block));
        if let Some(anchor) = known.filter(|block| counts(block) && !self.head.is_faulted()) {
            return Ok(found(anchor, least, Synced::default()));
        }
        let mut synced = self.sync(deadline).await;
        // A rollup has no finality of its own: L1 says which level its blocks have.
        if id == BlockId::Finalized && synced.problem.is_none() && !self.head.is_of_rollup() {
            synced.attempts.extend(self.head.learn_finality(deadline).await);
            synced.problem = self.head.why_finality_is_late();
            self.follow();
        }
        let level = if id == BlockId::Finalized { least.strongest() } else { least };
        synced.attempts.extend(self.fetch_head(level, deadline).await);
        if self.head.is_faulted() {
            return Err(NotProven::new(Why::ConsensusFault, synced.attempts));
        }
        let head = self.head.newest(level);
        let is_young = |head: &Anchor| {
            let (now, policy) = (self.head.now(), self.env.policy_at(level));
            now.age_of(head.timestamp()).is_some_and(|age| now.allows(age, &policy))
        };
        let names_newest = matches!(id, BlockId::Latest | BlockId::Finalized);
        let Some(head) = head.filter(|head| !names_newest || is_young(head)) else {
            return Err(NotProven::new(self.why_no_head(&synced, level), synced.attempts));
        };
        let anchor = match id {
            BlockId::Latest | BlockId::Finalized => Ok(head),
            BlockId::Number(_) | BlockId::Hash(_) if self.head.is_of_rollup() => {
                self.held_block(&head, id, level)
            }
            BlockId::Number(number) => self.below(&head, number, level, deadline).await,
            BlockId::Hash(hash) => self.with_hash(&head, hash, level, deadline).await,
        };
        match anchor {
            Ok(anchor) => Ok(found(anchor, level, synced)),
            Err(why) => Err(NotProven::new(why, synced.attempts)),
        }
    }

    /// Why there is no newest block of that level, or only one that is too old.
    fn why_no_head(&self, synced: &Synced, level: Level) -> Why {
        match &self.rollup {
            Some(rollup) => rollup.why_not_vouched(synced),
            None => self.why_of(synced, self.head.newest(level).as_ref(), &[], false),
        }
    }

    /// The block of that `number`, if the newest head is known to descend from it, and its assurance is at least `level`.
    fn ancestor(&self, number: u64, level: Level) -> Option<Anchor> {
        self.head.ancestor(number).filter(|anchor| anchor.assurance().level() >= level)
    }

    /// The same for the block with that `hash`.
    fn ancestor_with(&self, hash: B256, level: Level) -> Option<Anchor> {
        let number = self.head.anchor_at_hash(hash)?.number();
        self.ancestor(number, level).filter(|anchor| anchor.hash() == hash)
    }

    /// The block of a rollup that `id` names, if L1 vouches for it: for the claimed blocks, and for those that a proof was linked with. No
    /// header is linked for it, because two games may claim blocks that exclude each other.
    fn held_block(&self, head: &Anchor, id: BlockId, level: Level) -> Result<Anchor, Why> {
        let held = match id {
            BlockId::Number(number) if number > head.number() => return Err(Why::NotVouchedYet),
            BlockId::Number(number) => self.head.held_at(number),
            BlockId::Hash(hash) => self.head.anchor_at_hash(hash),
            BlockId::Latest | BlockId::Finalized => Some(head.clone()),
        };
        held.filter(|held| held.assurance().level() >= level).ok_or(Why::ProofWindowMissed)
    }

    /// The block of that `number`, at or below `head`, which is the newest one of the assurance `level`.
    async fn below(
        &self,
        head: &Anchor,
        number: u64,
        level: Level,
        deadline: Deadline,
    ) -> Result<Anchor, Why> {
        let known = || self.ancestor(number, level);
        if let Some(known) = known() {
            return Ok(known);
        }
        let Some(depth) = head.number().checked_sub(number) else { return Err(Why::UnsignedTip) };
        if depth > Chain::MAX_ANCESTRY {
            return Err(Why::ProofWindowMissed);
        }
        let few = usize::try_from(Self::FEW_HEADERS).unwrap_or(usize::MAX);
        let _ = self.link_down_to(number, few, deadline).await;
        if known().is_none() {
            let until = self.env.half(deadline);
            self.recall(head, number, until).await;
        }
        if known().is_none() {
            let most = usize::try_from(Chain::MAX_ANCESTRY).unwrap_or(usize::MAX);
            let _ = self.link_down_to(number, most, deadline).await;
        }
        known().ok_or(Why::ProofWindowMissed)
    }

    /// Takes the block of that `number` by the record of the history contract under `head` (EIP-2935): one proof and one header.
    async fn recall(&self, head: &Anchor, number: u64, deadline: Deadline) {
        let key = history_key(number);
        let need = AccountNeed { address: HISTORY_CONTRACT, keys: [key].into(), code: false };
        let level = head.assurance().level();
        let mut results = self.proofs.prove_accounts(&[need], head, level, deadline).await;
        let Some((_, facts)) = results.pop().and_then(|hedged| hedged.winner) else { return };
        let Some(slot) = facts.slots.get(&key) else { return };
        let Slot::Present(word) = slot.slot.leaf() else { return };
        let Some(header) = self.proofs.fetch_header(B256::from(*word), deadline).await.0 else { return };
        self.head.attach_history(head, &facts.account, &slot.slot, &header);
    }

    /// The block with that `hash`, at or below `head`.
    async fn with_hash(
        &self,
        head: &Anchor,
        hash: B256,
        level: Level,
        deadline: Deadline,
    ) -> Result<Anchor, Why> {
        let number = match self.head.anchor_at_hash(hash) {
            Some(known) => known.number(),
            // The bytes hash to it, so the number in them is that of the block.
            None => {
                let header = self.proofs.fetch_header(hash, deadline).await.0;
                header.ok_or(Why::ProofWindowMissed)?.number()
            }
        };
        let block = self.below(head, number, level, deadline).await?;
        if block.hash() == hash { Ok(block) } else { Err(Why::BlockWithdrawn) }
    }
}
