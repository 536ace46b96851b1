//! The owner of the light client and the chain.
//!
//! This module sends requests only to beacon sources and checkpoint sources. Other code fetches execution
//! headers and attaches them ([`Head::attach`]).

mod agreement;
mod ahead;
mod certain_time;
mod committee;
mod complete;
mod fetch;
mod finality;
mod heads;
#[cfg_attr(not(feature = "rollup"), path = "head/no_l1.rs")]
mod l1;
mod lag;
mod need;
mod poll;
mod probe;
mod publication;
mod routes;
mod start;
mod state;
mod step;
mod sync;
mod trust_start;
#[cfg(feature = "rollup")]
mod vouched;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use alloy_primitives::B256;
use saldo_beacon::unit::{Slot, UnixTime};
use saldo_beacon::{AdoptError, Checkpoint, ConsensusFault, LightClient, Network};
use saldo_chain::{Anchor, Chain, ExecutionHeader, HistoryError, Level, Standing};
use saldo_proof::{Account, StateRoot, Verified};
use saldo_reading::{Generation, Now};

use crate::env::Env;
use crate::event;
use state::HeadState;

pub(crate) use agreement::{LEAST_ANSWERS, distinct};
pub(crate) use l1::AnyL1;
#[cfg(feature = "rollup")]
pub(crate) use l1::{FinalBlock, L1, NothingOfL1};
#[cfg(feature = "rollup")]
pub(crate) use state::PresentL1;
pub(crate) use step::{Need, Synced};
pub(crate) use trust_start::{Agreement, TrustStart};

/// Owns the light client, the chain that follows from it, and the trust start.
pub(crate) struct Head {
    env: Arc<Env>,
    trust_start: TrustStart,
    /// The L1 of a rollup.
    l1: Option<AnyL1>,
    /// Replaced as a whole when the app adopts a newer table.
    network: RwLock<Arc<Network>>,
    /// Held by the one future that syncs the light client.
    syncing: futures_util::lock::Mutex<()>,
    state: Mutex<HeadState>,
}

/// The state of the head at one moment, while it is locked.
pub(crate) struct HeadView<'a> {
    pub(crate) generation: Generation,
    pub(crate) is_faulted: bool,
    /// The chain id of the network's table, if the providers say that they serve another chain.
    pub(crate) wrong_chain_id: Option<u64>,
    pub(crate) chain: &'a Chain,
    pub(crate) now: Now,
    /// Counts the changes of the chain.
    pub(crate) revision: u64,
    pub(crate) light_client: Option<&'a LightClient>,
    /// The checkpoint at which the caller restarted trust, if it did.
    pub(crate) restarted_at: Option<Checkpoint>,
    /// The time of the newest block that is known to be signed.
    pub(crate) newest_signed_time: Option<UnixTime>,
}

/// The block at which a proof is requested.
#[derive(Clone, Debug)]
pub(crate) enum BlockRef {
    /// A trusted block.
    Known(Anchor),
    /// The block of a head whose hash alone is known: its header is fetched along with the proof.
    ByHash(B256),
    /// The newest block of the provider.
    Tip,
}

impl Head {
    pub(crate) fn new(env: Arc<Env>, network: Arc<Network>, trust_start: TrustStart) -> Self {
        let (network, syncing) = (RwLock::new(network), futures_util::lock::Mutex::new(()));
        Self { env, trust_start, l1: None, network, syncing, state: Mutex::default() }
    }

    /// Makes the head of a rollup, whose blocks `l1` vouches for.
    #[cfg(feature = "rollup")]
    pub(crate) fn of_rollup(env: Arc<Env>, network: Arc<Network>, l1: AnyL1) -> Self {
        let nowhere = Checkpoint { root: B256::ZERO, slot: None };
        Self { l1: Some(l1), ..Self::new(env, network, TrustStart::Given(nowhere)) }
    }

    fn state(&self) -> MutexGuard<'_, HeadState> {
        let l1 = self.l1.as_ref().map(|l1| l1.present());
        // After a panic the state can lack a change, and the gate checks each reading that leaves.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(present) = l1 {
            state.follow_l1(&present);
        }
        state
    }

    /// Whether it is the head of a rollup.
    pub(crate) fn is_of_rollup(&self) -> bool {
        self.l1.is_some()
    }

    /// The current table of the chain.
    pub(crate) fn network(&self) -> Arc<Network> {
        Arc::clone(&self.network.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adopts a newer table of the same chain.
    pub(crate) fn adopt(&self, network: Arc<Network>) -> Result<(), AdoptError> {
        let mut state = self.state();
        self.network().allows(&network)?;
        if let Some(light_client) = &mut state.light_client {
            light_client.adopt(Arc::clone(&network))?;
        }
        // The probe client follows the old table, so it starts again.
        state.probe = None;
        *self.network.write().unwrap_or_else(PoisonError::into_inner) = network;
        Ok(())
    }

    /// The trust start that the client was built with.
    pub(crate) fn trust_start(&self) -> &TrustStart {
        &self.trust_start
    }

    /// Runs `look` on the state of this moment, while it is locked.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&HeadView<'_>) -> T) -> T {
        let network = self.network();
        let mut state = self.state();
        let now = state.now(&network, self.env.clock());
        look(&HeadView {
            generation: state.generation,
            is_faulted: state.faulted,
            wrong_chain_id: state.has_wrong_chain_id.then(|| network.chain_id()),
            chain: &state.chain,
            now,
            revision: state.revision,
            light_client: state.light_client.as_ref(),
            restarted_at: state.restarted_at,
            newest_signed_time: state.newest_signed_time(&network),
        })
    }

    /// The time by the wall clock, the time of the newest signed block, and how long that has been known.
    pub(crate) fn now(&self) -> Now {
        let network = self.network();
        self.state().now(&network, self.env.clock())
    }

    /// The generation of the current trust start.
    pub(crate) fn generation(&self) -> Generation {
        self.state().generation
    }

    pub(crate) fn is_faulted(&self) -> bool {
        self.state().faulted
    }

    /// Notes whether the providers say that the chain id of the network's table is wrong.
    pub(crate) fn note_wrong_chain_id(&self, is_wrong: bool) {
        self.state().has_wrong_chain_id = is_wrong;
    }

    /// The contradiction that stopped this chain.
    pub(crate) fn fault(&self) -> Option<ConsensusFault> {
        self.state().fault.clone()
    }

    /// The newest trusted block of the assurance `level`.
    pub(crate) fn newest(&self, level: Level) -> Option<Anchor> {
        self.state().chain.newest(level).cloned()
    }

    /// The newest trusted block, whatever its assurance.
    pub(crate) fn newest_of_all(&self) -> Option<Anchor> {
        self.state().chain.head().cloned()
    }

    /// The newest trusted block of the assurance `level`, and the block to request proofs at: the same block,
    /// or that of a newer head whose hash alone is known.
    pub(crate) fn target(&self, level: Level) -> (Option<Anchor>, BlockRef) {
        let state = self.state();
        let newest = state.chain.newest(level).cloned();
        let block = match (state.chain.missing_head(level), &newest) {
            (Some(hash), _) => BlockRef::ByHash(hash),
            (None, Some(newest)) => BlockRef::Known(newest.clone()),
            (None, None) => BlockRef::Tip,
        };
        (newest, block)
    }

    /// Whether there is a trusted block that is young enough to prove under.
    pub(crate) fn has_young_head(&self) -> bool {
        let head = self.newest(self.env.policy.assurance);
        head.is_some_and(|head| self.env.is_young(&head, self.now()))
    }

    pub(crate) fn anchor_at_hash(&self, hash: B256) -> Option<Anchor> {
        self.state().chain.anchor_at_hash(hash).cloned()
    }

    /// The trusted block of that `number`, if one is held.
    pub(crate) fn held_at(&self, number: u64) -> Option<Anchor> {
        self.state().chain.held_at(number).cloned()
    }

    /// The block of that `number` from which the newest head is known to descend.
    pub(crate) fn ancestor(&self, number: u64) -> Option<Anchor> {
        self.state().chain.ancestor(number).cloned()
    }

    pub(crate) fn anchor_at_root(&self, root: StateRoot) -> Option<Anchor> {
        self.state().chain.anchor_at_root(root).cloned()
    }

    /// Whether a trusted block has this state root.
    pub(crate) fn trusts_root(&self, root: StateRoot) -> bool {
        self.state().chain.anchor_at_root(root).is_some()
    }

    /// Whether the block is trusted as finalized.
    pub(crate) fn is_final(&self, block: &Anchor) -> bool {
        let state = self.state();
        state.chain.anchor_again(block).is_some_and(|again| again.assurance().level().is_strongest())
    }

    /// Whether the chain is known to have another block in its place.
    pub(crate) fn is_withdrawn(&self, block: &Anchor) -> bool {
        self.state().chain.standing(block) == Standing::Withdrawn
    }

    /// How many blocks the block of that `number` is behind the newest trusted one.
    pub(crate) fn depth_of(&self, number: u64) -> Option<u64> {
        self.state().chain.head()?.number().checked_sub(number)
    }

    /// The hash of the header that is missing for proofs under the newest head of the assurance `level`.
    pub(crate) fn missing_head(&self, level: Level) -> Option<B256> {
        self.state().chain.missing_head(level)
    }

    /// The hash of the finalized head, if its header is missing and was not requested yet. Marks it as
    /// requested.
    pub(crate) fn untried_finalized_header(&self) -> Option<B256> {
        let mut state = self.state();
        let hash = state.chain.missing_head(Level::Finalized)?;
        // One request for each head is enough here: a call that needs the header requests it itself.
        (state.finalized_header_tried.replace(hash) != Some(hash)).then_some(hash)
    }

    /// The hash of the next missing header between the newest head and the block number `lowest`.
    pub(crate) fn missing_parent(&self, lowest: u64) -> Option<B256> {
        self.state().chain.missing_parent(lowest).map(|(_, hash)| hash)
    }

    /// The hash of the next missing header between the newest finalized head and the block number `lowest`.
    pub(crate) fn missing_final_parent(&self, lowest: u64) -> Option<B256> {
        self.state().chain.missing_final_parent(lowest).map(|(_, hash)| hash)
    }

    /// Attaches a header to the chain, if it is still missing there. Another call may have attached it, or a
    /// newer head may have come.
    pub(crate) fn attach(&self, header: &ExecutionHeader) -> bool {
        let (is_attached, contradiction) = {
            let mut state = self.state();
            let attached = state.chain.attach(header).map(|_| ());
            (state.attached(&attached), state.follow())
        };
        event::contradicted(contradiction);
        is_attached
    }

    /// Attaches the header of a block whose hash the history contract records under `under`. Returns whether the chain took it.
    pub(crate) fn attach_history(
        &self,
        under: &Anchor,
        account: &Verified<Account>,
        slot: &Verified<saldo_proof::Slot>,
        header: &ExecutionHeader,
    ) -> bool {
        let mut state = self.state();
        match state.chain.attach_history(under, account, slot, header).map(|_| ()) {
            Ok(()) => state.attached(&Ok(())),
            Err(HistoryError::Chain(error)) => state.attached::<()>(&Err(error)),
            Err(_) => false,
        }
    }

    /// Confirms `block` by a proof of the history contract under `under`. A refusal means that the chain has
    /// another block at that number, or none.
    pub(crate) fn confirm_by_history(
        &self,
        under: &Anchor,
        account: &Verified<Account>,
        slot: &Verified<saldo_proof::Slot>,
        block: &Anchor,
    ) {
        let mut state = self.state();
        let confirmed = match state.chain.confirm_by_history(under, account, slot, block).map(|_| ()) {
            Err(HistoryError::Chain(error)) => Err(error),
            Ok(()) | Err(_) => Ok(()),
        };
        state.attached(&confirmed);
    }

    /// Updates the chain from the light client. Returns whether the chain is free of contradictions.
    pub(crate) fn follow(&self) -> bool {
        let (contradiction, is_faulted) = {
            let mut state = self.state();
            (state.follow(), state.faulted)
        };
        event::contradicted(contradiction);
        !is_faulted
    }

    /// Restarts trust from `checkpoint`. Everything that followed from the earlier trust start is dropped:
    /// blocks of a false chain can have any number, and would block every true reading with a lower number.
    pub(crate) fn restart_from(&self, checkpoint: Checkpoint) {
        let mut state = self.state();
        let generation = state.generation.next();
        *state = HeadState { restarted_at: Some(checkpoint), generation, ..HeadState::default() };
    }

    /// Restores the light client from storage, unless there is one already, or trust was restarted elsewhere
    /// than at `start`.
    pub(crate) fn restore(&self, light_client: Option<LightClient>, start: Option<Checkpoint>) {
        let mut state = self.state();
        if state.light_client.is_none() && state.restarted_at == start {
            state.light_client = light_client;
        }
    }

    /// Uses the stored restart `start`, which came from an earlier run or from another client of the same
    /// storage. Returns whether this restarts trust, because this client did not start there. Then a bootstrap
    /// that is still on its way does not count any more.
    pub(crate) fn start_as_stored(&self, start: Checkpoint) -> bool {
        let mut state = self.state();
        if state.restarted_at == Some(start) {
            return false;
        }
        let generation = state.generation.next();
        *state = HeadState { restarted_at: Some(start), generation, ..HeadState::default() };
        true
    }

    /// Notes a time that has certainly come. It exposes a clock that was set back while the app was closed.
    pub(crate) fn note_proven_time(&self, time: Option<UnixTime>) {
        let mut state = self.state();
        state.proven_time = state.proven_time.max(time);
    }

    /// The slot of the newest finalized head, if there is a light client.
    fn finalized_slot(&self) -> Option<Slot> {
        self.state().light_client.as_ref().map(|client| client.finalized_head().slot())
    }
}
