//! Linking blocks to the heads: fetching the headers in between from providers, and bringing them to the chain.

use std::time::Duration;

use saldo_chain::{ExecutionHeader, Level};
use saldo_reading::Attempt;
use saldo_source::Deadline;

use crate::inner::ClientInner;
use crate::proofs::{PendingProof, Proofs};

/// How far the newest head is linked to an older block.
pub(crate) enum Link {
    /// All the way, or further than [`Chain::MAX_ANCESTRY`](saldo_chain::Chain::MAX_ANCESTRY), which nobody goes.
    Whole,
    /// By some headers more than before.
    Longer,
    /// No further: nobody has the header, or it is not wanted any more.
    Broken { failed: Vec<Attempt> },
}

impl ClientInner {
    /// How much longer a call may take for the header of a finalized head that it does not need itself.
    const FINALIZED_HEADER_PATIENCE: Duration = Duration::from_millis(1_500);

    /// Fetches the header of the newest head of the assurance `level`, if only its hash is known. A block's hash names no
    /// address, so everybody may be asked. Gives the attempts that brought none.
    pub(crate) async fn fetch_head(&self, level: Level, deadline: Deadline) -> Vec<Attempt> {
        let Some(hash) = self.head.missing_head(level) else { return Vec::new() };
        let (header, failed) = self.proofs.fetch_header(hash, deadline).await;
        if let Some(header) = header {
            self.take(&header);
        }
        failed
    }

    /// Fetches the headers between the newest head and the blocks that `waiting` proofs can be of, newest first. Gives
    /// the attempts that brought none. A block's hash names no address, so everybody may be asked.
    pub(crate) async fn link(&self, waiting: &[PendingProof], deadline: Deadline) -> Vec<Attempt> {
        // One that came before there was any head is not looked for: its block may be anywhere.
        let Some(above) = waiting.iter().filter_map(|waiting| waiting.above).min() else { return Vec::new() };
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
            Some(header) if self.take(&header) => Link::Longer,
            Some(_) => Link::Broken { failed: Vec::new() },
            None => Link::Broken { failed },
        }
    }

    /// Fetches the header of a finalized head that is known by hash alone, when it is not needed yet: with it the chain
    /// notices a head that contradicts finality, and what was proven below becomes final.
    pub(crate) async fn learn_finalized_header(&self, deadline: Deadline) {
        if self.env.policy.assurance == Level::Finalized || self.head.untried_finalized_header().is_none() {
            return;
        }
        let patience = Deadline::after(self.env.clock(), Self::FINALIZED_HEADER_PATIENCE);
        let _ = self.fetch_head(Level::Finalized, deadline.min(patience)).await;
    }

    /// Fetches the headers between the finalized head and the block number `lowest`, newest first.
    pub(crate) async fn link_finalized(&self, lowest: u64, deadline: Deadline) {
        loop {
            let Some(hash) = self.head.missing_final_parent(lowest) else { return };
            let Some(header) = self.proofs.fetch_header(hash, deadline).await.0 else { return };
            if !self.take(&header) {
                return;
            }
        }
    }

    /// Takes a header into the chain, if it is still missing there, and holds the records against it.
    fn take(&self, header: &ExecutionHeader) -> bool {
        let is_attached = self.head.attach(header);
        self.readings.review();
        is_attached
    }
}
