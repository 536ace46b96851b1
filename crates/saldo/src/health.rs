//! How a client is, for a status screen.

use saldo_beacon::unit::{Slot, UnixTime};
use saldo_reading::{Failure, ProviderId, Role};
use saldo_source::{CoFailure, Endpoint, ProviderStats};

use crate::inner::ClientInner;

/// How a client is: who can be asked, and how far the light client has come. From memory; nobody is asked for it.
///
/// Nothing of it says what anybody holds, and no amount becomes wrong by it: it is for a status screen and for support.
/// All durations are as of the moment it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Whether the app said that the device is offline ([`Client::network_changed`](crate::Client::network_changed)), and
    /// no answer has shown otherwise since.
    pub is_offline: bool,
    /// Whether the wall clock is behind a time that has certainly come, so that no age is known.
    pub is_clock_off: bool,
    /// Whether the chain contradicted itself, so that nothing more is proven
    /// ([`Client::consensus_fault`](crate::Client::consensus_fault)).
    pub is_faulted: bool,
    /// How many things that were kept had to be dropped, or could not be written
    /// ([`Client::storage_faults`](crate::Client::storage_faults)).
    pub storage_faults: usize,
    /// How far the light client has come; `None` until trust has started.
    pub heads: Option<HeadsHealth>,
    /// The providers, the beacon sources and the checkpoint sources, each kind in the order in which they were given.
    pub endpoints: Vec<EndpointHealth>,
    /// Which of them were found unreachable within the same minute. [`Client::diversity`](crate::Client::diversity) tells what was
    /// declared; this tells what was seen. Nothing is done about it: it is for whoever chooses the endpoints.
    pub failed_together: Vec<CoFailure>,
}

/// How far the light client has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeadsHealth {
    /// The slot of the newest head that the sync committee signed; `None` right after trust started.
    pub signed: Option<Slot>,
    /// The start of that slot.
    pub signed_time: Option<UnixTime>,
    /// How many slots it is behind where it usually is, by this device's clock: 0 if all is well.
    pub slots_behind: Option<u64>,
    /// The slot of the newest head that counts as final; at first the checkpoint's.
    pub finalized: Slot,
    /// The start of that slot.
    pub finalized_time: UnixTime,
    /// Whether heads that are signed now can be checked: their sync committee is known.
    pub is_committee_known: bool,
    /// Whether the committee of the next period is known as well. It is mostly learned hours before it is needed; as long
    /// as it is not known by then, heads cannot be checked.
    pub is_next_committee_known: bool,
}

/// How one endpoint is in one role.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointHealth {
    /// Its name; never its URL.
    pub provider: ProviderId,
    /// What it is asked for.
    pub role: Role,
    /// Who runs it, as declared, else its host.
    pub operator: String,
    /// What is known of it by asking it.
    pub stats: ProviderStats,
}

impl EndpointHealth {
    /// What its row says.
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

    /// Why it was of no use when it was asked last; `None` if it was of use, or was not asked.
    pub fn failure(&self) -> Option<&Failure> {
        match self.state() {
            EndpointState::Unasked | EndpointState::Accepted => None,
            EndpointState::Failing | EndpointState::BackedOff | EndpointState::Quarantined => {
                self.stats.failed.as_ref().map(|(failure, _)| failure)
            }
        }
    }
}

/// How an endpoint is, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointState {
    /// It was not asked yet, or another answered before it could.
    Unasked,
    /// It was of use when it was asked last.
    Accepted,
    /// It was of no use when it was asked last.
    Failing,
    /// It asked to be left alone for a while.
    BackedOff,
    /// It sent false proofs, and is asked for proofs only when nobody else is left.
    Quarantined,
}

impl EndpointState {
    /// A stable name, in snake case.
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
            Self::BackedOff => "asked to be left alone for a while",
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
