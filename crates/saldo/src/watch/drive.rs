//! The driver of a watch: decides when to send the next requests.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use saldo_beacon::unit::UnixTime;
use saldo_chain::Level;
use saldo_reading::{Attempt, Failure, Holding, Policy, ProviderId, Reading, Role, Why};
use saldo_source::{Deadline, IntoBoxed, SortedMap, SortedSet};

use super::change::Activity;
use super::hint::{Hint, Hints};
use super::link::Links;
use super::shown::{Outbox, SharedOutbox};
use crate::env::Env;
use crate::head::Synced;
use crate::inner::ClientInner;
use crate::pace::Pace;
use crate::read::Kind;

/// Hints are asked for at every second poll of the head. In the foreground the head is polled in every slot: a
/// head that replaces another is detected by its parent.
const POLLS_PER_HINT: u64 = 2;
/// The longest wait before the clock is read again: the clock of a device that slept has moved.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
const SHORTEST_WAIT: Duration = Duration::from_millis(1);
/// The longest pause between two tries while the user looks at the screen.
const LONGEST_PAUSE_IN_FOREGROUND: Duration = Duration::from_secs(30);
/// How often a proof is taken at the head of a rollup in the background: what L1 vouches for next is then not much newer than it.
const ROLLUP_IN_BACKGROUND: Duration = Duration::from_secs(10 * 60);
/// The number of polls in a row that fail before the watch reports it.
const FAILED_POLLS: u32 = 2;

impl Pace {
    /// How old a shown reading may become before it is proven again. In the foreground it is never too old for
    /// `policy`.
    fn reproof(self, policy: &Policy) -> Duration {
        match self {
            Self::Foreground => Duration::from_secs(5 * 60).min(policy.max_age),
            Self::Background | Self::Paused => Duration::from_secs(30 * 60),
        }
    }

    /// The longest pause between two failed tries, if only time can help.
    fn longest_backoff(self, policy: &Policy) -> Duration {
        match self {
            Self::Foreground => LONGEST_PAUSE_IN_FOREGROUND,
            Self::Background | Self::Paused => self.reproof(policy),
        }
    }
}

/// When a holding may be proven again.
#[derive(Clone, Copy, Default)]
struct Plan {
    /// Number of failed tries in a row.
    failures: u32,
    /// The earliest time of the next try, on the monotonic clock.
    not_before: Duration,
    /// Whether it is proven that there is no amount to prove, so that nothing has failed.
    is_without_amount: bool,
}

/// Keeps the readings of `holdings` up to date. Never completes.
pub(super) async fn drive(inner: Arc<ClientInner>, holdings: Vec<Holding>, outbox: SharedOutbox) {
    let mut driver = Driver {
        inner: &inner,
        holdings: &holdings,
        outbox,
        hints: Hints::default(),
        activity: Activity::Idle,
        plans: SortedMap::new(),
        poll_at: Duration::ZERO,
        polls: 0,
        failed_polls: 0,
        silent_sources: Vec::new(),
        links: Links::default(),
    };
    inner.open_storage(Deadline::after(inner.env.clock(), Env::GRACE)).await;
    let mut wakes = inner.hub.wakes();
    loop {
        // Counted before the work, so that no later notification is missed.
        let notifications = inner.hub.notify.count();
        let woken = inner.hub.wakes();
        if wakes != woken {
            wakes = woken;
            driver.plans.clear();
            driver.poll_at = Duration::ZERO;
            // So that the first poll asks for hints.
            driver.polls = POLLS_PER_HINT.saturating_sub(1);
        }
        driver.queue_changes();
        driver.run_due(notifications).await;
        driver.wait(notifications).await;
    }
}

struct Driver<'a> {
    inner: &'a ClientInner,
    holdings: &'a [Holding],
    outbox: SharedOutbox,
    hints: Hints,
    activity: Activity,
    plans: SortedMap<Holding, Plan>,
    /// When to poll for a new head next, on the monotonic clock.
    poll_at: Duration,
    /// Number of polls since all holdings were read.
    polls: u64,
    /// Number of polls in a row in which no source gave a head.
    failed_polls: u32,
    /// The sources that failed in the last of them.
    silent_sources: Vec<ProviderId>,
    links: Links,
}

impl Driver<'_> {
    /// Proves and polls what is due now.
    async fn run_due(&mut self, notifications: u64) {
        let (pace, now) = (self.inner.hub.pace(), self.inner.env.clock().monotonic());
        if pace == Pace::Paused {
            self.become_active(Activity::Idle);
            return;
        }
        let is_due = |holding: &&Holding| self.due_at(holding, pace, now) <= now;
        let due: Vec<Holding> = self.holdings.iter().filter(is_due).copied().collect();
        if !due.is_empty() {
            self.prove(&due, pace, notifications).await;
        }
        if self.may_poll(pace) && self.poll_at <= self.inner.env.clock().monotonic() {
            self.poll(notifications).await;
        }
    }

    /// When `holding` has to be proven, on the monotonic clock, which is at `now`. A holding without a current
    /// proof is due at once. A proven one is due when its reading is old.
    fn due_at(&self, holding: &Holding, pace: Pace, now: Duration) -> Duration {
        let not_before = self.plans.get(holding).map_or(Duration::ZERO, |plan| plan.not_before);
        let is_proven = self.is_proven(holding);
        let last = self.inner.last(holding).filter(|last| is_proven && !last.is_restored());
        // If the clock is wrong the age is not known. Then the pause after the last proof decides.
        let age = last.and_then(|last| self.inner.head.now().age_of(last.anchor().timestamp()));
        // A block of a rollup that is proven is old already: only the pause since the last look decides.
        let age = age.filter(|_| !self.inner.head.is_of_rollup());
        let left = age.map_or(Duration::ZERO, |age| pace.reproof(&self.inner.env.policy).saturating_sub(age));
        now.saturating_add(left).max(not_before)
    }

    /// Whether to poll for heads and hints: only in the foreground, and only for a reading that a new head can
    /// change.
    fn may_poll(&self, pace: Pace) -> bool {
        let outbox = self.outbox();
        let can_change = |holding: &Holding| {
            outbox.reading(holding).is_some_and(|reading| !reading.why().is_some_and(Why::needs_action))
        };
        // The head of a rollup is looked at with each proof.
        let polls = pace == Pace::Foreground && !self.inner.head.is_of_rollup();
        polls && self.holdings.iter().any(can_change)
    }

    /// Proves `holdings`. Stops if the pace becomes [`Pace::Paused`] meanwhile.
    async fn prove(&mut self, holdings: &[Holding], pace: Pace, notifications: u64) {
        self.become_active(Activity::Fetching);
        let inner = self.inner;
        let time = match pace {
            Pace::Background => inner.env.policy.deadline.max(inner.env.policy.in_background().deadline),
            Pace::Foreground | Pace::Paused => inner.env.policy.deadline,
        };
        let read = inner.read(holdings, Kind::Newest, Deadline::after(inner.env.clock(), time)).into_boxed();
        let Either::Left((readings, _)) = select(read, paused(inner, notifications).into_boxed()).await
        else {
            inner.persist(Deadline::after(inner.env.clock(), inner.env.policy.deadline)).await;
            return self.become_active(Activity::Idle);
        };
        if holdings.len() == self.holdings.len() {
            self.poll_at = inner.env.clock().monotonic().saturating_add(inner.head.until_next_head());
            self.polls = 0;
        }
        // All of them rest on the same heads.
        let is_of_heads = |attempt: &&Attempt| attempt.role == Role::Beacon;
        let of_first = readings.first().map_or(&[][..], Reading::attempts);
        let heads: Vec<&Attempt> = of_first.iter().filter(is_of_heads).collect();
        let is_proven = readings.iter().any(|reading| reading.proven().is_some());
        if is_proven || !heads.is_empty() {
            self.record_heads(if is_proven { &[] } else { &heads });
        }
        for (holding, reading) in holdings.iter().zip(&readings) {
            self.plan(*holding, reading, pace);
        }
        for (holding, reading) in holdings.iter().zip(readings) {
            self.outbox().set_reading(*holding, reading);
        }
        self.become_active(self.activity_after());
        self.queue_changes();
    }

    /// Sets when `holding` may be proven again after this `reading`.
    fn plan(&mut self, holding: Holding, reading: &Reading, pace: Pace) {
        let inner = self.inner;
        let plan = self.plans.entry(holding).or_default();
        if inner.unreadable(&holding).is_some() {
            // No later try can read it.
            plan.not_before = Duration::MAX;
            return;
        }
        // Such a token can still become one, or be upgraded. It is looked at again as after a failure, which it is not.
        let is_without_amount = matches!(
            reading.why(),
            Some(Why::NotAToken { .. } | Why::TokenLayoutUnproven | Why::TokenNotRun { .. })
        );
        if is_without_amount != plan.is_without_amount {
            *plan = Plan { is_without_amount, ..Plan::default() };
        }
        let pause_of_rollup = match pace {
            Pace::Foreground => inner.head.until_next_head(),
            Pace::Background | Pace::Paused => {
                let reach = inner.rollup.as_ref().and_then(|rollup| rollup.reach());
                reach.map_or(ROLLUP_IN_BACKGROUND, |reach| reach.min(ROLLUP_IN_BACKGROUND))
            }
        };
        let pause = match reading {
            Reading::Proven(_) | Reading::Provisional(_)
                if inner.head.is_of_rollup() && !reading.why().is_some_and(Why::needs_action) =>
            {
                plan.failures = 0;
                pause_of_rollup
            }
            Reading::Proven(_) => {
                plan.failures = 0;
                // If the clock is wrong the age is not known, and the holding would be due at once, for ever.
                // Otherwise no newer reading can be proven before the next head.
                if inner.head.now().clock_off() {
                    pace.reproof(&inner.env.policy)
                } else {
                    inner.head.until_next_head()
                }
            }
            Reading::Provisional(claim) if !claim.why().needs_action() => {
                plan.failures = 0;
                inner.head.until_next_head()
            }
            Reading::Provisional(_) | Reading::Unknown(_) => {
                let doubled = 1_u32.checked_shl(plan.failures.min(16)).unwrap_or(u32::MAX);
                plan.failures = plan.failures.saturating_add(1);
                // At least one slot, however small the policy's maximum age is.
                let slot = inner.head.network().slot_duration();
                // Also if the user has to act: nothing tells the app that a log-in page is gone.
                let longest = match is_without_amount {
                    true => pace.reproof(&inner.env.policy),
                    false => pace.longest_backoff(&inner.env.policy),
                };
                let backoff = slot.saturating_mul(doubled).min(longest).max(slot);
                backoff.max(reading.why().and_then(Why::retry_after).unwrap_or_default())
            }
        };
        plan.not_before = inner.env.clock().monotonic().saturating_add(pause);
    }

    /// The activity to report until something is due.
    fn activity_after(&self) -> Activity {
        let failed = || {
            self.holdings.iter().filter(|holding| {
                self.plans.get(holding).is_some_and(|plan| plan.failures > 0 && !plan.is_without_amount)
            })
        };
        let is_offline = |holding: &Holding| {
            self.outbox().reading(holding).and_then(Reading::why) == Some(&Why::DeviceOffline)
        };
        if failed().any(is_offline) {
            return Activity::Offline;
        }
        let next = failed().filter_map(|holding| self.plans.get(holding)).map(|plan| plan.not_before).min();
        if self.failed_polls >= FAILED_POLLS {
            let poll_at = self.may_poll(self.inner.hub.pace()).then_some(self.poll_at);
            let until = next.into_iter().chain(poll_at).min().unwrap_or(self.poll_at);
            return Activity::NoNewHeads { sources: self.silent_sources.clone(), until: self.wall_at(until) };
        }
        match next {
            Some(next) => Activity::BackingOff { until: self.wall_at(next) },
            None => Activity::Idle,
        }
    }

    /// The time by the device's clock at `moment` on the monotonic clock.
    fn wall_at(&self, moment: Duration) -> UnixTime {
        let clock = self.inner.env.clock();
        clock.wall().saturating_add(moment.saturating_sub(clock.monotonic()))
    }

    /// Records how the sources answered a poll.
    fn record_poll(&mut self, synced: &Synced) {
        if synced.attempts.is_empty() && !self.inner.head.head_is_newest() {
            return; // There was no time to ask.
        }
        self.record_heads(&synced.attempts.iter().collect::<Vec<_>>());
    }

    /// Records how the sources answered when a head was asked for. Without an attempt the newest head is known: another call has asked.
    fn record_heads(&mut self, attempts: &[&Attempt]) {
        let failed = |attempt: &&Attempt| attempt.outcome.failure().is_some_and(is_silence);
        if attempts.is_empty() || !attempts.iter().all(failed) {
            if std::mem::take(&mut self.failed_polls) > 0 {
                // The network is back: what failed is tried at once.
                self.plans.retain(|_, plan| plan.failures == 0);
            }
            self.silent_sources.clear();
            return;
        }
        self.failed_polls = self.failed_polls.saturating_add(1);
        let sources: SortedSet<&ProviderId> = attempts.iter().map(|attempt| &attempt.provider).collect();
        self.silent_sources = sources.into_iter().cloned().collect();
    }

    /// Polls for a new head, which may withdraw a shown reading or make it final, and for hints that a balance
    /// changed.
    async fn poll(&mut self, notifications: u64) {
        let inner = self.inner;
        self.poll_at = inner.env.clock().monotonic().saturating_add(inner.head.until_next_head());
        self.polls = self.polls.saturating_add(1);
        let wants_hints = self.polls.is_multiple_of(POLLS_PER_HINT);
        let deadline =
            Deadline::after(inner.env.clock(), inner.env.policy.deadline.checked_div(2).unwrap_or_default());
        let polled = async {
            let synced = inner.sync(deadline).await;
            self.record_poll(&synced);
            self.links.extend(inner, self.holdings, deadline).await;
            inner.raise_watched(self.holdings, deadline).await;
            inner.persist(deadline).await;
            if wants_hints { self.hints.ask(inner, self.holdings).await } else { Vec::new() }
        };
        let Either::Left((hints, _)) =
            select(polled.into_boxed(), paused(inner, notifications).into_boxed()).await
        else {
            return;
        };
        self.queue_changes();
        if self.activity != Activity::Fetching {
            self.become_active(self.activity_after());
        }
        if inner.head.is_faulted() {
            // From now on every reading is `consensus_fault`.
            return self.prove(self.holdings, Pace::Foreground, notifications).await;
        }
        if hints.is_empty() {
            return;
        }
        let hinted: Vec<Holding> = hints.iter().map(|hint| hint.holding).collect();
        let amount = |holding: &Holding| inner.last(holding).map(|last| last.amount());
        let before: Vec<_> = hinted.iter().map(amount).collect();
        self.prove(&hinted, Pace::Foreground, notifications).await;
        let now = inner.env.clock().monotonic();
        for (Hint { holding, provider }, before) in hints.iter().zip(before) {
            if self.is_proven(holding) {
                self.hints.note(provider, amount(holding) != before, now);
            }
        }
    }

    /// Waits until something is due, a notification comes, or a shown reading becomes old.
    async fn wait(&self, notifications: u64) {
        let inner = self.inner;
        let (now, pace) = (inner.env.clock().monotonic(), inner.hub.pace());
        let mut pause = LONGEST_WAIT;
        if pace != Pace::Paused {
            let due = self.holdings.iter().map(|holding| self.due_at(holding, pace, now));
            let poll_at = self.may_poll(pace).then_some(self.poll_at);
            let first = due.chain(poll_at).min();
            pause = pause.min(first.map_or(LONGEST_WAIT, |first| first.saturating_sub(now)));
        }
        let ages = self.holdings.iter().filter_map(|holding| inner.fresh_for(&inner.last(holding)?)).min();
        let old = ages.map(|left| left.saturating_add(SHORTEST_WAIT));
        let pause = pause.min(old.unwrap_or(LONGEST_WAIT)).max(SHORTEST_WAIT);
        let wait =
            select(inner.env.clock().sleep(pause), inner.hub.notify.notified(notifications).into_boxed());
        inner.beside_storage(wait).await;
    }

    fn become_active(&mut self, activity: Activity) {
        if self.activity != activity {
            self.activity = activity.clone();
            self.outbox().queue_activity(activity);
        }
    }

    fn queue_changes(&self) {
        self.outbox().queue_changes(self.inner, self.holdings);
    }

    /// Whether the last reading of `holding` is proven.
    fn is_proven(&self, holding: &Holding) -> bool {
        matches!(self.outbox().reading(holding), Some(Reading::Proven(_)))
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the source gave no data at all. One that answers with the head that is known already is not silent, because
/// blocks can be missing.
fn is_silence(failure: &Failure) -> bool {
    let refuses =
        matches!(failure, Failure::RateLimited { .. } | Failure::QuotaExhausted | Failure::Denied { .. });
    refuses || failure.is_unreachable()
}

/// Completes when the pace is [`Pace::Paused`].
async fn paused(inner: &ClientInner, mut notifications: u64) {
    while inner.hub.pace() != Pace::Paused {
        inner.hub.notify.notified(notifications).await;
        notifications = inner.hub.notify.count();
    }
}

impl ClientInner {
    /// Raises signed readings of `holdings` to final where finality has reached their block.
    async fn raise_watched(&self, holdings: &[Holding], deadline: Deadline) {
        let finalized = self.head.newest(Level::Finalized).map(|head| head.number());
        let is_passed = |holding: &&Holding| {
            let last = self.last(holding);
            last.is_some_and(|last| {
                last.anchor().assurance().level() < Level::Finalized
                    && Some(last.anchor().number()) <= finalized
            })
        };
        let passed: Vec<Holding> = holdings.iter().filter(is_passed).copied().collect();
        if !passed.is_empty() {
            self.raise(passed, deadline).await;
        }
    }
}
