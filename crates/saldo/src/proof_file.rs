//! Makes a file of proven readings, which another person checks offline.

use alloy_primitives::Bytes;
use saldo_beacon::{Execution, LightClient, LightClientUpdate, SignedUpdate};
use saldo_chain::{Anchor, Chain};
use saldo_proof_file::{
    BalanceProof, Committee, FileError, Form, Trust, TrustRoot, VerifiedProofFile, verify,
};
use saldo_reading::{Attempt, NetworkId, Proven};
use saldo_source::Deadline;

use crate::inner::ClientInner;

/// Why no file can be made of a reading now.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProofFileError {
    /// No reading was given. The caller's fault.
    #[error("no reading was given")]
    Nothing,
    /// The readings are of different blocks. The caller's fault: read all of them in one call.
    #[error("the readings are of different blocks")]
    DifferentBlocks,
    /// A reading is of another network. The caller's fault.
    #[error("a reading is of {got}, this client reads {expected}")]
    OtherNetwork {
        /// The network of the reading.
        got: NetworkId,
        /// The network of the client.
        expected: NetworkId,
    },
    /// The readings are of a rollup. What L1 vouches for is not written to files.
    #[error("proofs of a rollup are not written to files")]
    Rollup,
    /// The client knows no signed head yet. Read something first.
    #[error("the client knows no signed head yet")]
    NoHead,
    /// The block is further below the newest signed and the newest final block than headers are followed. Read again.
    #[error("the block is more than {} blocks below the newest signed one", Chain::MAX_ANCESTRY)]
    TooDeep,
    /// The chain of the newest signed head does not have the block any more. Read again.
    #[error("the block is no longer of the chain")]
    Withdrawn,
    /// The committee that signed the head is no longer known. Read again.
    #[error("the committee that signed the head is no longer known")]
    CommitteeUnknown,
    /// No provider gave a header between the head and the block.
    #[error("no provider gave the headers between the signed block and this one")]
    Headers {
        /// The requests, and the outcome of each.
        attempts: Vec<Attempt>,
    },
    /// No source gave the bootstrap of the client's checkpoint and the updates since.
    #[error("no source gave the light-client data of the checkpoint")]
    LightClientData {
        /// The requests, and the outcome of each.
        attempts: Vec<Attempt>,
    },
    /// No provider that knows of the addresses gave the proofs again. Providers prove only newer blocks: read again.
    #[error("no provider that knows of the addresses gave their proofs at this block again")]
    Proofs {
        /// The requests, and the outcome of each.
        attempts: Vec<Attempt>,
    },
    /// The file does not verify, or says something else than the readings. saldo's fault.
    #[error("the file does not verify: {0}")]
    Refused(Box<FileError>),
    /// The file says something else than the readings. saldo's fault.
    #[error("the file says something else than the readings")]
    OtherAmount,
}

/// Where the headers of a file begin: an update, and the block that it names.
struct Start<'a> {
    signed: &'a SignedUpdate,
    update: LightClientUpdate,
    execution: Execution,
    /// How many blocks the reading's block is below it.
    depth: u64,
}

impl ClientInner {
    /// Makes a file of `proven`.
    pub(crate) async fn proof(
        &self,
        proven: &[Proven],
        form: Form,
        deadline: Deadline,
    ) -> Result<BalanceProof, ProofFileError> {
        let anchor = self.one_block(proven)?;
        if self.head.is_of_rollup() {
            return Err(ProofFileError::Rollup);
        }
        let light_client = self.head.look(|view| view.light_client.cloned());
        let light_client = light_client.ok_or(ProofFileError::NoHead)?;
        let start = self.start_of_file(&light_client, &anchor)?;
        let headers = self.headers_down(&start, &anchor, deadline).await?;
        let committee = self.committee_of_file(&light_client, &start, form, deadline).await?;
        let found = self.proofs.state_proof(proven, &anchor, deadline).await;
        let Some((_, state)) = found.winner else {
            return Err(ProofFileError::Proofs { attempts: found.attempts });
        };
        let network = self.head.network();
        let file = BalanceProof::new(&network, committee, start.update, headers, state);
        let trust = Trust::new(network, TrustRoot::Checkpoint(file.claimed_checkpoint()));
        let verified =
            verify(&file.encode(), &trust).map_err(|error| ProofFileError::Refused(Box::new(error)))?;
        if says_the_same(&verified, proven, &anchor) { Ok(file) } else { Err(ProofFileError::OtherAmount) }
    }

    fn one_block(&self, proven: &[Proven]) -> Result<Anchor, ProofFileError> {
        let first = proven.first().ok_or(ProofFileError::Nothing)?.anchor();
        let expected = NetworkId::from(&*self.head.network());
        for reading in proven {
            let got = reading.holding().network();
            if got != expected {
                return Err(ProofFileError::OtherNetwork { got, expected });
            }
            if reading.anchor().hash() != first.hash() {
                return Err(ProofFileError::DifferentBlocks);
            }
        }
        Ok(first.clone())
    }

    /// The update with a block that is the nearest above `anchor`, or `anchor` itself: of the signed and the final head.
    fn start_of_file<'a>(
        &self,
        light_client: &'a LightClient,
        anchor: &Anchor,
    ) -> Result<Start<'a>, ProofFileError> {
        let known = [light_client.finalized_update(), light_client.signed_update()];
        if known.iter().all(Option::is_none) {
            return Err(ProofFileError::NoHead);
        }
        let starts = known.into_iter().flatten().flat_map(|signed| {
            let final_execution = signed.update().finalized_header().map(|header| header.execution.clone());
            let as_final = final_execution.map(|execution| (signed.update().clone(), execution));
            let as_signed = LightClientUpdate { finality: None, ..signed.update().clone() };
            let execution = as_signed.attested_header.execution.clone();
            as_final.into_iter().chain([(as_signed, execution)]).map(move |parts| (signed, parts))
        });
        let near = starts.filter_map(|(signed, (update, execution))| {
            let depth = self.number_of(&execution)?.checked_sub(anchor.number())?;
            (depth <= Chain::MAX_ANCESTRY).then_some(Start { signed, update, execution, depth })
        });
        near.min_by_key(|start| start.depth).ok_or(ProofFileError::TooDeep)
    }

    fn number_of(&self, execution: &Execution) -> Option<u64> {
        match execution {
            Execution::Absent => None,
            Execution::Header(payload) => Some(payload.block_number),
            Execution::Hash(hash) => Some(self.head.anchor_at_hash(*hash)?.number()),
        }
    }

    /// Fetches the headers from the start down to the block `anchor`.
    async fn headers_down(
        &self,
        start: &Start<'_>,
        anchor: &Anchor,
        deadline: Deadline,
    ) -> Result<Vec<Bytes>, ProofFileError> {
        let (mut reached, mut next, mut left) = match &start.execution {
            Execution::Absent => return Err(ProofFileError::NoHead),
            Execution::Header(payload) => (payload.block_hash, payload.parent_hash, start.depth),
            // The header of the start itself is one more.
            Execution::Hash(hash) => (*hash, *hash, start.depth.saturating_add(1)),
        };
        let mut headers = Vec::new();
        while left > 0 {
            let (header, attempts) = self.proofs.fetch_header(next, deadline).await;
            let header = header.ok_or(ProofFileError::Headers { attempts })?;
            headers.push(header.rlp().clone());
            (reached, next, left) = (header.hash(), header.parent_hash(), left.saturating_sub(1));
        }
        if reached == anchor.hash() { Ok(headers) } else { Err(ProofFileError::Withdrawn) }
    }

    async fn committee_of_file(
        &self,
        light_client: &LightClient,
        start: &Start<'_>,
        form: Form,
        deadline: Deadline,
    ) -> Result<Committee, ProofFileError> {
        if form == Form::Compact {
            let proof = light_client.committee_proof(start.signed);
            return Ok(Committee::Compact(Box::new(proof.ok_or(ProofFileError::CommitteeUnknown)?)));
        }
        let to = start.signed.sync_committee_period();
        let (complete, attempts) = self.head.fetch_complete(*light_client.checkpoint(), to, deadline).await;
        let (bootstrap, updates) = complete.ok_or(ProofFileError::LightClientData { attempts })?;
        Ok(Committee::Complete { bootstrap: Box::new(bootstrap), updates })
    }
}

fn says_the_same(verified: &VerifiedProofFile, proven: &[Proven], anchor: &Anchor) -> bool {
    let says = |reading: &Proven| {
        let mut held = verified.holdings().iter();
        held.any(|held| held.holding() == reading.holding() && held.amount() == reading.amount().base_units())
    };
    (verified.hash(), verified.state_root(), verified.time())
        == (anchor.hash(), anchor.state_root(), anchor.timestamp())
        && proven.iter().all(says)
}
