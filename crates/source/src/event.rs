//! The events of this crate, for a `tracing` subscriber; `docs/events.md` lists their names. They hold no URL, no address and
//! no text from a provider. What is also counted is in `docs/metrics.md`.

use std::sync::Arc;

use saldo_reading::{Attempt, ProviderId};

use crate::meter::count;

/// Emits an event for each attempt at `method` that failed.
pub(crate) fn failed(network: &Arc<str>, method: &'static str, attempts: &[Attempt]) {
    for attempt in attempts {
        let Some(failure) = attempt.outcome.failure() else { continue };
        tracing::debug!(
            target: "saldo::source",
            provider = %attempt.provider,
            role = attempt.role.code(),
            method,
            code = failure.code(),
            took_ms = u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
            "provider.failed"
        );
        count!("saldo_failures_total", 1,
            "network" => network.clone(), "provider" => attempt.provider.to_string(),
            "role" => attempt.role.code(), "code" => failure.code());
    }
}

/// A proof of `provider` was false under the very block it was asked for; it was its `strikes`th.
pub(crate) fn struck(network: &Arc<str>, provider: &ProviderId, strikes: u32) {
    tracing::warn!(target: "saldo::source", %provider, strikes, "provider.struck");
    count!("saldo_false_proofs_total", 1, "network" => network.clone(), "provider" => provider.to_string());
}

/// The app said that the device's network changed.
pub(crate) fn network_changed(online: bool) {
    tracing::info!(target: "saldo::source", online, "network.changed");
}
