//! The owner of the provider state and the pending proofs: decides which proof is requested from which
//! provider. It never joins a proof with a block; a judge does that ([`Judge`]).

mod access_list;
mod accounts;
mod ask;
mod capability;
mod chain_check;
mod chains_said;
mod checked;
mod disclosed;
mod evidence;
mod explore;
mod header;
mod history;
mod judge;
mod lag;
mod pending;
#[cfg_attr(not(feature = "rollup"), path = "proofs/no_pending_state.rs")]
mod pending_state;
mod plan;
mod provider_state;
mod request;
#[cfg(feature = "rollup")]
mod rollup;
mod state_proof;
mod target;
mod token;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::Address;
use saldo_proof::StateRoot;
use saldo_reading::{Attempt, Holding, ProviderId, Why};
use saldo_source::{BatchSize, Endpoint, SortedMap};
use saldo_token::Hint;

use crate::env::Env;
use crate::head::Head;
use capability::{Capabilities, Capability};
use chains_said::{ChainsSaid, is_built_in};
use disclosed::Disclosures;
use evidence::EvidenceLog;
use lag::Lags;
use pending::PendingProofs;

pub(crate) use accounts::{AccountFacts, AccountNeed, SlotFacts};
pub use evidence::Evidence;
pub(crate) use pending::PendingProof;
pub(crate) use target::{Checked, Inquiry, Judge, Judged, ProofRequest, ProofTarget, Settled, Shown};

/// Owns the provider state and the pending proofs.
pub(crate) struct Proofs {
    env: Arc<Env>,
    head: Arc<Head>,
    /// Whether the nodes of a proof are kept after the check, because readings are stored.
    keeps_nodes: bool,
    /// Whether the network's table is built in, so that its chain id is certain.
    is_built_in: bool,
    state: Mutex<ProofsState>,
}

/// Locked for a moment only, never across an await.
#[derive(Default)]
struct ProofsState {
    capabilities: Capabilities,
    /// The disclosure sets: which operators were asked about which address.
    disclosures: Disclosures,
    /// The earliest time of the next trial request to each provider, on the monotonic clock.
    explored: SortedMap<ProviderId, Duration>,
    /// Proofs that are false under the block of their request.
    evidence: EvidenceLog,
    chains_said: ChainsSaid,
    lags: Lags,
    pending: PendingProofs,
    /// What tokens were when they were read last. It only decides what is asked for.
    hints: Hint,
}

impl Proofs {
    /// Number of slots that a pending proof waits for the signature of its block. It is also how far below the
    /// newest head that block is searched, in blocks.
    pub(crate) const LINK_DEPTH: u64 = 16;
    /// The longest that a pending proof of a rollup waits, whatever the policy allows. L1 counts the claim of a game that nobody disputes
    /// after 7 days, and the game begins some hours after its block.
    const LONGEST_PENDING: Duration = Duration::from_secs(10 * 24 * 60 * 60);

    pub(crate) fn new(env: Arc<Env>, head: Arc<Head>, keeps_nodes: bool) -> Self {
        let is_built_in = is_built_in(&head.network());
        let hints = Hint::well_known(head.network().chain_id());
        let state = Mutex::new(ProofsState { hints, ..ProofsState::default() });
        Self { env, head, keeps_nodes, is_built_in, state }
    }

    fn state(&self) -> MutexGuard<'_, ProofsState> {
        // After a panic the state can lack a change, and the gate checks each reading that leaves.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The known capability of `provider`.
    fn capability(&self, provider: &ProviderId) -> Capability {
        self.state().capabilities.of(provider, self.env.clock().monotonic())
    }

    /// Updates the capability of `provider`.
    fn learn(&self, provider: &ProviderId, learn: impl FnOnce(&mut Capability)) {
        let now = self.env.clock().monotonic();
        self.state().capabilities.note(provider, now, learn);
    }

    /// The reason `why` of a read with these `attempts`, or the lag of the providers, where that is the reason.
    pub(crate) fn or_lag(&self, why: Why, attempts: &[Attempt]) -> Why {
        self.state().lags.or_lag(why, attempts)
    }

    /// The number of calls that `provider` accepts in one batch.
    pub(crate) fn batch_of(&self, provider: &ProviderId) -> BatchSize {
        self.capability(provider).batch
    }

    /// Records the size of a batch that `provider` accepts, if it is not the one that was `known` before.
    pub(crate) fn learn_batch(&self, provider: &ProviderId, known: BatchSize, learned: BatchSize) {
        if learned != known {
            self.env.dispatcher.record_counts_calls(provider, learned.is_paced());
            self.learn(provider, |known| known.batch = learned);
        }
    }

    /// Whether the operator of `provider` is in the disclosure set of `owner`.
    pub(crate) fn is_disclosed(&self, owner: Address, provider: &Endpoint) -> bool {
        self.state().disclosures.contains(owner, &provider.operator_key())
    }

    /// Whether the policy allows asking `provider` about `owner`.
    pub(crate) fn admits(&self, owner: Address, provider: &Endpoint) -> bool {
        self.state().disclosures.admits(
            owner,
            &provider.operator_key(),
            self.env.policy.operators_per_address,
        )
    }

    /// The pending proofs of `holding`. They expire after some slots: a block without a signature by then will
    /// not get one.
    pub(crate) fn pending_of(&self, holding: Holding) -> Vec<PendingProof> {
        let slots = u32::try_from(Self::LINK_DEPTH).unwrap_or(u32::MAX);
        let longest = match self.head.is_of_rollup() {
            true => self.longest_pending(),
            false => self.head.network().slot_duration().saturating_mul(slots),
        };
        let now = self.env.clock().monotonic();
        let expired = self.state().pending.expire(now, longest);
        for provider in expired.iter().filter(|_| !self.head.is_of_rollup()) {
            self.learn(provider, |known| known.tips_were_signed = false);
        }
        self.state().pending.of(holding)
    }

    /// The newest pending proof of `holding` from `provider`.
    pub(crate) fn newest_pending(&self, holding: Holding, provider: &ProviderId) -> Option<PendingProof> {
        self.state().pending.newest(holding, provider).cloned()
    }

    /// How long a pending proof of a rollup waits: as long as its block can be young enough for the policy.
    fn longest_pending(&self) -> Duration {
        self.env.policy.max_age.min(Self::LONGEST_PENDING)
    }

    /// Drops all pending proofs of `holding`: it is proven without them.
    pub(crate) fn drop_pending(&self, holding: Holding) {
        self.state().pending.remove_all(holding);
    }

    /// Drops a pending proof whose block is signed by now, and notes that the tips of `provider` get signed.
    pub(crate) fn settle_pending(&self, holding: Holding, provider: &ProviderId, root: StateRoot) {
        self.state().pending.remove(holding, provider, root);
        self.learn(provider, |known| known.tips_were_signed = true);
    }

    /// Records `provider` in the disclosure set of `owner` because it proved something about it, within policy
    /// or over policy.
    pub(crate) fn record_disclosure(&self, owner: Address, provider: &ProviderId) {
        if let Some(endpoint) = self.env.execution.iter().find(|known| known.id() == provider) {
            self.state().disclosures.record_seen(owner, &endpoint.operator_key());
        }
    }

    /// The newest false proofs.
    pub(crate) fn evidence(&self) -> Vec<Evidence> {
        self.state().evidence.all()
    }

    /// Drops the pending proofs of `holding`; and the disclosure set of its owner, if nothing else is known of the owner.
    pub(crate) fn forget(&self, holding: &Holding, is_last_of_owner: bool) {
        let mut state = self.state();
        state.pending.remove_all(*holding);
        if is_last_of_owner {
            state.disclosures.remove(holding.owner());
        }
    }

    /// Drops all pending proofs, after a restart of trust. The provider state stays.
    pub(crate) fn drop_all_pending(&self) {
        self.state().pending = PendingProofs::default();
    }
}
