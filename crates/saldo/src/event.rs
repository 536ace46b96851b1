//! Sends the events of reads and of the light client to subscribers. `docs/events.md` lists their names. They
//! contain no address, no URL, and no text from a provider. No lock is held while an event is sent, so that a
//! subscriber may call the client.

use saldo_beacon::unit::{Period, Slot};
use saldo_beacon::{LightClient, Origin, Voucher};
use saldo_reading::{ProviderId, Reading};

/// Sends the result of each of the `readings`.
pub(crate) fn read(readings: &[Reading]) {
    for reading in readings {
        let remembered = reading.latest_proven().is_some();
        match reading {
            Reading::Proven(proven) => {
                let anchor = proven.anchor();
                let is_final = anchor.assurance().level().is_strongest();
                tracing::debug!(
                    target: "saldo::read",
                    provider = %proven.provider(),
                    block = anchor.number(),
                    is_final,
                    "reading.proven"
                );
            }
            Reading::Provisional(provisional) => {
                let (provider, why) = (provisional.provider(), provisional.why().code());
                tracing::debug!(target: "saldo::read", %provider, why, remembered, "reading.provisional");
            }
            Reading::Unknown(unknown) => {
                let why = unknown.why();
                let (fault, why) = (why.fault().code(), why.code());
                tracing::info!(target: "saldo::read", why, fault, remembered, "reading.unknown");
            }
        }
    }
}

/// Sends that the readings at these `blocks` were withdrawn.
pub(crate) fn withdrawn(blocks: &[u64]) {
    for block in blocks {
        tracing::warn!(target: "saldo::read", block, "reading.withdrawn");
    }
}

/// Sends that L1 no longer vouches for some games of a rollup.
#[cfg(feature = "rollup")]
pub(crate) fn taken_back(games: usize) {
    if games > 0 {
        tracing::warn!(target: "saldo::heads", games, "rollup.taken_back");
    }
}

/// Sends that the chain contradicted itself at the slot `fault`, if it did.
pub(crate) fn contradicted(fault: Option<Slot>) {
    if let Some(slot) = fault {
        tracing::error!(target: "saldo::heads", %slot, "consensus.fault");
    }
}

/// Sends that a claim of `provider` beside its proof differs from the proof.
pub(crate) fn claim_contradicts(provider: &ProviderId) {
    tracing::warn!(target: "saldo::source", %provider, "provider.claim_contradicts_proof");
}

/// The progress of a light client.
#[derive(Clone, Copy)]
pub(crate) struct Progress {
    signed: Option<(Slot, usize)>,
    finalized: Slot,
    period: Period,
    next_committee_known: bool,
}

impl Progress {
    pub(crate) fn of(light_client: &LightClient) -> Self {
        Self {
            signed: light_client.signed_head().map(|head| (head.slot(), head.signers())),
            finalized: light_client.finalized_head().slot(),
            period: light_client.period(),
            next_committee_known: light_client.next_committee_known(),
        }
    }
}

/// Sends how the light client advanced from `before` to `after`.
pub(crate) fn advanced(before: Option<Progress>, after: Option<Progress>) {
    let (Some(before), Some(after)) = (before, after) else { return };
    if let Some((slot, signers)) = after.signed.filter(|_| before.signed != after.signed) {
        tracing::debug!(target: "saldo::heads", %slot, signers, "head.signed");
    }
    if before.finalized != after.finalized {
        tracing::debug!(target: "saldo::heads", slot = %after.finalized, "head.finalized");
    }
    if (before.period, before.next_committee_known) != (after.period, after.next_committee_known) {
        let next_known = after.next_committee_known;
        tracing::debug!(target: "saldo::heads", period = %after.period, next_known, "committee.known");
    }
}

/// Sends where trust started.
pub(crate) fn started(origin: &Origin, at: Slot) {
    let operators = match origin.voucher() {
        Voucher::Agreement { operators, .. } => operators.len(),
        _ => 0,
    };
    tracing::info!(target: "saldo::heads", slot = %at, operators, "trust.started");
}

/// Sends that the caller restarted trust from another checkpoint.
pub(crate) fn start_again() {
    tracing::warn!(target: "saldo::heads", "trust.start_again");
}
