//! What was learned of the providers by asking them: who answers usefully, how fast, and who wants to be left alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use saldo_reading::{Attempt, Failure, Outcome, ProviderId, Role, TransportError};

use crate::budget::{Allowance, Budget};
use crate::co_failure::CoFailures;
use crate::endpoint::Endpoint;

/// What a provider that sent false proofs is not asked for as long as somebody else is left.
const PROOFS: [&str; 2] = ["eth_getProof", FINAL_PROOFS];

/// `eth_getProof` at a finalized block, under which it is remembered apart who has proofs so old.
pub const FINAL_PROOFS: &str = "eth_getProof at a finalized block";

/// Counts what is useful: a provider stands well by answers that were used, not by answers.
///
/// Whoever was asked without being of use is asked last, the latest the very last, until he is of use again: so one that
/// hangs, lies or has nothing costs time once. Among the others speed counts by doublings, so that within a factor of two
/// the order stays as the wallet gave it.
#[derive(Debug)]
pub(crate) struct Standings {
    of: BTreeMap<(Role, ProviderId), Standing>,
    /// Numbers what was noted.
    noted: u64,
    pub(crate) hedges: Budget,
    pub(crate) retries: Budget,
    /// Whether the app says that the device is offline.
    pub(crate) is_offline: bool,
    /// When anybody answered anything last, on the monotonic clock.
    heard: Option<Duration>,
    /// Who is on this device: that he is there says nothing of the network.
    local: BTreeSet<ProviderId>,
    /// Who sent a false proof, and how often.
    strikes: BTreeMap<ProviderId, u32>,
    /// Who was found unreachable together.
    pub(crate) co_failures: CoFailures,
    chance: Chance,
}

/// What only has to differ from device to device, and is the same again for the same seed.
#[derive(Debug)]
struct Chance(u64);

#[derive(Debug)]
pub(crate) struct Standing {
    /// The methods for which it was of no use when it was last asked, with the number under which that was noted.
    useless: BTreeMap<&'static str, u64>,
    /// The same where nothing came at all, whatever the method.
    silent: Option<u64>,
    /// How long its last useful answers took, by method.
    took: BTreeMap<&'static str, VecDeque<Duration>>,
    rest: Option<Rest>,
    /// How often in a row it asked to wait without saying how long.
    limited: u32,
    /// Why it was of no use the last time, and when, on the monotonic clock.
    pub(crate) last: Option<(Failure, Duration)>,
    /// When an answer of it was used last, on the monotonic clock.
    pub(crate) accepted: Option<Duration>,
    allowance: Allowance,
}

/// A provider that asked to be left alone.
#[derive(Clone, Debug)]
struct Rest {
    /// On the monotonic clock.
    until: Duration,
    /// When it may be asked if nobody else is left.
    at_worst: Duration,
    why: Failure,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            useless: BTreeMap::new(),
            silent: None,
            took: BTreeMap::new(),
            rest: None,
            limited: 0,
            last: None,
            accepted: None,
            allowance: Allowance::full(),
        }
    }
}

/// Whether a provider may be asked now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    Free,
    /// Only if nobody else is left, and not before this moment on the monotonic clock, if ever; told as this failure.
    Not {
        until: Option<Duration>,
        why: Failure,
    },
}

impl Standings {
    /// So many false proofs, and a provider is asked only when nobody else is left.
    pub(crate) const STRIKES: u32 = 2;
    /// How long to wait for an answer before the next is asked, where nothing is known of the first.
    pub(crate) const USUAL_HEDGE_DELAY: Duration = Duration::from_millis(400);
    const LEAST_PATIENCE: Duration = Duration::from_millis(150);
    const MOST_PATIENCE: Duration = Duration::from_secs(2);
    /// So many answers are remembered of each method, and below so many nothing follows from them.
    const SAMPLES: usize = 32;
    const FEWEST_SAMPLES: usize = 3;
    /// Nobody is left alone for longer, whatever he asks for; one whose quota is used up only while others are of use.
    const LONGEST_REST: Duration = Duration::from_secs(5 * 60);
    /// One who asks to wait without saying how long: at first, and at most.
    const FIRST_REST: Duration = Duration::from_secs(1);
    /// Whoever was heard this short a time ago shows that there is a network.
    const MOMENT: Duration = Duration::from_secs(10);
    const DAY: u64 = 24 * 60 * 60;

    /// Nothing is known. `seed` decides what is left to chance.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            of: BTreeMap::new(),
            noted: 0,
            hedges: Budget::full(),
            retries: Budget::full(),
            is_offline: false,
            heard: None,
            local: BTreeSet::new(),
            strikes: BTreeMap::new(),
            co_failures: CoFailures::default(),
            chance: Chance(seed),
        }
    }

    /// The `endpoints` in the order in which to ask them for `method`, best first.
    pub(crate) fn order<'a>(
        &self,
        role: Role,
        method: &'static str,
        endpoints: &'a [Endpoint],
    ) -> Vec<&'a Endpoint> {
        let mut ordered: Vec<&Endpoint> = endpoints.iter().collect();
        ordered.sort_by_key(|endpoint| {
            let standing = self.of.get(&(role, endpoint.id().clone()));
            standing.map_or((0, 0), |standing| (standing.uselessness(method), standing.slowness(method)))
        });
        ordered
    }

    /// Whether a provider was of use when it was last asked for `method`, or was not asked yet.
    pub(crate) fn is_in_good_standing(&self, role: Role, method: &'static str, id: &ProviderId) -> bool {
        self.of.get(&(role, id.clone())).is_none_or(|standing| standing.uselessness(method) == 0)
    }

    /// How long to wait for an answer of this provider before another is asked as well: what nine in ten of its useful
    /// answers took.
    pub(crate) fn hedge_delay(&self, role: Role, method: &'static str, id: &ProviderId) -> Duration {
        let samples = self.of.get(&(role, id.clone())).and_then(|standing| standing.took.get(method));
        let Some(samples) = samples.filter(|samples| samples.len() >= Self::FEWEST_SAMPLES) else {
            return Self::USUAL_HEDGE_DELAY;
        };
        let mut sorted: Vec<Duration> = samples.iter().copied().collect();
        sorted.sort_unstable();
        let place = sorted.len().saturating_mul(9).div_ceil(10).saturating_sub(1);
        let took = sorted.get(place).copied().unwrap_or(Self::USUAL_HEDGE_DELAY);
        took.clamp(Self::LEAST_PATIENCE, Self::MOST_PATIENCE)
    }

    /// Whether a provider may be asked at `now`.
    pub(crate) fn leave(&self, role: Role, method: &'static str, id: &ProviderId, now: Duration) -> Leave {
        // Headers are asked for by their hash, so that there nobody can lie.
        if PROOFS.contains(&method) && self.strikes.get(id).is_some_and(|count| *count >= Self::STRIKES) {
            return Leave::Not { until: Some(Duration::ZERO), why: Failure::Quarantined };
        }
        let Some(standing) = self.of.get(&(role, id.clone())) else { return Leave::Free };
        match &standing.rest {
            Some(rest) if rest.until > now => {
                let why = match rest.why {
                    Failure::RateLimited { .. } => {
                        Failure::RateLimited { retry_after: Some(rest.until.saturating_sub(now)) }
                    }
                    ref other => other.clone(),
                };
                Leave::Not { until: Some(rest.at_worst), why }
            }
            _ if !standing.allowance.allows(now) => {
                let last = standing.last.clone().map_or(Failure::NoResult, |(failure, _)| failure);
                Leave::Not { until: None, why: Failure::Spared { last: Box::new(last) } }
            }
            _ => Leave::Free,
        }
    }

    /// Notes how a race went. Who was overtaken before `patience` was over had no chance, and keeps his place. Where nobody
    /// at all could be connected to it is this device's network that is down, and nobody is worse for it.
    pub(crate) fn note(
        &mut self,
        method: &'static str,
        attempts: &[Attempt],
        hedge_delay: Duration,
        now: Duration,
        midnight: Option<Duration>,
    ) {
        let is_nobodys_fault = self.is_offline || self.is_cut_off(attempts, now);
        if !is_nobodys_fault {
            self.co_failures.note(attempts, hedge_delay, now);
        }
        for attempt in attempts {
            let is_of_use =
                matches!(attempt.outcome, Outcome::Joined | Outcome::Accepted | Outcome::Named { .. });
            // The device itself says so: then it is true even if somebody was heard a moment ago.
            let is_offline = attempt.outcome.failure() == Some(&TransportError::Offline.into());
            if (is_nobodys_fault && !is_of_use) || is_offline {
                continue;
            }
            self.noted = self.noted.saturating_add(1);
            let Self { of, chance, noted, is_offline, local, .. } = self;
            let standing = of.entry((attempt.role, attempt.provider.clone())).or_default();
            if is_of_use {
                *is_offline &= local.contains(&attempt.provider);
                standing.was_of_use(method, attempt.took, now);
                continue;
            }
            match &attempt.outcome {
                Outcome::Overtaken if attempt.took < hedge_delay => continue,
                Outcome::Failed(failure) => {
                    if failure.is_unreachable() {
                        standing.silent = Some(*noted);
                    }
                    let rest = standing.wants_rest(failure, chance, midnight);
                    // How long is a guess where it was not said: then nobody needs to wait who has nobody else.
                    let most = match failure {
                        Failure::RateLimited { retry_after: None } => Self::FIRST_REST,
                        _ => Self::LONGEST_REST,
                    };
                    standing.rest = rest.map(|rest| Rest {
                        until: now.saturating_add(rest),
                        at_worst: now.saturating_add(rest.min(most)),
                        why: failure.clone(),
                    });
                    standing.last = Some((failure.clone(), now));
                }
                Outcome::Overtaken | Outcome::Unfinished => {
                    standing.silent = Some(*noted);
                    standing.last = Some((TransportError::Timeout { after: attempt.took }.into(), now));
                }
                _ => {}
            }
            standing.useless.insert(method, *noted);
            if attempt.outcome != Outcome::Pending {
                standing.allowance.spend(now);
            }
        }
    }

    /// Whether these say that this device has no network: nobody could be connected to, there are at least two, some could
    /// not be found at all, and nobody was heard a moment ago. Connections that are refused or not accepted are no sign of it
    /// by themselves: the hosts were found.
    pub(crate) fn is_cut_off(&self, attempts: &[Attempt], now: Duration) -> bool {
        let error = |attempt: &Attempt| match attempt.outcome.failure() {
            Some(Failure::Transport(error)) => Some(*error),
            _ => None,
        };
        let is_unconnected = |attempt: &Attempt| {
            matches!(
                error(attempt),
                Some(TransportError::Offline | TransportError::Dns | TransportError::Connect)
            )
        };
        let is_unfound =
            |attempt: &Attempt| matches!(error(attempt), Some(TransportError::Offline | TransportError::Dns));
        let attempts: Vec<&Attempt> =
            attempts.iter().filter(|attempt| !self.local.contains(&attempt.provider)).collect();
        let asked: BTreeSet<&ProviderId> = attempts.iter().map(|attempt| &attempt.provider).collect();
        let was_there = self.heard.is_some_and(|heard| now < heard.saturating_add(Self::MOMENT));
        let is_alone = asked.len() < 2;
        let nobody = attempts.iter().all(|attempt| is_unconnected(attempt));
        !is_alone && !was_there && nobody && attempts.iter().any(|attempt| is_unfound(attempt))
    }

    /// `id` answered, or failed with this before an answer came: at once, since the race may be given up before it is noted.
    pub(crate) fn hear(&mut self, id: &ProviderId, failure: Option<&Failure>, now: Duration) {
        let is_silence = |failure: &Failure| {
            matches!(failure, Failure::Transport(_) | Failure::Spared { .. } | Failure::Quarantined)
        };
        if !self.local.contains(id) && !failure.is_some_and(is_silence) {
            self.heard = Some(now);
        }
    }

    /// Remembers who is on this device.
    pub(crate) fn is_local(&mut self, id: &ProviderId) {
        if !self.local.contains(id) {
            self.local.insert(id.clone());
        }
    }

    /// Counts a false proof, and gives how many there were.
    pub(crate) fn strike(&mut self, id: &ProviderId) -> u32 {
        let strikes = self.strikes.entry(id.clone()).or_default();
        *strikes = strikes.saturating_add(1);
        *strikes
    }

    /// How many false proofs there were.
    pub(crate) fn strikes(&self, id: &ProviderId) -> u32 {
        self.strikes.get(id).copied().unwrap_or(0)
    }

    /// What was learned of one provider, if it was asked.
    pub(crate) fn standing(&self, role: Role, id: &ProviderId) -> Option<&Standing> {
        self.of.get(&(role, id.clone()))
    }

    /// The device's network changed: what was learned of who can be reached is not true any more.
    pub(crate) fn network_changed(&mut self, online: bool) {
        self.is_offline = !online;
        self.co_failures.network_changed();
        for standing in self.of.values_mut() {
            if standing.silent.take().is_some() {
                standing.useless.clear();
            }
            standing.took.clear();
        }
    }

    /// Any duration up to `most`.
    pub(crate) fn jitter(&mut self, most: Duration) -> Duration {
        self.chance.up_to(most)
    }
}

impl Chance {
    /// Any duration up to `most`, by SplitMix64.
    fn up_to(&mut self, most: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let millis = u64::try_from(most.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        Duration::from_millis(mixed.checked_rem(millis).unwrap_or(0))
    }
}

impl Standing {
    fn uselessness(&self, method: &'static str) -> u64 {
        self.useless.get(method).copied().max(self.silent).unwrap_or(0)
    }

    /// Until when it wants to be left alone, on the monotonic clock.
    pub(crate) fn backed_off_until(&self) -> Option<Duration> {
        self.rest.as_ref().map(|rest| rest.until)
    }

    /// What half of its latest useful answers took at most, whatever they were asked for.
    pub(crate) fn usual_latency(&self) -> Option<Duration> {
        let mut sorted: Vec<Duration> = self.took.values().flatten().copied().collect();
        sorted.sort_unstable();
        sorted.get(sorted.len().div_ceil(2).checked_sub(1)?).copied()
    }

    /// In doublings over 100 ms, of what half of its useful answers took.
    fn slowness(&self, method: &'static str) -> u32 {
        let Some(samples) = self.took.get(method) else { return 0 };
        if samples.len() < Standings::FEWEST_SAMPLES {
            return 0;
        }
        let mut sorted: Vec<Duration> = samples.iter().copied().collect();
        sorted.sort_unstable();
        let median = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
        let tenths = u32::try_from(median.as_millis() / 100).unwrap_or(u32::MAX);
        tenths.checked_ilog2().map_or(0, |doublings| doublings.saturating_add(1))
    }

    fn was_of_use(&mut self, method: &'static str, took: Duration, now: Duration) {
        self.accepted = Some(now);
        self.useless.remove(method);
        (self.silent, self.rest, self.limited) = (None, None, 0);
        self.allowance = Allowance::full();
        let samples = self.took.entry(method).or_default();
        samples.push_back(took);
        while samples.len() > Standings::SAMPLES {
            samples.pop_front();
        }
    }

    /// For how long it wants to be left alone after this failure, if it does.
    fn wants_rest(
        &mut self,
        failure: &Failure,
        chance: &mut Chance,
        midnight: Option<Duration>,
    ) -> Option<Duration> {
        match failure {
            Failure::RateLimited { retry_after: Some(after) } => Some((*after).min(Standings::LONGEST_REST)),
            Failure::RateLimited { retry_after: None } => {
                let doubled = 1_u32.checked_shl(self.limited).unwrap_or(u32::MAX);
                self.limited = self.limited.saturating_add(1).min(16);
                // Full jitter, so that many devices do not come back at the same moment.
                Some(chance.up_to(Standings::FIRST_REST.saturating_mul(doubled).min(Standings::LONGEST_REST)))
            }
            Failure::QuotaExhausted => Some(midnight.unwrap_or(Standings::LONGEST_REST)),
            _ => None,
        }
    }
}

/// How long it is until the next midnight (UTC), when providers give out new quotas.
pub(crate) fn until_midnight(unix_seconds: u64) -> Duration {
    let today = unix_seconds.checked_rem(Standings::DAY).unwrap_or(0);
    Duration::from_secs(Standings::DAY.saturating_sub(today))
}

#[cfg(test)]
#[path = "standing_tests.rs"]
mod tests;
