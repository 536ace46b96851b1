//! `saldo.health/1`.

use std::time::Duration;

use saldo_reading::{Failure, ProviderId, Role, Why};
use saldo_source::CoFailure;
use serde::{Serialize, Serializer};

use crate::health::{EndpointHealth, HeadsHealth, Health};
use crate::rollup_health::{ClaimsHealth, RelayHealth, RelayProblem, RollupHealth};

#[derive(Serialize)]
struct HealthForm<'a> {
    schema: &'static str,
    is_offline: bool,
    is_clock_off: bool,
    is_faulted: bool,
    storage_faults: usize,
    heads: &'a Option<HeadsHealth>,
    rollup: &'a Option<RollupHealth>,
    endpoints: &'a [EndpointHealth],
    failed_together: Vec<CoFailureForm<'a>>,
}

#[derive(Serialize)]
struct CoFailureForm<'a> {
    role: Role,
    endpoints: &'a [ProviderId],
    times: u32,
}

impl<'a> CoFailureForm<'a> {
    fn of(found: &'a CoFailure) -> Self {
        Self { role: found.role, endpoints: &found.endpoints, times: found.times }
    }
}

/// As `saldo.health/1`.
impl Serialize for Health {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = HealthForm {
            schema: "saldo.health/1",
            is_offline: self.is_offline,
            is_clock_off: self.is_clock_off,
            is_faulted: self.is_faulted,
            storage_faults: self.storage_faults,
            heads: &self.heads,
            rollup: &self.rollup,
            endpoints: &self.endpoints,
            failed_together: self.failed_together.iter().map(CoFailureForm::of).collect(),
        };
        form.serialize(serializer)
    }
}

/// Times in seconds since 1970.
#[derive(Serialize)]
struct RollupForm<'a> {
    number: Option<u64>,
    timestamp: Option<u64>,
    level: Option<&'static str>,
    problem: &'a Option<Why>,
    refusal: Option<String>,
    claims: Option<ClaimsForm>,
    stopped_timestamp: Option<u64>,
    relays: &'a [RelayHealth],
}

#[derive(Serialize)]
struct RelayForm<'a> {
    relay: &'a ProviderId,
    newest_timestamp: Option<u64>,
    problem: Option<ProblemForm>,
}

/// `detail` is for people.
#[derive(Serialize)]
struct ProblemForm {
    code: &'static str,
    detail: String,
}

impl ProblemForm {
    fn of(problem: &RelayProblem) -> Self {
        Self { code: problem.code(), detail: problem.to_string() }
    }
}

/// As one of `relays` of `saldo.health/1`.
impl Serialize for RelayHealth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = RelayForm {
            relay: &self.relay,
            newest_timestamp: self.newest.map(|time| time.as_secs()),
            problem: self.problem.as_ref().map(ProblemForm::of),
        };
        form.serialize(serializer)
    }
}

#[derive(Serialize)]
struct ClaimsForm {
    read_timestamp: u64,
    newest_timestamp: u64,
    usual_seconds: Option<u64>,
    are_late: bool,
}

impl ClaimsForm {
    fn of(claims: ClaimsHealth) -> Self {
        Self {
            read_timestamp: claims.read_at.as_secs(),
            newest_timestamp: claims.newest.as_secs(),
            usual_seconds: claims.usual.map(|usual| usual.as_secs()),
            are_late: claims.are_late(),
        }
    }
}

/// As `rollup` of `saldo.health/1`.
impl Serialize for RollupHealth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let newest = self.newest.as_ref();
        let form = RollupForm {
            number: newest.map(|block| block.number()),
            timestamp: newest.map(|block| block.timestamp().as_secs()),
            level: newest.map(|block| block.assurance().level().code()),
            problem: &self.problem,
            refusal: self.refusal.as_ref().map(ToString::to_string),
            claims: self.claims.map(ClaimsForm::of),
            stopped_timestamp: self.stopped.map(|time| time.as_secs()),
            relays: &self.relays,
        };
        form.serialize(serializer)
    }
}

/// Times in seconds since 1970.
#[derive(Serialize)]
struct HeadsForm {
    signed_slot: Option<u64>,
    signed_timestamp: Option<u64>,
    slots_behind: Option<u64>,
    finalized_slot: u64,
    finalized_timestamp: u64,
    is_committee_known: bool,
    is_next_committee_known: bool,
}

/// As `heads` of `saldo.health/1`.
impl Serialize for HeadsHealth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = HeadsForm {
            signed_slot: self.signed.map(|slot| slot.get()),
            signed_timestamp: self.signed_time.map(|time| time.as_secs()),
            slots_behind: self.slots_behind,
            finalized_slot: self.finalized.get(),
            finalized_timestamp: self.finalized_time.as_secs(),
            is_committee_known: self.is_committee_known,
            is_next_committee_known: self.is_next_committee_known,
        };
        form.serialize(serializer)
    }
}

#[derive(Serialize)]
struct EndpointForm<'a> {
    provider: &'a ProviderId,
    role: Role,
    operator: &'a str,
    state: &'static str,
    accepted_seconds_ago: Option<u64>,
    usual_latency_ms: Option<u64>,
    failed: Option<FailedForm>,
    backed_off_seconds: Option<u64>,
    strikes: u32,
    is_quarantined: bool,
}

#[derive(Serialize)]
struct FailedForm {
    code: &'static str,
    detail: String,
    seconds_ago: u64,
}

impl FailedForm {
    fn of((failure, ago): &(Failure, Duration)) -> Self {
        Self { code: failure.code(), detail: failure.to_string(), seconds_ago: ago.as_secs() }
    }
}

/// As one of `endpoints` of `saldo.health/1`.
impl Serialize for EndpointHealth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let form = EndpointForm {
            provider: &self.provider,
            role: self.role,
            operator: &self.operator,
            state: self.state().code(),
            accepted_seconds_ago: self.stats.accepted.map(|ago| ago.as_secs()),
            usual_latency_ms: self.stats.usual_latency.map(millis),
            failed: self.stats.failed.as_ref().map(FailedForm::of),
            backed_off_seconds: self.stats.backed_off.map(|left| left.as_secs()),
            strikes: self.stats.strikes,
            is_quarantined: self.stats.is_quarantined,
        };
        form.serialize(serializer)
    }
}
