//! Reading a snapshot. Any bytes give parts or an error, and no read goes past the end.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes, FixedBytes, U256};

use super::error::SnapshotError;
use crate::checkpoint::{Checkpoint, Origin, Voucher};
use crate::container::{BeaconBlockHeader, ExecutionPayloadHeader, SyncAggregate, SyncCommittee};
use crate::light_client::committee::{Place, ProvenCommittee};
use crate::light_client::contradiction::{ConsensusFault, Contradiction, SignedUpdate, Testimony};
use crate::light_client::schedule::{VerifiedFork, is_in_order};
use crate::network::Network;
use crate::unit::{Epoch, Slot};
use crate::update::{Execution, FinalizedPart, LightClientHeader, LightClientUpdate, NextSyncCommittee};

/// The content of a snapshot, not checked yet.
pub(super) struct Parts {
    pub(super) origin: Origin,
    pub(super) verified_forks: Vec<VerifiedFork>,
    pub(super) finalized_by: Testimony,
    pub(super) is_forced: bool,
    pub(super) signed: Option<Arc<SignedUpdate>>,
    pub(super) current_sync_committee: Arc<ProvenCommittee>,
    pub(super) next_sync_committee: Option<Arc<ProvenCommittee>>,
    pub(super) best_valid_update: Option<Arc<SignedUpdate>>,
    pub(super) fault: Option<ConsensusFault>,
}

/// Reads the parts of a snapshot of `network`.
pub(super) fn client(body: &[u8], network: &Network) -> Result<Parts, SnapshotError> {
    let mut reader = Reader { left: body, network };
    let genesis_validators_root: B256 = reader.fixed()?;
    let (got, expected) = (reader.number()?, network.chain_id());
    if got != expected || genesis_validators_root != network.genesis_validators_root() {
        return Err(SnapshotError::OtherNetwork { got, expected });
    }
    let parts = Parts {
        origin: reader.origin()?,
        verified_forks: reader.verified_forks()?,
        finalized_by: reader.testimony()?,
        is_forced: reader.flag()?,
        signed: reader.option(|reader| reader.signed_update().map(Arc::new))?,
        current_sync_committee: reader.proven_committee()?,
        next_sync_committee: reader.option(Reader::proven_committee)?,
        best_valid_update: reader.option(|reader| {
            let mut best = reader.signed_update()?;
            best.update.next_sync_committee = reader.option(|reader| {
                Ok(NextSyncCommittee { committee: reader.committee()?, branch: reader.roots()? })
            })?;
            Ok(Arc::new(best))
        })?,
        fault: reader.option(Reader::fault)?,
    };
    if reader.left.is_empty() { Ok(parts) } else { Err(malformed("more bytes than parts")) }
}

fn malformed(what: &'static str) -> SnapshotError {
    SnapshotError::Malformed { what }
}

pub(super) struct Reader<'a> {
    left: &'a [u8],
    network: &'a Network,
}

impl<'a> Reader<'a> {
    fn raw(&mut self, length: usize) -> Result<&'a [u8], SnapshotError> {
        let (bytes, left) = self.left.split_at_checked(length).ok_or(malformed("a part is missing"))?;
        self.left = left;
        Ok(bytes)
    }

    fn fixed<const N: usize>(&mut self) -> Result<FixedBytes<N>, SnapshotError> {
        self.raw(N).map(FixedBytes::from_slice)
    }

    fn tag(&mut self) -> Result<u8, SnapshotError> {
        self.fixed::<1>().map(|FixedBytes([tag])| tag)
    }

    fn flag(&mut self) -> Result<bool, SnapshotError> {
        match self.tag()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(malformed("a flag that is neither 0 nor 1")),
        }
    }

    fn number(&mut self) -> Result<u64, SnapshotError> {
        Ok(u64::from_le_bytes(self.fixed::<8>()?.0))
    }

    fn slot(&mut self) -> Result<Slot, SnapshotError> {
        self.number().map(Slot::new)
    }

    fn count(&mut self) -> Result<usize, SnapshotError> {
        Ok(usize::try_from(u32::from_le_bytes(self.fixed::<4>()?.0)).unwrap_or(usize::MAX))
    }

    fn blob(&mut self) -> Result<&'a [u8], SnapshotError> {
        let length = self.count()?;
        self.raw(length)
    }

    fn roots(&mut self) -> Result<Vec<B256>, SnapshotError> {
        let count = self.count()?;
        let bytes = self.raw(count.saturating_mul(32))?;
        Ok(bytes.chunks_exact(32).map(B256::from_slice).collect())
    }

    fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, SnapshotError>,
    ) -> Result<Option<T>, SnapshotError> {
        self.flag()?.then(|| read(self)).transpose()
    }

    fn origin(&mut self) -> Result<Origin, SnapshotError> {
        let checkpoint = Checkpoint { root: self.fixed()?, slot: self.option(Self::slot)? };
        let voucher = match self.tag()? {
            0 => Voucher::Caller,
            1 => {
                let slot = self.slot()?;
                let operators = (0..self.count()?).map(|_| self.text()).collect::<Result<_, _>>()?;
                Voucher::Agreement { slot, operators }
            }
            _ => return Err(malformed("an unknown voucher")),
        };
        Ok(Origin::new(checkpoint, voucher))
    }

    fn text(&mut self) -> Result<String, SnapshotError> {
        let bytes = self.blob()?;
        core::str::from_utf8(bytes).map(str::to_owned).map_err(|_| malformed("a name that is no text"))
    }

    fn verified_forks(&mut self) -> Result<Vec<VerifiedFork>, SnapshotError> {
        let mut forks = Vec::new();
        for _ in 0..self.count()? {
            let version = self.fixed::<4>()?.0;
            forks.push(VerifiedFork { version, first: self.epoch()?, last: self.epoch()? });
        }
        if is_in_order(&forks) { Ok(forks) } else { Err(malformed("forks that are out of order")) }
    }

    fn epoch(&mut self) -> Result<Epoch, SnapshotError> {
        self.number().map(Epoch::new)
    }

    fn testimony(&mut self) -> Result<Testimony, SnapshotError> {
        match self.tag()? {
            0 => self.header().map(Testimony::Checkpoint),
            1 => self.signed_update().map(|signed| Testimony::Signed(Arc::new(signed))),
            _ => Err(malformed("an unknown testimony")),
        }
    }

    fn signed_update(&mut self) -> Result<SignedUpdate, SnapshotError> {
        let committee_root = self.fixed()?;
        let attested_header = self.header()?;
        let finality = self.option(|reader| {
            Ok(FinalizedPart { header: reader.option(Self::header)?, branch: reader.roots()? })
        })?;
        let (bits, size) = (self.blob()?.to_vec(), self.network.sync_committee_size());
        let sync_aggregate = SyncAggregate { bits, size, signature: self.fixed()? };
        let signature_slot = self.slot()?;
        let period = self.network.period_at(signature_slot);
        let update = LightClientUpdate {
            attested_header,
            next_sync_committee: None,
            finality,
            sync_aggregate,
            signature_slot,
        };
        Ok(SignedUpdate { update, period, committee_root, next_committee_root: None })
    }

    fn header(&mut self) -> Result<LightClientHeader, SnapshotError> {
        let beacon = self.beacon()?;
        let execution = match self.tag()? {
            0 => Execution::Absent,
            1 => Execution::Header(self.execution()?),
            2 => Execution::Hash(self.fixed()?),
            _ => return Err(malformed("an unknown kind of execution header")),
        };
        Ok(LightClientHeader { beacon, execution, execution_branch: self.roots()? })
    }

    fn beacon(&mut self) -> Result<BeaconBlockHeader, SnapshotError> {
        Ok(BeaconBlockHeader {
            slot: self.slot()?,
            proposer_index: self.number()?,
            parent_root: self.fixed()?,
            state_root: self.fixed()?,
            body_root: self.fixed()?,
        })
    }

    /// The order of the fields in the struct expression is the order in the bytes.
    fn execution(&mut self) -> Result<ExecutionPayloadHeader, SnapshotError> {
        Ok(ExecutionPayloadHeader {
            parent_hash: self.fixed()?,
            fee_recipient: self.fixed::<20>()?.into(),
            state_root: self.fixed()?,
            receipts_root: self.fixed()?,
            logs_bloom: self.fixed::<256>()?.into(),
            prev_randao: self.fixed()?,
            block_number: self.number()?,
            gas_limit: self.number()?,
            gas_used: self.number()?,
            timestamp: self.number()?,
            extra_data: Bytes::copy_from_slice(self.blob()?),
            base_fee_per_gas: U256::from_le_bytes(self.fixed::<32>()?.0),
            block_hash: self.fixed()?,
            transactions_root: self.fixed()?,
            withdrawals_root: self.fixed()?,
            blob_gas_used: self.option(Self::number)?,
            excess_blob_gas: self.option(Self::number)?,
        })
    }

    fn proven_committee(&mut self) -> Result<Arc<ProvenCommittee>, SnapshotError> {
        let committee = self.committee()?;
        let root = committee.hash_tree_root();
        let header = self.beacon()?;
        let place = if self.flag()? { Place::Next } else { Place::Current };
        Ok(Arc::new(ProvenCommittee { committee, root, header, place, branch: self.roots()? }))
    }

    fn committee(&mut self) -> Result<SyncCommittee, SnapshotError> {
        let size = self.network.sync_committee_size();
        let pubkeys = (0..size).map(|_| self.fixed()).collect::<Result<_, _>>()?;
        Ok(SyncCommittee { pubkeys, aggregate_pubkey: self.fixed()? })
    }

    fn fault(&mut self) -> Result<ConsensusFault, SnapshotError> {
        let contradiction = match self.tag()? {
            0 => Contradiction::Finalized,
            1 => Contradiction::Signed,
            2 => Contradiction::Reverted,
            _ => return Err(malformed("an unknown contradiction")),
        };
        let slot = self.slot()?;
        let roots = [self.fixed()?, self.fixed()?];
        let evidence = Arc::new([self.testimony()?, self.testimony()?]);
        let genesis_validators_root = self.network.genesis_validators_root();
        Ok(ConsensusFault { contradiction, slot, roots, genesis_validators_root, evidence })
    }
}
