//! The results for one beacon source, and for one checkpoint source.

use std::time::Duration;

use alloy_primitives::B256;
use saldo_beacon::unit::{Period, Slot};
use saldo_reading::ProviderId;
use saldo_source::Endpoint;

use crate::check::{Check, Unchecked};
use crate::finding::Finding;

/// The results for one beacon source.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SourceReport {
    /// The source.
    pub source: ProviderId,
    /// The operator: as declared, else the host.
    pub run_by: String,
    /// How many requests the source received.
    pub requests: u32,
    /// The median time to its answers.
    pub latency: Option<Duration>,
    /// By how many seconds its clock is ahead of the device's.
    pub clock_offset: Option<i64>,
    /// Whether its genesis is the network's.
    pub genesis: Check<()>,
    /// Whether it has the checkpoint's bootstrap, and a light client accepts it.
    pub bootstrap: Check<()>,
    /// How many of its updates a light client accepted from the checkpoint to the present.
    pub updates: Check<u64>,
    /// The period from which on its updates are missing, if they are.
    pub missing_period: Option<Period>,
    /// The slot of its newest finalized header that a light client accepted.
    pub finality: Check<Slot>,
    /// Its newest signed head that a light client accepted.
    pub optimistic: Check<SeenHead>,
    /// Whether it answers a request for SSZ in SSZ.
    pub ssz: Check<bool>,
    /// Whether it answers a request for JSON in JSON, and names the fork there.
    pub json: Check<NamesFork>,
    /// How many slots its newest signed head is behind the head expected by the device's clock.
    pub behind: Option<u64>,
    /// Whether a balance at that head is young enough for a reader.
    pub(crate) is_young: bool,
    /// The oldest of the tried periods for which it has an update.
    pub oldest_period: Check<Period>,
    /// The findings.
    pub findings: Vec<Finding>,
}

/// Whether a JSON answer names its fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamesFork {
    /// The answer names it in `version` or in the `Eth-Consensus-Version` header.
    Yes,
    /// The answer does not name it.
    No,
}

/// A head that a light client verified: the sync committee signed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenHead {
    /// Slot of the beacon block.
    pub slot: Slot,
    /// How many members of the committee signed.
    pub signers: usize,
    /// How many members the committee has.
    pub committee_size: usize,
    /// The execution block's number, if the head contains it.
    pub number: Option<u64>,
    /// The execution block's hash; `None` before Capella.
    pub hash: Option<B256>,
}

/// The results for one checkpoint source.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CheckpointReport {
    /// The source.
    pub source: ProviderId,
    /// The operator: as declared, else the host.
    pub run_by: String,
    /// How many requests the source received.
    pub requests: u32,
    /// The median time to its answers.
    pub latency: Option<Duration>,
    /// By how many seconds its clock is ahead of the device's.
    pub clock_offset: Option<i64>,
    /// The block root that it names for [`Report::checkpoint_slot`](crate::Report::checkpoint_slot).
    pub names: Check<B256>,
    /// The findings.
    pub findings: Vec<Finding>,
}

impl SourceReport {
    pub(crate) fn new(endpoint: &Endpoint) -> Self {
        let unchecked = Unchecked::NotReached;
        Self {
            source: endpoint.id().clone(),
            run_by: endpoint.run_by().to_owned(),
            requests: 0,
            latency: None,
            clock_offset: None,
            genesis: Check::NotChecked(unchecked),
            bootstrap: Check::NotChecked(unchecked),
            updates: Check::NotChecked(unchecked),
            missing_period: None,
            finality: Check::NotChecked(unchecked),
            optimistic: Check::NotChecked(unchecked),
            ssz: Check::NotChecked(unchecked),
            json: Check::NotChecked(unchecked),
            behind: None,
            is_young: false,
            oldest_period: Check::NotChecked(unchecked),
            findings: Vec::new(),
        }
    }

    /// Whether a light client can follow heads with it that are young enough to prove a balance under.
    pub fn can_follow(&self) -> bool {
        self.is_young
    }
}
