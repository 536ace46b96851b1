//! Fetching headers by their hash, which names no address, so that everybody may be asked.

use alloy_primitives::B256;
use futures_util::FutureExt;
use saldo_chain::{Anchor, ChainError, ExecutionHeader, HeaderError, Level};
use saldo_reading::{Attempt, Failure, Role};
use saldo_source::execution::{Question, ask, raw_header};
use saldo_source::{Answer, Deadline, Endpoint};
use serde_json::value::RawValue;

use crate::core::Core;
use crate::pending::PendingProof;

/// How far the newest head is linked to an older block.
pub(crate) enum Link {
    /// All the way, or further than [`Chain::MAX_ANCESTRY`](saldo_chain::Chain::MAX_ANCESTRY), which nobody goes.
    Whole,
    /// By some headers more than before.
    Longer,
    /// No further: nobody has the header, or it is not wanted any more.
    Broken { failed: Vec<Attempt> },
}

impl Core {
    /// Takes a header into the chain, if it is still wanted there: another read may have brought it, or a newer head.
    pub(crate) fn take(&self, header: &ExecutionHeader) -> bool {
        let is_attached = {
            let mut known = self.known();
            let attached = known.chain.attach(header).map(|_| ());
            if let Err(ChainError::ConsensusFault { .. }) = attached {
                known.stop();
            }
            attached.is_ok()
        };
        // What was attached may exclude what was proven before.
        self.follow();
        is_attached
    }

    /// Fetches the header of the newest head of the assurance `level`, if only its hash is known. A block's hash names no
    /// address, so everybody may be asked. Gives the attempts that brought none.
    pub(crate) async fn fetch_head(&self, level: Level, deadline: Deadline) -> Vec<Attempt> {
        let missing = self.known().chain.missing_head(level);
        let Some(hash) = missing else { return Vec::new() };
        let (header, failed) = self.fetch_header(hash, deadline).await;
        header.iter().for_each(|header| {
            self.take(header);
        });
        failed
    }

    /// Asks by waves for a header. Gives it, and who had none.
    pub(crate) async fn fetch_header(
        &self,
        hash: B256,
        deadline: Deadline,
    ) -> (Option<ExecutionHeader>, Vec<Attempt>) {
        let ask = |provider| {
            let header = self.header(provider, hash, deadline);
            header.map(|header| header.map_or_else(Answer::Failed, Answer::Accepted)).boxed()
        };
        let result = self.hedge(Role::Execution, "eth_getBlockByHash", deadline, ask).await;
        let header = result.winner.map(|(_, header)| header);
        let is_told = |attempt: &Attempt| header.is_none() || attempt.outcome.failure().is_some();
        let failed = result.attempts.into_iter().filter(is_told).collect();
        (header, failed)
    }

    /// Fetches the headers between the newest head and the blocks that `waiting` proofs can be of, newest first. Gives
    /// the attempts that brought none. A block's hash names no address, so everybody may be asked.
    pub(crate) async fn link(&self, waiting: &[PendingProof], deadline: Deadline) -> Vec<Attempt> {
        // One that came before there was any head is not looked for: its block may be anywhere.
        let Some(above) = waiting.iter().filter_map(|waiting| waiting.above).min() else { return Vec::new() };
        loop {
            let lowest = {
                let known = self.known();
                let newest = known.chain.newest(self.policy.assurance).map_or(0, Anchor::number);
                above.max(newest.saturating_sub(Self::LINK_DEPTH)).saturating_add(1)
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
        if self.known().chain.missing_parent(lowest).is_none() { Link::Whole } else { Link::Longer }
    }

    /// Fetches the next header that is missing between the newest head and the block number `lowest`.
    async fn link_once(&self, lowest: u64, deadline: Deadline) -> Link {
        let missing = self.known().chain.missing_parent(lowest);
        let Some((_, hash)) = missing else { return Link::Whole };
        let (header, failed) = self.fetch_header(hash, deadline).await;
        match header {
            Some(header) if self.take(&header) => Link::Longer,
            Some(_) => Link::Broken { failed: Vec::new() },
            None => Link::Broken { failed },
        }
    }

    pub(crate) async fn header(
        &self,
        provider: &Endpoint,
        hash: B256,
        deadline: Deadline,
    ) -> Result<ExecutionHeader, Failure> {
        let reads_json = self.capability(provider.id()).json_header;
        let question = if reads_json { Question::Block(hash) } else { Question::RawHeader(hash) };
        let reply = ask(self.dispatcher.io(), provider, &question, self.time_left(deadline)).await;
        self.read_header(provider, &question, reply, hash, deadline).await
    }

    /// Reads the reply to `question`: bytes as they are; JSON by the table of fields, and where that does not know the
    /// block's layout, the bytes are asked for.
    pub(crate) async fn read_header(
        &self,
        provider: &Endpoint,
        question: &Question,
        reply: Result<Box<RawValue>, Failure>,
        hash: B256,
        deadline: Deadline,
    ) -> Result<ExecutionHeader, Failure> {
        // A block that it does not have: so does an honest provider answer that is behind.
        let reply =
            reply.map_err(|failure| if failure == Failure::NoResult { Failure::NotSynced } else { failure });
        if let Question::RawHeader(_) = question {
            return Ok(ExecutionHeader::from_rlp(&raw_header(&reply?)?, hash)?);
        }
        match ExecutionHeader::from_json(reply?.get().as_bytes(), hash) {
            Err(HeaderError::UnknownLayout) => {
                let left = self.time_left(deadline);
                let bytes = ask(self.dispatcher.io(), provider, &Question::RawHeader(hash), left).await;
                // Whoever has no bytes is not to blame for a layout that is not known here.
                let bytes = bytes.map_err(|_| HeaderError::UnknownLayout)?;
                let header = ExecutionHeader::from_rlp(&raw_header(&bytes)?, hash)?;
                self.learn(provider.id(), |known| known.json_header = false);
                Ok(header)
            }
            outcome => Ok(outcome?),
        }
    }
}
