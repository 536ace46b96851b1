//! The environment that the owners of a client's state share: the endpoints, the policy, the clock, and the
//! dispatcher of requests. It holds no state of its own.

use std::time::Duration;

use saldo_chain::{Anchor, Level};
use saldo_reading::{Now, Policy, Role};
use saldo_source::{
    Answer, BoxedFuture, Clock, Deadline, DisclosureSet, Dispatcher, Endpoint, Hedged, Io, MaybeSend,
    RequestSpec,
};

/// How a client reaches the network, and the policy for its requests.
pub(crate) struct Env {
    /// Sends requests, and keeps the provider stats.
    pub(crate) dispatcher: Dispatcher,
    pub(crate) policy: Policy,
    pub(crate) execution: Vec<Endpoint>,
    pub(crate) beacon: Vec<Endpoint>,
}

impl Env {
    /// The time that a call waits for optional data once it has the data that it needs.
    pub(crate) const GRACE: Duration = Duration::from_millis(400);

    pub(crate) fn new(io: Io, policy: Policy, execution: Vec<Endpoint>, beacon: Vec<Endpoint>) -> Self {
        Self { dispatcher: Dispatcher::new(io), policy, execution, beacon }
    }

    /// The name of the network, for what is counted.
    #[cfg(feature = "metrics")]
    pub(crate) fn network_name(&self) -> std::sync::Arc<str> {
        self.dispatcher.io().network().clone()
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.dispatcher.io().clock()
    }

    /// The time that one attempt may take: until the deadline, because other providers are asked at the same
    /// time.
    pub(crate) fn time_left(&self, deadline: Deadline) -> Duration {
        deadline.left(self.clock())
    }

    /// The deadline at half of the time left: the next step needs time too.
    pub(crate) fn half(&self, deadline: Deadline) -> Deadline {
        let half = self.time_left(deadline).checked_div(2).unwrap_or_default();
        Deadline::after(self.clock(), half)
    }

    /// Asks the endpoints of `role` in hedged requests until an answer is accepted. The request names no
    /// address, so all of them may see it.
    pub(crate) async fn hedge<'a, T: MaybeSend + 'a>(
        &'a self,
        role: Role,
        method: &'static str,
        deadline: Deadline,
        ask: impl Fn(&'a Endpoint) -> BoxedFuture<'a, Answer<T>>,
    ) -> Hedged<T> {
        let endpoints = match role {
            Role::Execution => &self.execution,
            // Checkpoint sources are all asked at the same time, never in hedged requests.
            Role::Beacon | Role::Checkpoint => &self.beacon,
        };
        let spec = RequestSpec { role, method, deadline };
        self.dispatcher.hedge_one(spec, endpoints, DisclosureSet::unrestricted(), ask).await
    }

    /// The policy for a block of the assurance `level`. A finalized block may be older if the policy does not
    /// ask for finalized ones.
    pub(crate) fn policy_at(&self, level: Level) -> Policy {
        self.policy.at(level)
    }

    /// Whether `anchor` is young enough for the policy. If the clock is wrong no block is, because the age is
    /// not known.
    pub(crate) fn is_young(&self, anchor: &Anchor, now: Now) -> bool {
        now.age_of(anchor.timestamp()).is_some_and(|age| now.allows(age, &self.policy))
    }
}

/// Whether a proof at a block that is not trusted yet can be accepted later. A signature follows within some slots, but finality does
/// not come before the deadline of a read. On a rollup every proof waits for L1.
pub(crate) fn takes_tips(level: Level) -> bool {
    level != Level::Finalized
}
