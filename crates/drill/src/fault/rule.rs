//! A fault together with the requests that it applies to.

use std::collections::VecDeque;

use alloy_primitives::Address;
use saldo_beacon::unit::UnixTime;
use serde_json::Value;

use crate::fault::{Fault, Side};

/// A fault, and the requests that it applies to.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(crate) fault: Fault,
    /// The only method or route that it applies to; `None`: all.
    pub(crate) method: Option<String>,
    /// The only address whose calls it applies to; `None`: all calls.
    pub(crate) about: Option<Address>,
    /// How many more requests it applies to; `None`: without end.
    pub(crate) left: Option<u64>,
    /// When requests were let through in the last second, under [`Fault::RequestRate`]; calls under [`Fault::CallRate`].
    recent: VecDeque<UnixTime>,
}

impl Rule {
    /// The same rule, only for requests of that method (`eth_getProof`) or route (`updates`).
    #[must_use]
    pub fn on(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// The same rule, only for calls that name `address` as their first parameter. For faults of single answers of a provider.
    #[must_use]
    pub fn about(mut self, address: Address) -> Self {
        self.about = Some(address);
        self
    }

    /// The same rule, only for the first `count` requests it applies to.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.left = Some(count);
        self
    }

    /// The fault, only for requests of the method or route `on` and only for the first `times`, where these are given.
    pub(crate) fn limited(fault: Fault, on: Option<&str>, times: Option<u64>) -> Self {
        Self { left: times, method: on.map(str::to_owned), ..Self::from(fault) }
    }

    fn applies_to(&self, methods: &[String]) -> bool {
        self.left != Some(0) && self.method.as_ref().is_none_or(|method| methods.contains(method))
    }

    /// Whether a request of so many `calls` at `now` is within the rate, if there is one. Counts it then.
    fn lets_through(&mut self, calls: usize, now: UnixTime) -> bool {
        let (per_second, counted) = match self.fault {
            Fault::RequestRate { per_second, .. } => (per_second, 1),
            Fault::CallRate { per_second, .. } => (per_second, calls),
            _ => return false,
        };
        let is_over = |at: &UnixTime| now.as_millis().saturating_sub(at.as_millis()) >= 1_000;
        while self.recent.front().is_some_and(is_over) {
            self.recent.pop_front();
        }
        let has_room = self.recent.len().saturating_add(counted) <= per_second;
        if has_room {
            self.recent.extend(std::iter::repeat_n(now, counted));
        }
        has_room
    }

    /// What the rule does to a request that it applies to.
    fn taken(&self) -> Self {
        let fault = match &self.fault {
            Fault::RequestRate { retry_after, .. } | Fault::CallRate { retry_after, .. } => {
                Fault::RateLimited { retry_after: retry_after.clone() }
            }
            other => other.clone(),
        };
        Self { about: self.about, ..fault.into() }
    }

    /// Whether it applies to a call with these parameters.
    pub(crate) fn concerns(&self, params: Option<&Value>) -> bool {
        let named = || params?.get(0)?.as_str()?.parse::<Address>().ok();
        self.about.is_none_or(|about| named() == Some(about))
    }
}

impl Fault {
    /// The same fault, only on requests of that method (`eth_getProof`) or route (`updates`).
    pub fn on(self, method: &str) -> Rule {
        Rule::from(self).on(method)
    }

    /// The same fault, only for the first `count` requests it applies to.
    pub fn times(self, count: u64) -> Rule {
        Rule::from(self).times(count)
    }
}

impl From<Fault> for Rule {
    fn from(fault: Fault) -> Self {
        Self { fault, method: None, about: None, left: None, recent: VecDeque::new() }
    }
}

/// The rules of one source.
#[derive(Debug, Default)]
pub(crate) struct Rules(Vec<Rule>);

impl Rules {
    /// Adds a rule.
    ///
    /// # Panics
    /// If a source of that side cannot have the fault, or if [`Stage`](crate::stage::Stage) must first make the chain
    /// that the fault names.
    pub(crate) fn add(&mut self, rule: Rule, side: Side) {
        let belongs = rule.fault.side().is_none_or(|only| only == side);
        assert!(belongs, "{:?} cannot happen to a source of the {side:?} side", rule.fault);
        assert!(!rule.fault.names_a_chain(), "{:?} needs a chain: use Fault::OtherChain", rule.fault);
        self.0.push(rule);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The rules for a request of `methods` (several in a batch) at `now`. Counts each as applied once more.
    pub(crate) fn take(&mut self, methods: &[String], now: UnixTime) -> Vec<Rule> {
        let mut taken = Vec::new();
        for rule in self.0.iter_mut().filter(|rule| rule.applies_to(methods)) {
            if rule.lets_through(methods.len(), now) {
                continue;
            }
            rule.left = rule.left.map(|left| left.saturating_sub(1));
            taken.push(rule.taken());
        }
        taken
    }

    /// Whether every connection is refused, for all methods.
    pub(crate) fn refuse(&self) -> bool {
        self.0.iter().any(|rule| {
            rule.method.is_none()
                && rule.left != Some(0)
                && matches!(rule.fault, Fault::Refuse | Fault::Unresolvable)
        })
    }
}
