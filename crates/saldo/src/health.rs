//! The health of a client, for a status screen.

use saldo_beacon::unit::{Slot, UnixTime};
use saldo_reading::{Failure, ProviderId, Role};
use saldo_source::{CoFailure, Endpoint, ProviderStats};

use crate::inner::ClientInner;
use crate::rollup_health::RollupHealth;

/// Reports the state of the endpoints and the progress of the light client. It is read from memory; no request
/// is made.
///
/// It contains no balance, and no amount depends on it: it is for a status screen and for support. All
/// durations count from the moment when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Whether the app reported that the device is offline
    /// ([`Client::network_changed`](crate::Client::network_changed)), and no answer has shown the contrary
    /// since.
    pub is_offline: bool,
    /// Whether the wall clock is behind a time that has certainly come, so that no age is known.
    pub is_clock_off: bool,
    /// Whether the chain contradicted itself, so that nothing more is proven
    /// ([`Client::consensus_fault`](crate::Client::consensus_fault)).
    pub is_faulted: bool,
    /// The number of stored items that had to be dropped, and of failed writes
    /// ([`Client::storage_faults`](crate::Client::storage_faults)).
    pub storage_faults: usize,
    /// The progress of the light client; `None` until trust has started.
    pub heads: Option<HeadsHealth>,
    /// What L1 says of a rollup; `None` for another network.
    pub rollup: Option<RollupHealth>,
    /// The providers, the beacon sources and the checkpoint sources, each kind in the order in which the app
    /// gave them.
    pub endpoints: Vec<EndpointHealth>,
    /// The endpoints that were unreachable within the same minute.
    /// [`Client::diversity`](crate::Client::diversity) reports declared facts; this reports observed ones.
    /// saldo does not act on it: it helps to choose endpoints.
    pub failed_together: Vec<CoFailure>,
}

/// Reports the progress of the light client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeadsHealth {
    /// The slot of the newest head that the sync committee signed; `None` right after the trust start.
    pub signed: Option<Slot>,
    /// The start of that slot.
    pub signed_time: Option<UnixTime>,
    /// The lag of that head beyond the usual, in slots, by this device's clock. 0 if all is well.
    pub slots_behind: Option<u64>,
    /// The slot of the newest finalized head; at first that of the checkpoint.
    pub finalized: Slot,
    /// The start of that slot.
    pub finalized_time: UnixTime,
    /// Whether heads that are signed now can be checked: their sync committee is known.
    pub is_committee_known: bool,
    /// Whether the committee of the next period is known too. It is mostly learned hours before it is needed.
    /// Without it, heads of that period cannot be checked.
    pub is_next_committee_known: bool,
}

/// Reports the state of one endpoint in one role.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointHealth {
    /// The name of the endpoint, never its URL.
    pub provider: ProviderId,
    /// The role in which it is asked.
    pub role: Role,
    /// The operator, as declared, else the host.
    pub operator: String,
    /// The provider stats: the results of requests to it.
    pub stats: ProviderStats,
}

impl EndpointHealth {
    /// Returns the state of the endpoint, for its row on the screen.
    pub fn state(&self) -> EndpointState {
        let ProviderStats { accepted, failed, backed_off, is_quarantined, .. } = &self.stats;
        match (accepted, failed) {
            _ if *is_quarantined => EndpointState::Quarantined,
            _ if backed_off.is_some() => EndpointState::BackedOff,
            (None, None) => EndpointState::Unasked,
            (Some(used), Some((_, failed))) if failed < used => EndpointState::Failing,
            (None, Some(_)) => EndpointState::Failing,
            (Some(_), _) => EndpointState::Accepted,
        }
    }

    /// Returns why the last request failed; `None` if it was accepted, or if there was none.
    pub fn failure(&self) -> Option<&Failure> {
        match self.state() {
            EndpointState::Unasked | EndpointState::Accepted => None,
            EndpointState::Failing | EndpointState::BackedOff | EndpointState::Quarantined => {
                self.stats.failed.as_ref().map(|(failure, _)| failure)
            }
        }
    }
}

/// Names the state of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointState {
    /// It was not asked yet, or another endpoint answered first.
    Unasked,
    /// Its last answer was accepted.
    Accepted,
    /// Its last request failed.
    Failing,
    /// It is backed off: it reported a rate limit or an exhausted quota.
    BackedOff,
    /// It sent false proofs, and is asked for proofs only when no other provider is left.
    Quarantined,
}

impl EndpointState {
    /// All states.
    #[cfg(feature = "metrics")]
    pub(crate) const ALL: [Self; 5] =
        [Self::Unasked, Self::Accepted, Self::Failing, Self::BackedOff, Self::Quarantined];

    /// Returns a stable name in snake case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unasked => "unasked",
            Self::Accepted => "accepted",
            Self::Failing => "failing",
            Self::BackedOff => "backed_off",
            Self::Quarantined => "quarantined",
        }
    }
}

impl std::fmt::Display for EndpointState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unasked => "not asked yet",
            Self::Accepted => "answers",
            Self::Failing => "does not answer usefully",
            Self::BackedOff => "asked to wait before the next request",
            Self::Quarantined => "sent false proofs",
        })
    }
}

impl ClientInner {
    pub(crate) fn health(&self) -> Health {
        let checkpoint_sources =
            self.head.trust_start().agreement().map_or(&[][..], |agreement| &agreement.sources);
        let kinds = [
            (Role::Execution, self.env.execution.as_slice()),
            (Role::Beacon, self.env.beacon.as_slice()),
            (Role::Checkpoint, checkpoint_sources),
        ];
        let endpoint = |role, endpoint: &Endpoint| EndpointHealth {
            provider: endpoint.id().clone(),
            role,
            operator: endpoint.run_by().to_owned(),
            stats: self.env.dispatcher.provider_stats(role, endpoint),
        };
        let of_kind = |(role, endpoints): (Role, &[Endpoint])| -> Vec<EndpointHealth> {
            endpoints.iter().map(|known| endpoint(role, known)).collect()
        };
        Health {
            is_offline: self.env.dispatcher.is_offline(),
            is_clock_off: self.head.now().clock_off(),
            is_faulted: self.head.is_faulted(),
            storage_faults: self.readings.storage_faults().len(),
            heads: self.heads_health(),
            rollup: self.rollup.as_ref().map(|rollup| {
                let newest = self.head.newest(self.env.policy.assurance);
                rollup.health(newest)
            }),
            endpoints: kinds.into_iter().flat_map(of_kind).collect(),
            failed_together: self.env.dispatcher.co_failures(),
        }
    }

    fn heads_health(&self) -> Option<HeadsHealth> {
        let network = self.head.network();
        let slots_behind = self.head.slots_behind();
        self.head.look(|view| {
            let light_client = view.light_client?;
            let signed = light_client.signed_head().map(|head| head.slot());
            let finalized = light_client.finalized_head().slot();
            Some(HeadsHealth {
                signed,
                signed_time: signed.map(|slot| network.slot_start(slot)),
                slots_behind,
                finalized,
                finalized_time: network.slot_start(finalized),
                is_committee_known: light_client.knows_committee_at(view.now.time()),
                is_next_committee_known: light_client.next_committee_known(),
            })
        })
    }
}
