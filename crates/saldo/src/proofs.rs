//! Which proof is asked of which provider: the owner of what is known of providers, and of the proofs that wait for a
//! signature. It never joins a proof with a block: a judge does that ([`Judge`]).

mod ask;
mod capability;
mod checked;
mod disclosed;
mod evidence;
mod explore;
mod header;
mod history;
mod pending;
mod provider_state;
mod request;
mod target;
mod weigh;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::Address;
use saldo_proof::StateRoot;
use saldo_reading::{Holding, ProviderId};
use saldo_source::Endpoint;

use crate::env::Env;
use crate::head::Head;
use capability::{Capabilities, Capability};
use disclosed::Disclosures;
use evidence::EvidenceLog;
use pending::PendingProofs;

pub use evidence::Evidence;
pub(crate) use pending::PendingProof;
pub(crate) use target::{Checked, Inquiry, Judged, ProofRequest, ProofTarget};

/// What is known of the providers, and the proofs that wait.
pub(crate) struct Proofs {
    env: Arc<Env>,
    head: Arc<Head>,
    /// Whether the nodes of proofs are needed after they were checked, because readings are stored.
    keeps_nodes: bool,
    state: Mutex<ProofsState>,
}

/// Locked for a moment only, never across an await.
#[derive(Default)]
struct ProofsState {
    capabilities: Capabilities,
    /// Which operators were asked about which address.
    disclosures: Disclosures,
    /// Until when providers are not asked only to try them, on the monotonic clock.
    explored: BTreeMap<ProviderId, Duration>,
    /// Proofs that are false under the block they were asked for.
    evidence: EvidenceLog,
    /// Providers that said they serve this chain.
    chain_confirmed: BTreeSet<ProviderId>,
    pending: PendingProofs,
}

impl Proofs {
    /// For so many slots a pending proof waits for its block to be signed, and so far below the newest head that block is
    /// looked for.
    pub(crate) const LINK_DEPTH: u64 = 16;

    pub(crate) fn new(env: Arc<Env>, head: Arc<Head>, keeps_nodes: bool) -> Self {
        Self { env, head, keeps_nodes, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, ProofsState> {
        // A panic while the lock was held cannot have left half a state: every change is one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `provider` can do, as far as it is known.
    fn capability(&self, provider: &ProviderId) -> Capability {
        self.state().capabilities.of(provider, self.env.clock().monotonic())
    }

    /// Notes what `provider` can do.
    fn learn(&self, provider: &ProviderId, learn: impl FnOnce(&mut Capability)) {
        let now = self.env.clock().monotonic();
        self.state().capabilities.note(provider, now, learn);
    }

    /// How many calls `provider` takes in one batch.
    pub(crate) fn batch_of(&self, provider: &ProviderId) -> usize {
        self.capability(provider).batch
    }

    /// Whether the operator of `provider` was asked about `owner` before.
    pub(crate) fn knows(&self, owner: Address, provider: &Endpoint) -> bool {
        self.state().disclosures.knows(owner, provider)
    }

    /// Whether the policy lets `provider` be asked about `owner`.
    pub(crate) fn admits(&self, owner: Address, provider: &Endpoint) -> bool {
        self.state().disclosures.admits(owner, provider, self.env.policy.operators_per_address)
    }

    /// The proofs that wait for `holding`. They wait for some slots: a block that is not signed by then will not be.
    pub(crate) fn pending_of(&self, holding: Holding) -> Vec<PendingProof> {
        let slots = u32::try_from(Self::LINK_DEPTH).unwrap_or(u32::MAX);
        let longest = self.head.network().slot_duration().saturating_mul(slots);
        let since = self.env.clock().monotonic().saturating_sub(longest);
        let expired = self.state().pending.expire(since);
        for provider in &expired {
            self.learn(provider, |known| known.tips_were_signed = false);
        }
        self.state().pending.of(holding)
    }

    /// The newest proof from `provider` that waits for `holding`.
    pub(crate) fn newest_pending(&self, holding: Holding, provider: &ProviderId) -> Option<PendingProof> {
        self.state().pending.newest(holding, provider).cloned()
    }

    /// Drops all proofs that wait for `holding`: it is proven without them.
    pub(crate) fn drop_pending(&self, holding: Holding) {
        self.state().pending.remove_all(holding);
    }

    /// Notes that the block of a pending proof is signed by now.
    pub(crate) fn settle_pending(&self, holding: Holding, provider: &ProviderId, root: StateRoot) {
        self.state().pending.remove(holding, provider, root);
        self.learn(provider, |known| known.tips_were_signed = true);
    }

    /// Records that `provider` proved something of `owner`, whether the policy let it be asked or not.
    pub(crate) fn record_disclosure(&self, owner: Address, provider: &ProviderId) {
        if let Some(endpoint) = self.env.execution.iter().find(|known| known.id() == provider) {
            self.state().disclosures.admit(owner, endpoint);
        }
    }

    /// The newest false proofs.
    pub(crate) fn evidence(&self) -> Vec<Evidence> {
        self.state().evidence.all()
    }

    /// Drops everything that is known of `holding`, and which operators were asked about its owner.
    pub(crate) fn forget(&self, holding: &Holding) {
        let mut state = self.state();
        state.pending.remove_all(*holding);
        state.disclosures.remove(holding.owner);
    }

    /// Drops what followed from the trust start before: the proofs that wait. What is known of providers stays.
    pub(crate) fn drop_all_pending(&self) {
        self.state().pending = PendingProofs::default();
    }
}
