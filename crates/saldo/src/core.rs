//! What a client holds: who can be asked, and what is known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use alloy_primitives::B256;
use futures_util::future::BoxFuture;
use saldo_beacon::unit::{Slot, UnixTime};
use saldo_beacon::{AdoptError, Checkpoint, ConsensusFault, LightClient, Network};
use saldo_chain::{Anchor, Chain, Level};
use saldo_reading::{Candidate, Change, Generation, Holding, Now, Policy, ProviderId, Record, Role, join};
use saldo_source::{Answer, Clock, Deadline, DisclosureSet, Dispatcher, Endpoint, Hedged, Io, RequestSpec};

use crate::capability::{Capabilities, Capability};
use crate::certain_time::CertainTime;
use crate::checked::Checked;
use crate::disclosed::Disclosures;
use crate::event;
use crate::evidence::EvidenceLog;
use crate::hub::{WatchHub, Withdrawals};
use crate::pending::{PendingProof, PendingProofs};
use crate::start::TrustStart;
use crate::store::{Claim, Store, Unsaved};

/// Shared by all clones of a client.
pub(crate) struct Core {
    /// Replaced as a whole when the app hands in a newer table.
    network: RwLock<Arc<Network>>,
    pub(crate) trust_start: TrustStart,
    pub(crate) policy: Policy,
    pub(crate) execution: Vec<Endpoint>,
    pub(crate) beacon: Vec<Endpoint>,
    /// The outside world, and what was learned of those who were asked there.
    pub(crate) dispatcher: Dispatcher,
    /// Where what is known is kept over a restart, if anywhere.
    pub(crate) store: Option<Store>,
    /// What watches have in common.
    pub(crate) hub: WatchHub,
    /// Held by the one future that brings the light client up to date.
    pub(crate) syncing: futures_util::lock::Mutex<()>,
    known: Mutex<Known>,
}

/// What is known. Only ever locked for a moment, never across an await.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) light_client: Option<LightClient>,
    /// Follows the hand-overs from an old checkpoint, where the checkpoint sources disagree. Never proven under.
    pub(crate) walker: Option<LightClient>,
    pub(crate) chain: Chain,
    pub(crate) pending: PendingProofs,
    pub(crate) capabilities: Capabilities,
    /// Which operators know of which address.
    pub(crate) disclosures: Disclosures,
    /// Until when providers need not be asked only to get to know them, on the monotonic clock.
    pub(crate) explored: BTreeMap<ProviderId, Duration>,
    /// Proofs that are false under the block they were asked for.
    pub(crate) evidence: EvidenceLog,
    pub(crate) records: BTreeMap<Holding, Record>,
    pub(crate) withdrawn: BTreeMap<Holding, Candidate>,
    /// What watches have to tell of.
    pub(crate) withdrawals: Withdrawals,
    /// Older readings that were kept, to fall back to. Not checked yet.
    pub(crate) older: BTreeMap<Holding, Vec<Claim>>,
    /// What is proven and not kept yet, by holding and block. Always empty where there is no storage.
    pub(crate) unsaved: BTreeMap<(Holding, B256), Unsaved>,
    /// The heads contradicted each other or what is final. Nothing more is proven from this chain until trust starts again
    /// at another checkpoint.
    pub(crate) faulted: bool,
    /// The contradiction itself, kept beside the light client in case another takes its place.
    pub(crate) fault: Option<ConsensusFault>,
    /// Where the caller had trust start again, instead of where the client was set up to start.
    pub(crate) started_again_at: Option<Checkpoint>,
    /// Counts the trust starts: what was under way before the last one does not count after it.
    pub(crate) generation: Generation,
    /// Providers that said they serve this chain.
    pub(crate) chain_confirmed: BTreeSet<ProviderId>,
    /// The latest time that a committee's signature proves to have come, although the head that it signs was refused as
    /// being from the future.
    pub(crate) proven_time: Option<UnixTime>,
    /// The time that has certainly come.
    certain_time: Option<CertainTime>,
    /// By how many slots more than usual even the best sources were behind the clock, if they were.
    pub(crate) common_lag: Option<CommonLag>,
    /// The sources that said nothing when newer heads were asked for last.
    pub(crate) silent_sources: BTreeSet<ProviderId>,
    /// When a source gave heads last that were not refused, on the monotonic clock.
    pub(crate) heads_answered: Option<Duration>,
    /// The sources that had no bootstrap when they were last asked for one: nothing is fetched from them beside the next.
    pub(crate) without_bootstrap: BTreeSet<ProviderId>,
    /// The finalized head whose header was asked for before it was needed.
    pub(crate) finalized_header_tried: Option<B256>,
    /// Until when the period's next committee need not be asked for again, on the monotonic clock. `None` from when an
    /// app is opened again until it is asked for.
    pub(crate) next_committee_after: Option<Duration>,
}

/// By how many slots more than usual all sources that answered were behind the clock: then it is the clock that is fast, or
/// the chain that stands still, and asking all of them again and again brings nothing.
#[derive(Clone, Copy)]
pub(crate) struct CommonLag {
    pub(crate) slots: u64,
    /// The slot it was when that was learned, and for how many it is believed: one that was away may know better.
    pub(crate) since: Slot,
    pub(crate) lasts: u64,
}

/// What became of joining a verified account with the chain as it is known.
pub(crate) enum Joined {
    /// It is the amount to show.
    Proven(Box<Candidate>),
    /// It is genuine, but older than what is shown already, or than the policy allows.
    Old { number: u64 },
    /// Its root belongs to no block that is trusted enough yet.
    NotYet,
}

impl Core {
    /// How long more is waited for what would be good to have, where what is needed is there.
    pub(crate) const GRACE: Duration = Duration::from_millis(400);
    /// How far below the newest head a waiting proof's block is looked for, and for how many slots it waits.
    pub(crate) const LINK_DEPTH: u64 = 16;

    pub(crate) fn new(
        network: Arc<Network>,
        trust_start: TrustStart,
        policy: Policy,
        execution: Vec<Endpoint>,
        beacon: Vec<Endpoint>,
        io: Io,
        store: Option<Store>,
    ) -> Self {
        let (hub, syncing, known) = Default::default();
        let network = RwLock::new(network);
        let dispatcher = Dispatcher::new(io);
        Self { network, trust_start, policy, execution, beacon, dispatcher, store, hub, syncing, known }
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.dispatcher.io().clock()
    }

    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        // A panic while the lock was held cannot have left half a state: every change is one assignment.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The table of the chain as it is known now.
    pub(crate) fn network(&self) -> Arc<Network> {
        Arc::clone(&self.network.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a newer table of the same chain. Locks what is known first, as everybody does who needs both.
    pub(crate) fn adopt(&self, network: Arc<Network>) -> Result<(), AdoptError> {
        let mut known = self.known();
        self.network().allows(&network)?;
        if let Some(light_client) = &mut known.light_client {
            light_client.adopt(Arc::clone(&network))?;
        }
        // It is only a walk, and begins again.
        known.walker = None;
        *self.network.write().unwrap_or_else(PoisonError::into_inner) = network;
        Ok(())
    }

    /// The time by the wall clock, the newest signed block, and what has passed since that became known.
    pub(crate) fn now(&self) -> Now {
        let (network, clock) = (self.network(), self.clock());
        self.known().now(&network, clock)
    }

    /// How long one attempt may take: as long as there is time. Nobody waits for it alone, because the others are asked
    /// beside it.
    pub(crate) fn time_left(&self, deadline: Deadline) -> Duration {
        deadline.left(self.clock())
    }

    /// Asks the endpoints of `role`, by waves, until one wins. The question names no address, so everybody may be asked.
    pub(crate) async fn hedge<'a, T: Send + 'a>(
        &'a self,
        role: Role,
        method: &'static str,
        deadline: Deadline,
        ask: impl Fn(&'a Endpoint) -> BoxFuture<'a, Answer<T>>,
    ) -> Hedged<T> {
        let endpoints = match role {
            Role::Execution => &self.execution,
            // Checkpoint sources are asked all together, never in a race.
            Role::Beacon | Role::Checkpoint => &self.beacon,
        };
        let hedge = RequestSpec { role, method, deadline };
        self.dispatcher.hedge_one(hedge, endpoints, DisclosureSet::unrestricted(), ask).await
    }

    /// What `provider` can do, as far as it is known.
    pub(crate) fn capability(&self, provider: &ProviderId) -> Capability {
        self.known().capabilities.of(provider, self.clock().monotonic())
    }

    /// Notes what `provider` can do.
    pub(crate) fn learn(&self, provider: &ProviderId, learn: impl FnOnce(&mut Capability)) {
        let now = self.clock().monotonic();
        self.known().capabilities.note(provider, now, learn);
    }

    /// Whether a proof at a tip that nobody has signed yet can become of use: a signature follows within slots, but finality
    /// not within any reading's patience.
    pub(crate) fn takes_tips(level: Level) -> bool {
        level == Level::Signed
    }

    /// The policy for a block of the assurance `level`: a finalized one is older where the policy does not ask for it.
    pub(crate) fn policy_at(&self, level: Level) -> Policy {
        if level <= self.policy.assurance {
            return self.policy;
        }
        Policy { max_age: self.policy.max_age.max(Policy::finalized().max_age), ..self.policy }
    }

    /// Whether `anchor` is young enough for the policy. Where the clock is off nothing is, because its age is not known.
    pub(crate) fn is_young(&self, anchor: &Anchor) -> bool {
        let now = self.now();
        now.age_of(anchor.timestamp()).is_some_and(|age| now.allows(age, &self.policy))
    }

    /// Whether a block is trusted that is young enough to prove under.
    pub(crate) fn has_young_head(&self) -> bool {
        let head = self.known().chain.newest(self.policy.assurance).cloned();
        head.is_some_and(|head| self.is_young(&head))
    }

    /// What is recorded as the newest of `holding`. The gate decides whether it may be handed out.
    pub(crate) fn newest(&self, holding: &Holding) -> Option<Candidate> {
        self.known().records.get(holding)?.last().cloned()
    }

    /// The newest reading of `holding` at a finalized block, and the signed blocks of later ones, lowest first.
    pub(crate) fn finalized_record(&self, holding: &Holding) -> (Option<Candidate>, Vec<Anchor>) {
        let known = self.known();
        let Some(record) = known.records.get(holding) else { return (None, Vec::new()) };
        let awaiting = record.awaiting_finality().iter().filter(|proven| !proven.is_restored());
        let awaiting = awaiting.map(|proven| proven.anchor().clone()).collect();
        (record.finalized().cloned(), awaiting)
    }

    /// Tries to join `account` with a trusted block; what joins is offered to the record of its holding.
    pub(crate) fn join(
        &self,
        holding: Holding,
        checked: &Checked,
        provider: &ProviderId,
        level: Level,
    ) -> Joined {
        let account = &checked.account;
        let now = self.now();
        let mut known = self.known();
        if known.faulted {
            return Joined::NotYet;
        }
        let Some(anchor) = known.chain.anchor_at_root(account.state_root()).cloned() else {
            return Joined::NotYet;
        };
        if anchor.assurance().level() < level {
            return Joined::NotYet;
        }
        let chain_id = self.network().chain_id();
        let generation = known.generation;
        let Ok(proven) = join(holding, chain_id, account, &anchor, provider.clone(), generation) else {
            return Joined::NotYet;
        };
        let number = anchor.number();
        let record = known.records.entry(holding).or_default();
        let newest = if level > self.policy.assurance { record.finalized() } else { record.last() };
        let outdated = newest.is_some_and(|newest| newest.anchor().number() > number);
        let final_before = record.finalized().map(|held| held.anchor().number());
        let is_newest = record.offer(proven.clone()) == Change::Replaced;
        let is_newest_final = record.finalized().map(|held| held.anchor().number()) > final_before;
        if is_newest {
            known.withdrawn.remove(&holding);
        }
        if is_newest_final {
            known.older.remove(&holding);
        }
        if is_newest || is_newest_final {
            known.is_to_be_kept(&proven, checked);
            self.hub.notify.notify_all();
        }
        let policy = self.policy_at(level);
        if outdated || now.age_of(anchor.timestamp()).is_none_or(|age| !now.allows(age, &policy)) {
            return Joined::Old { number };
        }
        Joined::Proven(Box::new(proven))
    }

    /// Carries what the light client learned over to the chain and the records; gives whether the chain is sound.
    pub(crate) fn follow(&self) -> bool {
        let mut known = self.known();
        let Known { light_client, chain, faulted, fault, .. } = &mut *known;
        let was_at_fault = fault.is_some();
        if let Some(light_client) = light_client {
            if !*faulted && chain.follow(light_client).is_err() {
                light_client.stop_for_reverted_finality();
                *faulted = true;
            }
            *faulted |= light_client.consensus_fault().is_some();
            *fault = fault.take().or_else(|| light_client.consensus_fault().cloned());
        }
        let faults = known.load_older_of_lost(self.store.as_ref());
        let Known { chain, records, withdrawn, withdrawals, faulted, fault, .. } = &mut *known;
        let mut gone = Vec::new();
        for (holding, record) in records {
            if let Change::Withdrawn { withdrawn: taken_back } = record.review(chain) {
                gone.push(taken_back.anchor().number());
                withdrawals.note((*taken_back).clone());
                withdrawn.insert(*holding, *taken_back);
            }
        }
        let is_faulted = *faulted;
        let contradiction = fault.as_ref().filter(|_| !was_at_fault).map(ConsensusFault::slot);
        drop(known);
        if !gone.is_empty() {
            self.hub.notify.notify_all();
        }
        self.note_faults(faults);
        event::followed(&gone, contradiction);
        !is_faulted
    }

    /// Has trust start again at `checkpoint`. Nothing that followed from the start before stays: of a chain that turns out
    /// not to be the one, blocks can have any number, and would stand in the way of every true reading below it. What is
    /// kept is given up as well, and where trust starts is kept.
    pub(crate) fn restart_from(&self, checkpoint: Checkpoint) {
        event::start_again();
        // As always: first what is kept, then what is known.
        let saving = self.store.as_ref().map(Store::begin);
        {
            let mut known = self.known();
            let generation = known.generation.next();
            let Known { capabilities, disclosures, evidence, chain_confirmed, withdrawals, .. } =
                std::mem::take(&mut *known);
            let started_again_at = Some(checkpoint);
            *known = Known {
                capabilities,
                disclosures,
                evidence,
                chain_confirmed,
                withdrawals,
                started_again_at,
                generation,
                ..Known::default()
            };
        }
        if let Some(saving) = saving {
            saving.forget_all(&self.network(), checkpoint);
        }
        self.hub.notify.notify_all();
    }

    /// Gives up all that is known of `holding`.
    pub(crate) fn forget(&self, holding: &Holding) {
        let saving = self.store.as_ref().map(Store::begin);
        {
            let mut known = self.known();
            known.records.remove(holding);
            known.withdrawn.remove(holding);
            known.older.remove(holding);
            known.unsaved.retain(|(held, _), _| held != holding);
            known.pending.remove_all(*holding);
            known.disclosures.remove(holding.owner);
        }
        if let Some(saving) = saving {
            saving.forget(holding);
        }
        // Nor is written down who knows of it.
        self.persist();
        self.hub.notify.notify_all();
    }

    /// Joins those of the `waiting` proofs whose block is trusted by now, and gives the newest reading.
    pub(crate) fn join_pending(&self, holding: Holding, waiting: &[PendingProof]) -> Option<Candidate> {
        let mut newest: Option<Candidate> = None;
        for PendingProof { provider, checked, .. } in waiting {
            let joined = self.join(holding, checked, provider, self.policy.assurance);
            if !matches!(joined, Joined::NotYet) {
                self.known().pending.remove(holding, provider, checked.account.state_root());
                self.learn(provider, |known| known.tips_were_signed = true);
            }
            if let Joined::Proven(proven) = joined {
                // Who proved it belongs to the circle, whether it was within the policy to ask him or not.
                if let Some(endpoint) = self.execution.iter().find(|known| known.id() == provider) {
                    self.known().disclosures.admit(holding.owner, endpoint);
                }
                let number = proven.anchor().number();
                if newest.as_ref().is_none_or(|held| held.anchor().number() < number) {
                    newest = Some(*proven);
                }
            }
        }
        newest
    }
}

impl Known {
    /// Proves nothing more from this chain: it contradicted what is final.
    pub(crate) fn stop(&mut self) {
        self.faulted = true;
        self.light_client.iter_mut().for_each(LightClient::stop_for_reverted_finality);
    }

    /// The reading of `holding` that was proven last.
    pub(crate) fn last_of(&self, holding: &Holding) -> Option<&Candidate> {
        self.records.get(holding)?.last()
    }

    /// Takes back a reading that was kept.
    pub(crate) fn offer_restored(&mut self, proven: Candidate) {
        let _ = self.records.entry(*proven.holding()).or_default().offer(proven);
    }

    /// All of which something is proven.
    pub(crate) fn proven_holdings(&self) -> impl Iterator<Item = Holding> {
        self.records.iter().filter(|(_, record)| record.last().is_some()).map(|(holding, _)| *holding)
    }

    /// The hashes of the blocks whose readings the chain took back.
    pub(crate) fn withdrawn_blocks(&self) -> impl Iterator<Item = B256> {
        self.withdrawn.values().map(|proven| proven.anchor().hash())
    }

    /// The time by the wall clock, the newest signed block, and what has passed since that became known.
    pub(crate) fn now(&mut self, network: &Network, clock: &dyn Clock) -> Now {
        let certain = self.certain_time(network, clock.monotonic());
        Now::new(clock.wall(), certain, network.slot_duration())
    }

    /// The time that has certainly come: that of the newest block that is known to be signed, and what has passed since then
    /// on the `monotonic` clock, which nobody sets back.
    fn certain_time(&mut self, network: &Network, monotonic: Duration) -> Option<UnixTime> {
        let newest = self.newest_signed_time(network)?;
        let certain = CertainTime::after(self.certain_time, newest, monotonic);
        self.certain_time = Some(certain);
        Some(certain.at(monotonic))
    }

    /// The time of the newest block that is known to be signed.
    pub(crate) fn newest_signed_time(&self, network: &Network) -> Option<UnixTime> {
        let light_client = self.light_client.as_ref()?;
        let signed = light_client.signed_head().map(|head| head.slot());
        let newest = network.slot_start(signed.unwrap_or_else(|| light_client.finalized_head().slot()));
        Some(self.proven_time.map_or(newest, |proven| proven.max(newest)))
    }
}
