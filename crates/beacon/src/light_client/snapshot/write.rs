//! Writing a snapshot. Integers are little-endian; every list follows its count.

use alloy_primitives::B256;

use super::layout::{MAGIC, VERSION};
use crate::checkpoint::{Origin, Voucher};
use crate::container::{BeaconBlockHeader, ExecutionPayloadHeader, SyncCommittee};
use crate::head::Finality;
use crate::light_client::committee::{Place, ProvenCommittee};
use crate::light_client::contradiction::{ConsensusFault, Contradiction, SignedUpdate, Testimony};
use crate::light_client::schedule::VerifiedFork;
use crate::light_client::state::LightClient;
use crate::update::{Execution, LightClientHeader, LightClientUpdate};

/// Writes a snapshot without its checksum.
pub(super) fn client(client: &LightClient) -> Vec<u8> {
    let mut writer = Writer { bytes: Vec::with_capacity(1 << 16) };
    writer.raw(&MAGIC);
    writer.raw(&VERSION.to_le_bytes());
    writer.raw(client.network.genesis_validators_root().as_slice());
    writer.number(client.network.chain_id());
    writer.origin(&client.origin);
    writer.count(client.verified_forks.len());
    client.verified_forks.iter().for_each(|fork| writer.verified_fork(fork));
    writer.testimony(&client.finalized_by);
    writer.flag(matches!(client.finalized.finality(), Finality::Forced { .. }));
    writer.option(client.signed.as_ref(), |writer, signed| writer.signed_update(&signed.by));
    writer.proven_committee(&client.current_sync_committee);
    writer.option(client.next_sync_committee.as_ref(), |writer, next| writer.proven_committee(next));
    writer.option(client.best_valid_update.as_ref(), |writer, best| {
        writer.signed_update(best);
        writer.option(best.update.next_sync_committee.as_ref(), |writer, next| {
            writer.committee(&next.committee);
            writer.roots(&next.branch);
        });
    });
    writer.option(client.fault.as_ref(), Writer::fault);
    writer.bytes
}

struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn tag(&mut self, tag: u8) {
        self.bytes.push(tag);
    }

    fn flag(&mut self, flag: bool) {
        self.tag(u8::from(flag));
    }

    fn number(&mut self, number: u64) {
        self.raw(&number.to_le_bytes());
    }

    fn count(&mut self, count: usize) {
        // A longer list does not fit into a snapshot, and is refused on reading.
        self.raw(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
    }

    fn blob(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.raw(bytes);
    }

    fn roots(&mut self, roots: &[B256]) {
        self.count(roots.len());
        roots.iter().for_each(|root| self.raw(root.as_slice()));
    }

    fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn origin(&mut self, origin: &Origin) {
        self.raw(origin.checkpoint().root.as_slice());
        self.option(origin.checkpoint().slot, |writer, slot| writer.number(slot.get()));
        match origin.voucher() {
            Voucher::Caller => self.tag(0),
            Voucher::Agreement { slot, operators } => {
                self.tag(1);
                self.number(slot.get());
                self.count(operators.len());
                operators.iter().for_each(|operator| self.blob(operator.as_bytes()));
            }
        }
    }

    fn verified_fork(&mut self, fork: &VerifiedFork) {
        self.raw(&fork.version);
        self.number(fork.first.get());
        self.number(fork.last.get());
    }

    fn testimony(&mut self, testimony: &Testimony) {
        match testimony {
            Testimony::Checkpoint(header) => {
                self.tag(0);
                self.header(header);
            }
            Testimony::Signed(signed) => {
                self.tag(1);
                self.signed_update(signed);
            }
        }
    }

    /// Writes an update without its next committee, which is stored elsewhere or has become the current one.
    fn signed_update(&mut self, signed: &SignedUpdate) {
        let SignedUpdate { update, period: _, committee_root, next_committee_root: _ } = signed;
        let LightClientUpdate {
            attested_header,
            next_sync_committee: _,
            finality,
            sync_aggregate,
            signature_slot,
        } = update;
        self.raw(committee_root.as_slice());
        self.header(attested_header);
        self.option(finality.as_ref(), |writer, part| {
            writer.option(part.header.as_ref(), Self::header);
            writer.roots(&part.branch);
        });
        self.blob(&sync_aggregate.bits);
        self.raw(sync_aggregate.signature.as_slice());
        self.number(signature_slot.get());
    }

    fn header(&mut self, header: &LightClientHeader) {
        self.beacon(&header.beacon);
        match &header.execution {
            Execution::Absent => self.tag(0),
            Execution::Header(execution) => {
                self.tag(1);
                self.execution(execution);
            }
            Execution::Hash(hash) => {
                self.tag(2);
                self.raw(hash.as_slice());
            }
        }
        self.roots(&header.execution_branch);
    }

    fn beacon(&mut self, header: &BeaconBlockHeader) {
        self.number(header.slot.get());
        self.number(header.proposer_index);
        for root in [header.parent_root, header.state_root, header.body_root] {
            self.raw(root.as_slice());
        }
    }

    fn execution(&mut self, header: &ExecutionPayloadHeader) {
        self.raw(header.parent_hash.as_slice());
        self.raw(header.fee_recipient.as_slice());
        self.raw(header.state_root.as_slice());
        self.raw(header.receipts_root.as_slice());
        self.raw(header.logs_bloom.as_slice());
        self.raw(header.prev_randao.as_slice());
        for number in [header.block_number, header.gas_limit, header.gas_used, header.timestamp] {
            self.number(number);
        }
        self.blob(&header.extra_data);
        self.raw(&header.base_fee_per_gas.to_le_bytes::<32>());
        for root in [header.block_hash, header.transactions_root, header.withdrawals_root] {
            self.raw(root.as_slice());
        }
        self.option(header.blob_gas_used, Self::number);
        self.option(header.excess_blob_gas, Self::number);
    }

    fn proven_committee(&mut self, proven: &ProvenCommittee) {
        self.committee(&proven.committee);
        self.beacon(&proven.header);
        self.tag(match proven.place {
            Place::Current => 0,
            Place::Next => 1,
        });
        self.roots(&proven.branch);
    }

    fn committee(&mut self, committee: &SyncCommittee) {
        committee.pubkeys.iter().for_each(|key| self.raw(key.as_slice()));
        self.raw(committee.aggregate_pubkey.as_slice());
    }

    fn fault(&mut self, fault: &ConsensusFault) {
        self.tag(match fault.contradiction {
            Contradiction::Finalized => 0,
            Contradiction::Signed => 1,
            Contradiction::Reverted => 2,
        });
        self.number(fault.slot.get());
        fault.roots.iter().for_each(|root| self.raw(root.as_slice()));
        fault.evidence.iter().for_each(|testimony| self.testimony(testimony));
    }
}
