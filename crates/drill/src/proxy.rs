//! Faults in front of a real provider, or of a real beacon source.
//!
//! What a fault changes on the way is changed: connections, HTTP, JSON-RPC, and the proofs in it. Faults that need
//! a chain of their own ([`Fault::needs_a_chain`]) are not possible here.

mod distort;
mod forward;
mod needed;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use saldo_beacon::unit::UnixTime;
use saldo_source::{Endpoint, Transport};
use serde_json::Value;

use crate::beacon_source::route::Route;
use crate::carry::carry;
use crate::fault::{Fault, Rule, Rules, Side};
use crate::http::{HttpRequest, Reaction, Relay, Reply};
use crate::scenario::{Event, Happening, Role, Scenario};
use forward::Upstream;

/// A real server, behind faults. A handle: clones are the same proxy.
#[derive(Clone)]
pub struct Proxy {
    upstream: Arc<Upstream>,
    side: Side,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    rules: Rules,
    latency: Duration,
}

impl Proxy {
    /// Stands before `upstream`, which is asked for what `role` says, and for now changes nothing.
    pub fn new(upstream: Endpoint, transport: Arc<dyn Transport>, role: Role) -> Self {
        let side = if role.is_provider() { Side::Execution } else { Side::Beacon };
        Self { upstream: Arc::new(Upstream::new(upstream, transport)), side, state: Arc::default() }
    }

    /// Lets `event` happen, as far as it is about the member at that place of the scenario.
    pub fn apply(&self, place: usize, event: &Event) {
        match &event.happening {
            Happening::Fails { who, how, on, times } if who.contains(&place) => {
                let mut state = self.state();
                state.rules.clear();
                for fault in how.iter().filter(|fault| !fault.names_a_chain()) {
                    state.rules.add(Rule::limited(fault.clone(), on.as_deref(), *times), self.side);
                }
            }
            Happening::Changes { who, latency: Some(latency), .. } if who.contains(&place) => {
                self.state().latency = *latency;
            }
            _ => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn exchange(&self, request: HttpRequest) -> Reaction {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if let Some(refusal) = needed::refusal(self.side, &request, &body) {
            return Reaction::Reply(refusal);
        }
        let methods = match self.side {
            Side::Execution => distort::methods(&body),
            Side::Beacon => vec![Route::of(&request.path).name().to_owned()],
        };
        let (rules, latency) = {
            let mut state = self.state();
            (state.rules.take(&methods, now()), state.latency)
        };
        // Where nothing of the true answer is left, the upstream is not asked.
        if rules.iter().any(|rule| replaces_all(&rule.fault)) {
            return carry(&rules, Reply::default(), latency, now());
        }
        let answered = match self.side {
            Side::Execution => self.upstream.call(&request, &body, &rules).await,
            Side::Beacon => self.upstream.fetch(&request).await,
        };
        match answered {
            Ok(reply) => carry(&rules, reply, latency, now()),
            Err(reaction) => reaction,
        }
    }
}

impl Relay for Proxy {
    fn relay(&self, request: HttpRequest) -> BoxFuture<'_, Reaction> {
        Box::pin(self.exchange(request))
    }

    fn refuses(&self) -> bool {
        self.state().rules.refuse()
    }
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Proxy").field("upstream", &self.upstream).finish_non_exhaustive()
    }
}

/// What of `scenario` a proxy cannot do, in words.
pub fn beyond_a_proxy(scenario: &Scenario) -> Vec<String> {
    let is_beyond = |event: &&Event| match &event.happening {
        Happening::Fails { how, .. } => how.iter().any(Fault::needs_a_chain),
        Happening::Changes { lag, window, .. } => lag.is_some() || window.is_some(),
        Happening::Device(_) | Happening::Chain(_) | Happening::Rollup(_) => false,
    };
    scenario.events.iter().filter(is_beyond).map(|event| event.says.clone()).collect()
}

/// Whether nothing of the true answer is left under that fault.
const fn replaces_all(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Refuse
            | Fault::Hang
            | Fault::Unresolvable
            | Fault::BadCertificate
            | Fault::Status(_)
            | Fault::RateLimited { .. }
            | Fault::QuotaExhausted
            | Fault::Forbidden
            | Fault::Html
            | Fault::Redirect(_)
            | Fault::GzipBomb { .. }
            | Fault::Body(_)
    )
}

fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
