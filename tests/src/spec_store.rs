//! A light client that does exactly what the specification says, to show where saldo's client is stricter.
//!
//! Source: consensus-specs `altair/light-client/sync-protocol.md`. One signer makes an update valid here, and a
//! forced update installs the committee that it names. It uses the public arithmetic of `saldo-beacon`, not its light
//! client. It trusts the table of forks.

use alloy_primitives::B256;
use saldo_beacon::container::SyncCommittee;
use saldo_beacon::fork::{ForkRules, HeaderLayout};
use saldo_beacon::merkle::{branch_is_valid, normalized_branch_is_valid};
use saldo_beacon::signature::{DOMAIN_SYNC_COMMITTEE, compute_domain, compute_signing_root, verify};
use saldo_beacon::unit::{Period, Slot};
use saldo_beacon::update::{FinalizedPart, LightClientBootstrap};
use saldo_beacon::{Execution, LightClientHeader, LightClientUpdate, Network};

/// The specification's `LightClientStore`.
#[derive(Clone, Debug)]
pub struct SpecStore {
    network: Network,
    /// The newest final header.
    pub finalized_header: LightClientHeader,
    /// The newest header with enough signers, by the specification's moving threshold.
    pub optimistic_header: LightClientHeader,
    current_sync_committee: SyncCommittee,
    /// The committee of the next period.
    pub next_sync_committee: Option<SyncCommittee>,
    best_valid_update: Option<LightClientUpdate>,
    previous_max_active_participants: usize,
    current_max_active_participants: usize,
}

/// The specification's assertion that fails.
pub type FailedAssertion = &'static str;

fn require(holds: bool, what: FailedAssertion) -> Result<(), FailedAssertion> {
    if holds { Ok(()) } else { Err(what) }
}

impl SpecStore {
    /// Source: `initialize_light_client_store`.
    pub fn new(
        network: Network,
        trusted: B256,
        bootstrap: LightClientBootstrap,
    ) -> Result<Self, FailedAssertion> {
        let header = bootstrap.header;
        require(is_valid_header(&header, &network), "header")?;
        require(header.beacon.hash_tree_root() == trusted, "root")?;
        let gindex = rules(&network, header.beacon.slot).current_sync_committee;
        let committee = bootstrap.current_sync_committee;
        let branch = &bootstrap.current_sync_committee_branch;
        let (leaf, root) = (committee.hash_tree_root(), header.beacon.state_root);
        require(normalized_branch_is_valid(leaf, branch, gindex, root), "current committee")?;
        Ok(Self {
            network,
            finalized_header: header.clone(),
            optimistic_header: header,
            current_sync_committee: committee,
            next_sync_committee: None,
            best_valid_update: None,
            previous_max_active_participants: 0,
            current_max_active_participants: 0,
        })
    }

    /// Source: `process_light_client_update`.
    pub fn process(&mut self, update: &LightClientUpdate, current_slot: Slot) -> Result<(), FailedAssertion> {
        self.validate(update, current_slot)?;
        let best = self.best_valid_update.as_ref();
        if best.is_none_or(|best| update.is_better_than(best, &self.network)) {
            self.best_valid_update = Some(update.clone());
        }
        let signers = update.sync_aggregate.signers();
        self.current_max_active_participants = self.current_max_active_participants.max(signers);
        let threshold = self.previous_max_active_participants.max(self.current_max_active_participants) / 2;
        if signers > threshold && update.attested_slot() > self.optimistic_header.beacon.slot {
            self.optimistic_header = update.attested_header.clone();
        }
        let brings_final_committee = self.next_sync_committee.is_none()
            && update.next_sync_committee.is_some()
            && update.finality.is_some()
            && self.period(update.finalized_slot()) == self.period(update.attested_slot());
        let is_newer = update.finalized_slot() > self.finalized_header.beacon.slot;
        if signers * 3 >= update.sync_aggregate.size * 2 && (is_newer || brings_final_committee) {
            self.apply(update)?;
            self.best_valid_update = None;
        }
        Ok(())
    }

    /// Source: `process_light_client_store_force_update`.
    pub fn force_update(&mut self, current_slot: Slot) -> Result<(), FailedAssertion> {
        let finalized = self.finalized_header.beacon.slot;
        if current_slot <= finalized.saturating_add(self.network.slots_per_period()) {
            return Ok(());
        }
        let Some(mut update) = self.best_valid_update.take() else { return Ok(()) };
        if update.finalized_slot() <= finalized {
            let header = Some(update.attested_header.clone());
            update.finality = Some(FinalizedPart { header, branch: Vec::new() });
        }
        self.apply(&update)
    }

    fn period(&self, slot: Slot) -> Period {
        self.network.period_at(slot)
    }

    /// Source: `validate_light_client_update`.
    fn validate(&self, update: &LightClientUpdate, current_slot: Slot) -> Result<(), FailedAssertion> {
        let (attested, finalized) = (update.attested_slot(), update.finalized_slot());
        let aggregate = &update.sync_aggregate;
        require(aggregate.signers() >= 1, "participants")?;
        require(is_valid_header(&update.attested_header, &self.network), "attested header")?;
        let in_order = current_slot >= update.signature_slot
            && update.signature_slot > attested
            && attested >= finalized;
        require(in_order, "order of slots")?;
        let store_period = self.period(self.finalized_header.beacon.slot);
        let committee = match self.period(update.signature_slot).since(store_period) {
            Some(0) => Some(&self.current_sync_committee),
            Some(1) => self.next_sync_committee.as_ref(),
            _ => None,
        };
        let committee = committee.ok_or("period of the signature")?;
        let is_of_this_period = self.period(attested) == store_period;
        let brings = self.next_sync_committee.is_none() && update.next_sync_committee.is_some();
        let is_newer = attested > self.finalized_header.beacon.slot;
        require(is_newer || brings && is_of_this_period, "relevance")?;
        let (rules, state_root) = (rules(&self.network, attested), update.attested_header.beacon.state_root);
        if let Some(part) = &update.finality {
            let root = match &part.header {
                Some(header) => {
                    require(is_valid_header(header, &self.network), "finalized header")?;
                    header.beacon.hash_tree_root()
                }
                None => B256::ZERO,
            };
            let holds = normalized_branch_is_valid(root, &part.branch, rules.finalized_root, state_root);
            require(holds, "finality branch")?;
        }
        if let Some(next) = &update.next_sync_committee {
            if let Some(known) = self.next_sync_committee.as_ref().filter(|_| is_of_this_period) {
                require(next.committee == *known, "known next committee")?;
            }
            let leaf = next.committee.hash_tree_root();
            let holds = normalized_branch_is_valid(leaf, &next.branch, rules.next_sync_committee, state_root);
            require(holds, "next committee branch")?;
        }
        let version = self.network.fork_version_at(update.signature_slot.saturating_sub(1));
        let domain = compute_domain(DOMAIN_SYNC_COMMITTEE, version, self.network.genesis_validators_root());
        let message = compute_signing_root(update.attested_header.beacon.hash_tree_root(), domain);
        verify(committee, aggregate, message).map_err(|_| "signature")
    }

    /// Source: `apply_light_client_update`.
    fn apply(&mut self, update: &LightClientUpdate) -> Result<(), FailedAssertion> {
        let store_period = self.period(self.finalized_header.beacon.slot);
        let finalized_period = self.period(update.finalized_slot());
        let next = update.next_sync_committee.as_ref().map(|next| next.committee.clone());
        match self.next_sync_committee.take() {
            None => {
                require(finalized_period == store_period, "period of the finalized header")?;
                self.next_sync_committee = next;
            }
            Some(entered) if finalized_period == store_period.saturating_add(1) => {
                self.current_sync_committee = entered;
                self.next_sync_committee = next;
                self.previous_max_active_participants = self.current_max_active_participants;
                self.current_max_active_participants = 0;
            }
            known => self.next_sync_committee = known,
        }
        let newer =
            update.finalized_header().filter(|header| header.beacon.slot > self.finalized_header.beacon.slot);
        if let Some(header) = newer {
            self.finalized_header = header.clone();
            if header.beacon.slot > self.optimistic_header.beacon.slot {
                self.optimistic_header = header.clone();
            }
        }
        Ok(())
    }
}

fn rules(network: &Network, slot: Slot) -> &'static ForkRules {
    network.fork_at(slot).unwrap().rules()
}

/// Source: `is_valid_light_client_header`.
fn is_valid_header(header: &LightClientHeader, network: &Network) -> bool {
    let rules = rules(network, header.beacon.slot);
    let body_root = header.beacon.body_root;
    match &header.execution {
        Execution::Absent => rules.layout == HeaderLayout::Beacon && header.execution_branch.is_empty(),
        Execution::Header(payload) => rules.execution.is_some_and(|gindex| {
            branch_is_valid(payload.hash_tree_root(), &header.execution_branch, gindex, body_root)
        }),
        Execution::Hash(hash) => rules.execution_block_hash.is_some_and(|gindex| {
            normalized_branch_is_valid(*hash, &header.execution_branch, gindex, body_root)
        }),
    }
}
