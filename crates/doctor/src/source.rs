//! What was found at one beacon source, and at one checkpoint source.

use std::time::Duration;

use alloy_primitives::B256;
use saldo_beacon::unit::{Period, Slot};
use saldo_reading::ProviderId;
use saldo_source::Endpoint;

use crate::check::{Check, Unchecked};
use crate::finding::Finding;

/// What was found at one beacon source.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SourceReport {
    /// Who.
    pub source: ProviderId,
    /// Who runs it: as declared, else its host.
    pub run_by: String,
    /// How many requests it got.
    pub requests: u32,
    /// The median time to its answers.
    pub latency: Option<Duration>,
    /// By how many seconds its clock is ahead of the device's.
    pub clock_offset: Option<i64>,
    /// Whether its genesis is the network's.
    pub genesis: Check<()>,
    /// Whether it has the bootstrap of the checkpoint, and a light client takes it.
    pub bootstrap: Check<()>,
    /// How many of its updates a light client took on the way from the checkpoint to the present.
    pub updates: Check<u64>,
    /// The slot of its newest finalized header, which a light client took.
    pub finality: Check<Slot>,
    /// Its newest signed head, which a light client took.
    pub optimistic: Check<SeenHead>,
    /// Whether it answers in SSZ when asked to.
    pub ssz: Check<bool>,
    /// Whether it answers in JSON when asked to, and names the fork there.
    pub json: Check<NamesFork>,
    /// By how many slots its newest signed head is behind where it should be by the device's clock.
    pub behind: Option<u64>,
    /// The oldest period, of those tried, that it has an update of.
    pub oldest_period: Check<Period>,
    /// What is worth knowing of it.
    pub findings: Vec<Finding>,
}

/// Whether an answer in JSON says of which fork it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamesFork {
    /// By its `version` or its `Eth-Consensus-Version` header.
    Yes,
    /// It does not.
    No,
}

/// A head that a sync committee signed, as a light client verified it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenHead {
    /// Slot of the beacon block.
    pub slot: Slot,
    /// How many of the committee signed.
    pub signers: usize,
    /// How many members the committee has.
    pub committee_size: usize,
    /// The execution block's number, where the head tells it.
    pub number: Option<u64>,
    /// The execution block's hash; `None` before Capella.
    pub hash: Option<B256>,
}

/// What was found at one checkpoint source.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CheckpointReport {
    /// Who.
    pub source: ProviderId,
    /// Who runs it: as declared, else its host.
    pub run_by: String,
    /// How many requests it got.
    pub requests: u32,
    /// The median time to its answers.
    pub latency: Option<Duration>,
    /// By how many seconds its clock is ahead of the device's.
    pub clock_offset: Option<i64>,
    /// The root of the block that it names at [`Report::checkpoint_slot`](crate::Report::checkpoint_slot).
    pub names: Check<B256>,
    /// What is worth knowing of it.
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
            finality: Check::NotChecked(unchecked),
            optimistic: Check::NotChecked(unchecked),
            ssz: Check::NotChecked(unchecked),
            json: Check::NotChecked(unchecked),
            behind: None,
            oldest_period: Check::NotChecked(unchecked),
            findings: Vec::new(),
        }
    }

    /// Whether heads can be followed with it.
    pub fn can_follow(&self) -> bool {
        self.optimistic.is_found() && self.behind.is_some_and(|slots| slots <= Finding::MOST_SLOTS_BEHIND)
    }
}
