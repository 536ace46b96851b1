//! Fetches headers of execution blocks by their hash. A hash names no address, so every provider may be asked.

use alloy_primitives::B256;
use futures_util::FutureExt;
use saldo_chain::{Body, ExecutionHeader, HeaderError};
use saldo_reading::{Attempt, Failure, Role};
use saldo_source::execution::{Question, ask, raw_header};
use saldo_source::{Answer, Deadline, Endpoint, IntoBoxed};
use serde_json::value::RawValue;

use super::Proofs;

impl Proofs {
    /// Requests a header in hedged requests. Returns it, and the failed attempts.
    pub(crate) async fn fetch_header(
        &self,
        hash: B256,
        deadline: Deadline,
    ) -> (Option<ExecutionHeader>, Vec<Attempt>) {
        let ask = |provider| {
            let header = self.header(provider, hash, deadline);
            header.map(|header| header.map_or_else(Answer::Failed, Answer::Accepted)).into_boxed()
        };
        let result = self.env.hedge(Role::Execution, "eth_getBlockByHash", deadline, ask).await;
        let header = result.winner.map(|(_, header)| header);
        let is_listed = |attempt: &Attempt| header.is_none() || attempt.outcome.failure().is_some();
        let failed = result.attempts.into_iter().filter(is_listed).collect();
        (header, failed)
    }

    /// Requests the body of the block of `header` in hedged requests. Returns it, and the failed attempts.
    pub(crate) async fn fetch_body(
        &self,
        hash: B256,
        header: &ExecutionHeader,
        deadline: Deadline,
    ) -> (Option<Body>, Vec<Attempt>) {
        let ask = |provider| {
            let body = self.body(provider, hash, header, deadline);
            body.map(|body| body.map_or_else(Answer::Failed, Answer::Accepted)).into_boxed()
        };
        // A name of its own: such a reply takes longer than that of a header.
        let result = self.env.hedge(Role::Execution, "eth_getBlockByHash, full", deadline, ask).await;
        (result.winner.map(|(_, body)| body), result.attempts)
    }

    async fn body(
        &self,
        provider: &Endpoint,
        hash: B256,
        header: &ExecutionHeader,
        deadline: Deadline,
    ) -> Result<Body, Failure> {
        let question = Question::FullBlock(hash);
        let left = self.env.time_left(deadline);
        let reply = ask(self.env.dispatcher.io(), provider, &question, left).await;
        let reply = reply.map_err(not_synced)?;
        Ok(Body::from_json(reply.get().as_bytes(), header)?)
    }

    pub(super) async fn header(
        &self,
        provider: &Endpoint,
        hash: B256,
        deadline: Deadline,
    ) -> Result<ExecutionHeader, Failure> {
        let reads_json = self.capability(provider.id()).json_header;
        let question = if reads_json { Question::Block(hash) } else { Question::RawHeader(hash) };
        let reply = ask(self.env.dispatcher.io(), provider, &question, self.env.time_left(deadline)).await;
        self.read_header(provider, &question, reply, hash, deadline).await
    }

    /// Reads the reply to `question`. Bytes are read as they are, and JSON by the table of fields. If the table
    /// does not know the block's layout, the bytes are requested.
    pub(super) async fn read_header(
        &self,
        provider: &Endpoint,
        question: &Question,
        reply: Result<Box<RawValue>, Failure>,
        hash: B256,
        deadline: Deadline,
    ) -> Result<ExecutionHeader, Failure> {
        let reply = reply.map_err(not_synced);
        if let Question::RawHeader(_) = question {
            return Ok(ExecutionHeader::from_rlp(&raw_header(&reply?)?, hash)?);
        }
        match ExecutionHeader::from_json(reply?.get().as_bytes(), hash) {
            Err(HeaderError::UnknownLayout) => {
                let left = self.env.time_left(deadline);
                let bytes = ask(self.env.dispatcher.io(), provider, &Question::RawHeader(hash), left).await;
                // A provider without the bytes is not at fault for a layout that is not known here.
                let bytes = bytes.map_err(|_| HeaderError::UnknownLayout)?;
                let header = ExecutionHeader::from_rlp(&raw_header(&bytes)?, hash)?;
                self.learn(provider.id(), |known| known.json_header = false);
                Ok(header)
            }
            outcome => Ok(outcome?),
        }
    }
}

/// The provider does not have the block. An honest provider that is behind answers the same.
pub(super) fn not_synced(failure: Failure) -> Failure {
    if failure == Failure::NoResult { Failure::NotSynced } else { failure }
}
