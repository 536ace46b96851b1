//! The state of a client, for a status screen and for support.

use crate::number::{millis, narrow};
use crate::rollup_health::RollupHealth;

/// The state of the endpoints and the progress of the light client. No amount depends on it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Health {
    /// Whether the client was shut down. Everything else here is then empty.
    pub is_closed: bool,
    /// Whether the app reported that the device is offline, and no answer has shown the contrary since.
    pub is_offline: bool,
    /// Whether the device's clock is behind a time that has certainly come, so that no age is known.
    pub is_clock_off: bool,
    /// Whether the chain contradicted itself, so that nothing more is proven.
    pub is_faulted: bool,
    /// The number of stored items that had to be dropped, and of failed writes.
    pub storage_faults: u32,
    /// The progress of the light client; none until trust has started.
    pub heads: Option<HeadsHealth>,
    /// What L1 says of the rollup; none of a network with a light client.
    pub rollup: Option<RollupHealth>,
    /// The providers, the beacon sources and the checkpoint sources.
    pub endpoints: Vec<EndpointHealth>,
    /// The endpoints that were unreachable within the same minute.
    pub failed_together: Vec<CoFailure>,
}

/// The progress of the light client.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct HeadsHealth {
    /// The slot of the newest head that the sync committee signed; none right after the trust start.
    pub signed_slot: Option<u64>,
    /// The start of that slot, in seconds since 1970.
    pub signed_timestamp: Option<u64>,
    /// The lag of that head beyond the usual, in slots. 0 if all is well.
    pub slots_behind: Option<u64>,
    /// The slot of the newest finalized head.
    pub finalized_slot: u64,
    /// The start of that slot, in seconds since 1970.
    pub finalized_timestamp: u64,
    /// Whether heads that are signed now can be checked.
    pub is_committee_known: bool,
    /// Whether heads of the next period can be checked.
    pub is_next_committee_known: bool,
}

/// The state of one endpoint in one role.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct EndpointHealth {
    /// The name of the endpoint, never its URL.
    pub provider: String,
    /// The role in which it is asked: `execution`, `beacon` or `checkpoint`.
    pub role: String,
    /// The operator, as declared, else the host.
    pub operator: String,
    /// `unasked`, `accepted`, `failing`, `backed_off` or `quarantined`; a later version may have others.
    pub state: String,
    /// The code of its latest failure; none if its last answer was accepted.
    pub failure: Option<String>,
    /// The same, for people.
    pub failure_text: Option<String>,
    /// How long ago an answer was accepted last, in seconds.
    pub accepted_seconds_ago: Option<u64>,
    /// The median latency of its accepted answers, in milliseconds.
    pub usual_latency_ms: Option<u64>,
    /// For how many more seconds it is left unasked because it asked for that.
    pub backed_off_seconds: Option<u64>,
    /// How many of its proofs were false.
    pub strikes: u32,
}

/// Two endpoints that became unreachable within the same minute.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CoFailure {
    /// The role in which both are asked.
    pub role: String,
    /// Their names, sorted.
    pub endpoints: Vec<String>,
    /// How often that happened.
    pub times: u32,
}

/// Which companies the endpoints of one role depend on, as declared.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Diversity {
    /// The role of the endpoints.
    pub role: String,
    /// How many endpoints there are.
    pub endpoints: u32,
    /// Their operators, as declared or else by host.
    pub operators: Vec<String>,
    /// Their hosting companies as far as declared.
    pub hosting: Vec<String>,
    /// The number of endpoints whose hosting was not declared.
    pub hosting_unknown: u32,
    /// Companies whose failure would stop all endpoints.
    pub stopped_by: Vec<String>,
    /// Companies whose failure might stop all endpoints.
    pub may_be_stopped_by: Vec<String>,
}

impl Health {
    /// The health of a client that was shut down.
    pub(crate) fn closed() -> Self {
        Self {
            is_closed: true,
            is_offline: false,
            is_clock_off: false,
            is_faulted: false,
            storage_faults: 0,
            heads: None,
            rollup: None,
            endpoints: Vec::new(),
            failed_together: Vec::new(),
        }
    }
}

impl From<&saldo::Health> for Health {
    fn from(health: &saldo::Health) -> Self {
        let heads = health.heads.map(|heads| HeadsHealth {
            signed_slot: heads.signed.map(|slot| slot.get()),
            signed_timestamp: heads.signed_time.map(|time| time.as_secs()),
            slots_behind: heads.slots_behind,
            finalized_slot: heads.finalized.get(),
            finalized_timestamp: heads.finalized_time.as_secs(),
            is_committee_known: heads.is_committee_known,
            is_next_committee_known: heads.is_next_committee_known,
        });
        let together = |found: &saldo::CoFailure| CoFailure {
            role: found.role.code().to_owned(),
            endpoints: found.endpoints.iter().map(|name| name.as_str().to_owned()).collect(),
            times: found.times,
        };
        Self {
            is_closed: false,
            is_offline: health.is_offline,
            is_clock_off: health.is_clock_off,
            is_faulted: health.is_faulted,
            storage_faults: narrow(health.storage_faults),
            heads,
            rollup: health.rollup.as_ref().map(RollupHealth::from),
            endpoints: health.endpoints.iter().map(EndpointHealth::from).collect(),
            failed_together: health.failed_together.iter().map(together).collect(),
        }
    }
}

impl From<&saldo::EndpointHealth> for EndpointHealth {
    fn from(endpoint: &saldo::EndpointHealth) -> Self {
        let failure = endpoint.failure();
        Self {
            provider: endpoint.provider.as_str().to_owned(),
            role: endpoint.role.code().to_owned(),
            operator: endpoint.operator.clone(),
            state: endpoint.state().code().to_owned(),
            failure: failure.map(|failure| failure.code().to_owned()),
            failure_text: failure.map(ToString::to_string),
            accepted_seconds_ago: endpoint.stats.accepted.map(|ago| ago.as_secs()),
            usual_latency_ms: endpoint.stats.usual_latency.map(millis),
            backed_off_seconds: endpoint.stats.backed_off.map(|left| left.as_secs()),
            strikes: endpoint.stats.strikes,
        }
    }
}

impl From<&saldo::Diversity> for Diversity {
    fn from(diversity: &saldo::Diversity) -> Self {
        let names = |domains: &[saldo::Domain]| domains.iter().map(ToString::to_string).collect();
        Self {
            role: diversity.role.code().to_owned(),
            endpoints: narrow(diversity.endpoints),
            operators: diversity.operators.clone(),
            hosting: diversity.hosting.clone(),
            hosting_unknown: narrow(diversity.hosting_unknown),
            stopped_by: names(&diversity.stopped_by),
            may_be_stopped_by: names(&diversity.may_be_stopped_by),
        }
    }
}
