//! A party on the network: answers as its phase says, and logs every request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use saldo_beacon::unit::UnixTime;
use serde_json::Value;

use super::behaviour::{Behaviour, Chains, PartyService};
use super::party::{Outage, Party};
use saldo_drill::fault::Fault;
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_drill::simulate::VirtualClock;

/// The kind of a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// An execution provider.
    Provider,
    /// A beacon source.
    Source,
    /// A checkpoint source.
    Witness,
}

/// One request, and its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// When it arrived, in milliseconds since the beginning.
    pub at: u64,
    /// The kind of the party.
    pub role: Role,
    /// The place of the party.
    pub index: usize,
    /// What was asked.
    pub asked: String,
    /// The behaviour of the party.
    pub behaviour: Behaviour,
    /// Whether it refused because of too many requests.
    pub limited: bool,
    /// What happened.
    pub reaction: String,
}

/// All requests of a run.
pub(super) type Log = Arc<Mutex<Vec<Visit>>>;

/// A party on the network.
pub(super) struct Host {
    role: Role,
    index: usize,
    clock: VirtualClock,
    start: UnixTime,
    /// The service of each phase, from when on.
    services: Vec<(u64, Behaviour, PartyService)>,
    limit: Option<u64>,
    /// When the latest requests came.
    recent: Mutex<Vec<u64>>,
    log: Log,
}

impl Host {
    pub(super) fn new(
        (role, index): (Role, usize),
        party: &Party,
        outages: &[Outage],
        chains: &Chains,
        clock: VirtualClock,
        log: Log,
    ) -> Self {
        let start = clock.true_time();
        let latency = Duration::from_millis(party.latency);
        let mut times = party.changes(outages);
        times.push(0);
        times.sort_unstable();
        times.dedup();
        let service = |behaviour: Behaviour| match role {
            Role::Provider => PartyService::Provider(behaviour.provider(chains, latency)),
            Role::Source if party.is_mirror => PartyService::Mirror(behaviour.mirror(chains, latency)),
            Role::Source | Role::Witness => PartyService::Source(behaviour.source(chains, latency)),
        };
        let services = times.into_iter().map(|time| {
            let behaviour = party.at(time, outages);
            (time, behaviour, service(behaviour))
        });
        let (services, recent) = (services.collect(), Mutex::default());
        Self { role, index, clock, start, services, limit: party.limit, recent, log }
    }

    /// Milliseconds since the beginning.
    fn time(&self) -> u64 {
        millis(self.clock.true_time().saturating_sub(self.start))
    }

    fn now(&self) -> Option<&(u64, Behaviour, PartyService)> {
        let time = self.time();
        self.services.iter().rev().find(|(from, ..)| *from <= time)
    }

    /// Counts a request. Returns the seconds to wait if it exceeds the rate limit.
    fn count_request(&self, time: u64) -> Option<u64> {
        let limit = self.limit?;
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|at| time.saturating_sub(*at) < 60_000);
        if u64::try_from(recent.len()).unwrap_or(u64::MAX) < limit {
            recent.push(time);
            return None;
        }
        let oldest = recent.first().copied().unwrap_or(time);
        Some(oldest.saturating_add(60_000).saturating_sub(time).div_ceil(1_000))
    }

    fn note(&self, at: u64, request: &HttpRequest, behaviour: Behaviour, limited: bool, reaction: &Reaction) {
        let visit = Visit {
            at,
            role: self.role,
            index: self.index,
            asked: question(request),
            behaviour,
            limited,
            reaction: describe(reaction),
        };
        entries(&self.log).push(visit);
    }
}

/// The entries of the log.
pub(super) fn entries(log: &Log) -> MutexGuard<'_, Vec<Visit>> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Service for Host {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        let time = self.time();
        let Some((_, behaviour, service)) = self.now() else { return Reaction::Refuse };
        let wait = self.count_request(time);
        let reaction = match (service, wait) {
            (_, Some(seconds)) => {
                let limited = Fault::RateLimited { retry_after: Some(seconds.to_string()) };
                limited.applied_to(Reply::default(), self.clock.true_time())
            }
            (PartyService::Provider(provider), None) => provider.answer(request),
            (PartyService::Source(source), None) => source.answer(request),
            (PartyService::Mirror(mirror), None) => mirror.answer(request),
        };
        let reaction = behaviour.reword(reaction);
        self.note(time, request, *behaviour, wait.is_some(), &reaction);
        reaction
    }

    fn refuses(&self) -> bool {
        match self.now() {
            Some((_, _, PartyService::Provider(provider))) => provider.refuses(),
            Some((_, _, PartyService::Source(source))) => source.refuses(),
            Some((_, _, PartyService::Mirror(mirror))) => mirror.refuses(),
            None => true,
        }
    }
}

/// What a request asks, in a few words.
fn question(request: &HttpRequest) -> String {
    if request.method == "GET" {
        let parts: Vec<&str> = request.path.rsplit('/').take(2).collect();
        let query: Vec<String> =
            request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let path = parts.into_iter().rev().collect::<Vec<_>>().join("/");
        return [path, query.join("&")].join(" ").trim_end().to_owned();
    }
    let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    let calls = body.as_array().cloned().unwrap_or_else(|| vec![body]);
    let each: Vec<String> = calls
        .iter()
        .map(|call| {
            let method = call.get("method").and_then(Value::as_str).unwrap_or("?");
            let block = call.get("params").and_then(Value::as_array).and_then(|params| params.last());
            let block = block.filter(|_| method == "eth_getProof").map(|block| format!(" at {block}"));
            format!("{method}{}", block.unwrap_or_default())
        })
        .collect();
    each.join(" + ")
}

fn describe(reaction: &Reaction) -> String {
    match reaction {
        Reaction::Reply(reply) => format!("HTTP {}, {} bytes", reply.status, reply.body.len()),
        Reaction::Trickle { bytes_per_second, .. } => format!("{bytes_per_second} bytes a second"),
        Reaction::Reset { after, .. } => format!("broken after {after} bytes"),
        Reaction::Hang => "silence".to_owned(),
        Reaction::Refuse => "no connection".to_owned(),
        Reaction::Unresolvable => "no such name".to_owned(),
        Reaction::BadCertificate => "bad certificate".to_owned(),
    }
}
