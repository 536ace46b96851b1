//! Links blocks to the heads: fetches the headers in between from providers and attaches them to the chain.

use std::time::Duration;

use saldo_chain::{ExecutionHeader, Level};
use saldo_reading::Attempt;
use saldo_source::Deadline;

use crate::inner::ClientInner;
use crate::proofs::{PendingProof, Proofs};

/// The result of linking the newest head to an older block.
pub(crate) enum Link {
    /// Linked down to the block, or [`Chain::MAX_ANCESTRY`](saldo_chain::Chain::MAX_ANCESTRY) headers deep,
    /// which is the limit.
    Whole,
    /// Linked by some headers more than before, but not down to the block.
    Longer,
    /// The next header is missing: no provider has it, or the chain no longer needs it.
    Broken { failed: Vec<Attempt> },
}

impl ClientInner {
    /// The extra time that a call spends on the header of a finalized head that it does not need itself.
    const FINALIZED_HEADER_WAIT: Duration = Duration::from_millis(1_500);

    /// Fetches the header of the newest head of the assurance `level`, if only its hash is known. A block hash
    /// names no address, so every provider may be asked. Returns the failed attempts.
    pub(crate) async fn fetch_head(&self, level: Level, deadline: Deadline) -> Vec<Attempt> {
        let Some(hash) = self.head.missing_head(level) else { return Vec::new() };
        let (header, failed) = self.proofs.fetch_header(hash, deadline).await;
        if let Some(header) = header {
            self.attach(&header);
        }
        failed
    }

    /// Fetches the headers between the newest head and the possible blocks of the `pending` proofs, newest
    /// first. Returns the failed attempts. A block hash names no address, so every provider may be asked.
    pub(crate) async fn link(&self, pending: &[PendingProof], deadline: Deadline) -> Vec<Attempt> {
        // A proof that came before there was a head is left out: its block may have any number.
        let Some(above) = pending.iter().filter_map(|proof| proof.above).min() else { return Vec::new() };
        loop {
            let lowest = {
                let newest = self.head.newest(self.env.policy.assurance).map_or(0, |head| head.number());
                above.max(newest.saturating_sub(Proofs::LINK_DEPTH)).saturating_add(1)
            };
            match self.link_once(lowest, deadline).await {
                Link::Longer => {}
                Link::Whole => return Vec::new(),
                Link::Broken { failed } => return failed,
            }
        }
    }

    /// Fetches up to `most` headers that are missing between the newest head and the block number `lowest`.
    pub(crate) async fn link_down_to(&self, lowest: u64, most: usize, deadline: Deadline) -> Link {
        for _ in 0..most {
            match self.link_once(lowest, deadline).await {
                Link::Longer => {}
                over => return over,
            }
        }
        if self.head.missing_parent(lowest).is_none() { Link::Whole } else { Link::Longer }
    }

    /// Fetches the next header that is missing between the newest head and the block number `lowest`.
    async fn link_once(&self, lowest: u64, deadline: Deadline) -> Link {
        let Some(hash) = self.head.missing_parent(lowest) else { return Link::Whole };
        let (header, failed) = self.proofs.fetch_header(hash, deadline).await;
        match header {
            Some(header) if self.attach(&header) => Link::Longer,
            Some(_) => Link::Broken { failed: Vec::new() },
            None => Link::Broken { failed },
        }
    }

    /// Fetches the header of a finalized head whose hash alone is known, before it is needed. With it the chain
    /// detects a head that contradicts finality, and signed readings below it become final.
    pub(crate) async fn learn_finalized_header(&self, deadline: Deadline) {
        if self.env.policy.assurance == Level::Finalized || self.head.untried_finalized_header().is_none() {
            return;
        }
        let until = Deadline::after(self.env.clock(), Self::FINALIZED_HEADER_WAIT);
        let _ = self.fetch_head(Level::Finalized, deadline.min(until)).await;
    }

    /// Fetches the headers between the finalized head and the block number `lowest`, newest first.
    pub(crate) async fn link_finalized(&self, lowest: u64, deadline: Deadline) {
        loop {
            let Some(hash) = self.head.missing_final_parent(lowest) else { return };
            let Some(header) = self.proofs.fetch_header(hash, deadline).await.0 else { return };
            if !self.attach(&header) {
                return;
            }
        }
    }

    /// Attaches a header to the chain, if it is still missing there, and reviews the records.
    fn attach(&self, header: &ExecutionHeader) -> bool {
        let is_attached = self.head.attach(header);
        self.readings.review();
        is_attached
    }
}
