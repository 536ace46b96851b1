//! Writes what [`Client::health`] says into gauges of the `metrics` facade. `docs/metrics.md` lists them.

use std::sync::Arc;
use std::time::Duration;

use saldo_beacon::unit::{Slot, UnixTime};

use crate::client::Client;
use crate::health::{EndpointHealth, EndpointState, HeadsHealth};

impl Client {
    /// Sets the gauges of the `metrics` facade from [`Client::health`] and the cache. Call it before the gauges are read, for example
    /// for each scrape. The counters need no call. It reads memory and makes no request.
    pub fn record_health(&self) {
        let network = self.inner.env.network_name();
        let health = self.health();
        for (kind, is_so) in [
            ("offline", health.is_offline),
            ("clock_off", health.is_clock_off),
            ("faulted", health.is_faulted),
            ("storage", health.storage_faults > 0),
        ] {
            let gauge = metrics::gauge!("saldo_trouble", "network" => network.clone(), "kind" => kind);
            gauge.set(f64::from(u8::from(is_so)));
        }
        health.endpoints.iter().for_each(|endpoint| record_endpoint(&network, endpoint));
        if let Some(heads) = &health.heads {
            record_heads(&network, heads, self.now().time());
        }
        let (blocks, bytes) = self.inner.states.size();
        metrics::gauge!("saldo_cache_blocks", "network" => network.clone()).set(exact(blocks));
        metrics::gauge!("saldo_cache_bytes", "network" => network).set(exact(bytes));
    }
}

fn record_endpoint(network: &Arc<str>, endpoint: &EndpointHealth) {
    let provider = endpoint.provider.to_string();
    for state in EndpointState::ALL {
        let gauge = metrics::gauge!("saldo_endpoint_state",
            "network" => network.clone(), "provider" => provider.clone(), "role" => endpoint.role.code(),
            "operator" => endpoint.operator.clone(), "state" => state.code());
        gauge.set(f64::from(u8::from(endpoint.state() == state)));
    }
    if let Some(latency) = endpoint.stats.usual_latency {
        let gauge = metrics::gauge!("saldo_endpoint_latency_seconds",
            "network" => network.clone(), "provider" => provider, "role" => endpoint.role.code());
        gauge.set(latency.as_secs_f64());
    }
}

fn record_heads(network: &Arc<str>, heads: &HeadsHealth, now: UnixTime) {
    let finalized = Some((heads.finalized, heads.finalized_time));
    for (level, head) in [("signed", heads.signed.zip(heads.signed_time)), ("finalized", finalized)] {
        let Some((slot, time)) = head else { continue };
        record_head(network, level, slot, Duration::from_secs(now.as_secs().saturating_sub(time.as_secs())));
    }
    if let Some(behind) = heads.slots_behind {
        let gauge = metrics::gauge!("saldo_head_slots_behind", "network" => network.clone());
        gauge.set(exact(usize::try_from(behind).unwrap_or(usize::MAX)));
    }
}

fn record_head(network: &Arc<str>, level: &'static str, slot: Slot, age: Duration) {
    let slot = exact(usize::try_from(slot.get()).unwrap_or(usize::MAX));
    metrics::gauge!("saldo_head_slot", "network" => network.clone(), "level" => level).set(slot);
    metrics::gauge!("saldo_head_age_seconds", "network" => network.clone(), "level" => level)
        .set(age.as_secs_f64());
}

/// A whole number as a gauge has it: exact up to 32 bits, and never larger.
fn exact(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
