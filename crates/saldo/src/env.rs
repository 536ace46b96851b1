//! What the owners of a client's state share: the endpoints, the policy, the clock, and who is asked next. It holds no state
//! of its own.

use std::time::Duration;

use futures_util::future::BoxFuture;
use saldo_chain::{Anchor, Level};
use saldo_reading::{Asset, Now, Policy, Role};
use saldo_source::{Answer, Clock, Deadline, DisclosureSet, Dispatcher, Endpoint, Hedged, Io, RequestSpec};

/// How a client reaches the world, and what it may spend there.
pub(crate) struct Env {
    /// How the world is reached, and what was learned of the endpoints there.
    pub(crate) dispatcher: Dispatcher,
    pub(crate) policy: Policy,
    pub(crate) execution: Vec<Endpoint>,
    pub(crate) beacon: Vec<Endpoint>,
}

impl Env {
    /// How long a call waits for what would be good to have, where what it needs is there.
    pub(crate) const GRACE: Duration = Duration::from_millis(400);

    pub(crate) fn new(io: Io, policy: Policy, execution: Vec<Endpoint>, beacon: Vec<Endpoint>) -> Self {
        Self { dispatcher: Dispatcher::new(io), policy, execution, beacon }
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.dispatcher.io().clock()
    }

    /// How long one attempt may take: until the deadline, because the others are asked beside it.
    pub(crate) fn time_left(&self, deadline: Deadline) -> Duration {
        deadline.left(self.clock())
    }

    /// Half of the time that is left: what follows needs some as well.
    pub(crate) fn half(&self, deadline: Deadline) -> Deadline {
        let half = self.time_left(deadline).checked_div(2).unwrap_or_default();
        Deadline::after(self.clock(), half)
    }

    /// Asks the endpoints of `role` in hedged requests until an answer is accepted. The request names no address, so all of
    /// them may see it.
    pub(crate) async fn hedge<'a, T: Send + 'a>(
        &'a self,
        role: Role,
        method: &'static str,
        deadline: Deadline,
        ask: impl Fn(&'a Endpoint) -> BoxFuture<'a, Answer<T>>,
    ) -> Hedged<T> {
        let endpoints = match role {
            Role::Execution => &self.execution,
            // Checkpoint sources are asked all at once, and never in hedged requests.
            Role::Beacon | Role::Checkpoint => &self.beacon,
        };
        let spec = RequestSpec { role, method, deadline };
        self.dispatcher.hedge_one(spec, endpoints, DisclosureSet::unrestricted(), ask).await
    }

    /// The policy for a block of the assurance `level`: a finalized block is older, where the policy does not ask for one.
    pub(crate) fn policy_at(&self, level: Level) -> Policy {
        if level <= self.policy.assurance {
            return self.policy;
        }
        Policy { max_age: self.policy.max_age.max(Policy::finalized().max_age), ..self.policy }
    }

    /// Whether `anchor` is young enough for the policy. Where the clock is off no block is, because its age is not known.
    pub(crate) fn is_young(&self, anchor: &Anchor, now: Now) -> bool {
        now.age_of(anchor.timestamp()).is_some_and(|age| now.allows(age, &self.policy))
    }
}

/// Whether a proof at a block that is not signed yet can be accepted later: a signature follows within slots, but finality
/// not within the deadline of any read.
pub(crate) fn takes_tips(level: Level) -> bool {
    level == Level::Signed
}

/// Whether `asset` can be read by this version.
pub(crate) fn is_readable(asset: Asset) -> bool {
    matches!(asset, Asset::Native)
}
