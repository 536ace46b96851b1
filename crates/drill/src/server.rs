//! What execution providers and beacon sources have in common: a chain, faults, a speed, and a count of requests.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::{Address, B256};

use crate::Chain;
use crate::carry::carry;
use crate::fault::{Fault, Rule, Rules, Side};
use crate::http::{HttpRequest, Reaction, Reply, Service};

/// The protocol that a [`Server`] speaks.
pub trait Protocol: Send + Sync + 'static {
    /// The faults that it can have.
    const SIDE: Side;

    /// The methods or routes that `request` asks for; several in a batch.
    fn methods(request: &HttpRequest) -> Vec<String>;

    /// Whether the connection is closed without an answer to `request`.
    fn breaks(_request: &HttpRequest, _rules: &[Rule]) -> bool {
        false
    }

    /// The answer to `request` under `rules`.
    fn reply(served: &mut Served, request: &HttpRequest, rules: &[Rule]) -> Reply;
}

/// A server of a [`Chain`], honest or with faults. A handle: clones are the same server.
///
/// `with`, `latency` and the like set it up in one expression; `add`, `set_latency` and the like change it while it is
/// in use.
pub struct Server<P> {
    state: Arc<Mutex<Served>>,
    protocol: PhantomData<fn() -> P>,
}

/// What calls of contracts read, as a provider says: for each contract accounts, each with slots.
pub(crate) type Lists = BTreeMap<Address, Vec<(Address, Vec<B256>)>>;

/// The state of a [`Server`].
#[derive(Debug)]
pub struct Served {
    pub(crate) chain: Chain,
    rules: Rules,
    latency: Duration,
    pub(crate) lag: u64,
    pub(crate) proof_window: Option<u64>,
    /// What it says that calls of contracts read, where that was set.
    pub(crate) lists: Lists,
    requests: BTreeMap<String, u64>,
    exchanges: u64,
}

impl<P: Protocol> Server<P> {
    /// A server that knows all of the chain at once and never fails.
    pub fn honest(chain: &Chain) -> Self {
        let state = Served {
            chain: chain.clone(),
            rules: Rules::default(),
            latency: Duration::ZERO,
            lag: 0,
            proof_window: None,
            lists: Lists::new(),
            requests: BTreeMap::new(),
            exchanges: 0,
        };
        Self { state: Arc::new(Mutex::new(state)), protocol: PhantomData }
    }

    /// The same server with one more fault.
    ///
    /// # Panics
    /// If it is a fault of the other side.
    #[must_use]
    pub fn with(self, rule: impl Into<Rule>) -> Self {
        self.add(rule);
        self
    }

    /// The same server, which takes this long for every answer.
    #[must_use]
    pub fn latency(self, latency: Duration) -> Self {
        self.set_latency(latency);
        self
    }

    /// The same server, this many blocks behind.
    #[must_use]
    pub fn lag(self, blocks: u64) -> Self {
        self.set_lag(blocks);
        self
    }

    /// From now on it also has that fault.
    ///
    /// # Panics
    /// If it is a fault of the other side.
    pub fn add(&self, rule: impl Into<Rule>) {
        self.state().rules.add(rule.into(), P::SIDE);
    }

    /// From now on it has that fault and no other.
    ///
    /// # Panics
    /// If it is a fault of the other side.
    pub fn set(&self, rule: impl Into<Rule>) {
        self.clear();
        self.add(rule);
    }

    /// From now on it has no fault. Latency, lag and proof window stay.
    pub fn clear(&self) {
        self.state().rules.clear();
    }

    /// From now on it takes this long for every answer.
    pub fn set_latency(&self, latency: Duration) {
        self.state().latency = latency;
    }

    /// From now on it is this many blocks behind: a provider with all that it knows, a beacon source with its newest
    /// signed head.
    pub fn set_lag(&self, blocks: u64) {
        self.state().lag = blocks;
    }

    /// How often each method or route was asked for, refused connections not counted.
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.state().requests.clone()
    }

    /// How many HTTP requests it was sent, refused connections not counted. A batch is one.
    pub fn exchanges(&self) -> u64 {
        self.state().exchanges
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, Served> {
        // A test that panicked while it held the server has reported its failure already.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Protocol> Service for Server<P> {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        let mut state = self.state();
        let now = state.chain.now();
        let (rules, reply) = if state.rules.refuse() {
            (state.rules.take(&[], now), Reply::default())
        } else {
            state.exchanges = state.exchanges.saturating_add(1);
            let mut rules = state.rules.take(&P::methods(request), now);
            let reply = P::reply(&mut state, request, &rules);
            if P::breaks(request, &rules) {
                rules.push(Fault::Reset { after: 0 }.into());
            }
            (rules, reply)
        };
        carry(&rules, reply, state.latency, now)
    }

    fn refuses(&self) -> bool {
        self.state().rules.refuse()
    }
}

impl Served {
    /// Counts one more request of that method or route; returns how many there were, this one included.
    pub(crate) fn count(&mut self, method: &str) -> u64 {
        let count = self.requests.entry(method.to_owned()).or_default();
        *count = count.saturating_add(1);
        *count
    }

    /// The chain that is served under `faults`.
    pub(crate) fn chain<'a>(&'a self, faults: &[&'a Fault]) -> &'a Chain {
        let other = faults.iter().find_map(|fault| match fault {
            Fault::OtherChain(other) => Some(other),
            _ => None,
        });
        other.unwrap_or(&self.chain)
    }
}

impl<P> Clone for Server<P> {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state), protocol: PhantomData }
    }
}

impl<P> fmt::Debug for Server<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Server").field("state", &self.state).finish()
    }
}
