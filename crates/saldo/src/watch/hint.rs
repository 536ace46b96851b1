//! Hints: unproven balances that only tell when a new proof is worth its requests.

use std::time::Duration;

use alloy_primitives::U256;
use futures_util::future::join_all;
use saldo_reading::{Asset, Attempt, Failure, Holding, Outcome, ProviderId, Role};
use saldo_source::execution::{At, Question, ask_together, balance};
use saldo_source::{Endpoint, SortedMap};
use serde_json::value::RawValue;

use crate::inner::ClientInner;

const METHOD: &str = "eth_getBalance";

/// Asks providers for hints that a balance changed. A wrong hint costs a proof, so its provider is asked less
/// and less.
#[derive(Default)]
pub(super) struct Hints {
    mistrusted: SortedMap<ProviderId, Mistrust>,
    /// Counts the rounds, so that the providers take turns. A single provider that errs or repeats an old
    /// balance would hide every change.
    rounds: usize,
}

#[derive(Clone, Copy, Default)]
struct Mistrust {
    /// Number of wrong hints in a row.
    count: u32,
    /// The provider is not asked before this time, on the monotonic clock.
    until: Duration,
}

/// A hint that the balance of `holding` has changed.
pub(super) struct Hint {
    pub(super) holding: Holding,
    pub(super) provider: ProviderId,
}

impl Hints {
    /// How long a provider is not asked after one wrong hint. It doubles with each further one.
    const FIRST_PAUSE: Duration = Duration::from_secs(60);
    /// How long to wait for an answer.
    const TIMEOUT: Duration = Duration::from_secs(2);

    /// Asks for the balances of `holdings` at the newest signed block, where a proof can show the same. Each
    /// balance is asked of a provider in the disclosure set of its address. Returns the holdings whose balance
    /// differs from the last proven one.
    pub(super) async fn ask(&mut self, inner: &ClientInner, holdings: &[Holding]) -> Vec<Hint> {
        let now = inner.env.clock().monotonic();
        let head = inner.head.newest(inner.env.policy.assurance).map(|head| head.number());
        let Some(head) = head else { return Vec::new() };
        let willing = inner.env.dispatcher.willing(Role::Execution, METHOD, &inner.env.execution);
        let mut of_provider: SortedMap<&ProviderId, (&Endpoint, Vec<Holding>)> = SortedMap::new();
        self.rounds = self.rounds.wrapping_add(1);
        for holding in holdings.iter().filter(|holding| inner.last(holding).is_some()) {
            let is_mistrusted =
                |id: &ProviderId| self.mistrusted.get(id).is_some_and(|mistrust| now < mistrust.until);
            let is_disclosed = |provider: &&&Endpoint| {
                !is_mistrusted(provider.id()) && inner.proofs.is_disclosed(holding.owner(), provider)
            };
            let disclosed: Vec<&&Endpoint> = willing.iter().filter(is_disclosed).collect();
            let turn = self.rounds.checked_rem(disclosed.len()).unwrap_or(0);
            if let Some(provider) = disclosed.get(turn) {
                of_provider.entry(provider.id()).or_insert((provider, Vec::new())).1.push(*holding);
            }
        }
        let each = of_provider.into_values().map(|(provider, asked)| async move {
            let differing = Self::differing(inner, provider, &asked, At::Number(head)).await;
            differing.into_iter().map(|holding| Hint { holding, provider: provider.id().clone() })
        });
        join_all(each).await.into_iter().flatten().collect()
    }

    async fn differing(
        inner: &ClientInner,
        provider: &Endpoint,
        holdings: &[Holding],
        at: At,
    ) -> Vec<Holding> {
        let began = inner.env.clock().monotonic();
        let question = |holding: &Holding| match holding.asset() {
            Asset::Erc20(token) => Question::TokenBalance { token, owner: holding.owner(), at },
            _ => Question::Balance { address: holding.owner(), at },
        };
        let questions: Vec<Question> = holdings.iter().map(question).collect();
        let batch = inner.proofs.batch_of(provider.id());
        let together =
            ask_together(inner.env.dispatcher.io(), provider, &questions, batch, Self::TIMEOUT).await;
        inner.proofs.learn_batch(provider.id(), batch, together.batch);
        let replies = together.each;
        // A token can refuse the call, or the provider all calls: where anything else is answered, it has not failed.
        let is_answered = replies.iter().any(Result::is_ok);
        let failure = replies.iter().find_map(|reply| reply.as_ref().err()).filter(|_| !is_answered).cloned();
        let outcome = failure.map_or(Outcome::Accepted, Outcome::Failed);
        let took = inner.env.clock().monotonic().saturating_sub(began);
        let provider = provider.id().clone();
        let attempt = Attempt { provider, role: Role::Execution, outcome, took, over_policy: false };
        inner.env.dispatcher.note(METHOD, std::slice::from_ref(&attempt));
        let is_other = |(holding, reply): (&Holding, Result<Box<RawValue>, Failure>)| {
            let said: U256 = balance(&reply.ok()?)?;
            let last = inner.last(holding)?;
            (last.amount().base_units() != said).then_some(*holding)
        };
        holdings.iter().zip(replies).filter_map(is_other).collect()
    }

    /// Notes whether the hint of `provider` was right.
    pub(super) fn note(&mut self, provider: &ProviderId, was_right: bool, now: Duration) {
        if was_right {
            self.mistrusted.remove(provider);
            return;
        }
        let mistrust = self.mistrusted.entry(provider.clone()).or_default();
        let doubled = 1_u32.checked_shl(mistrust.count.min(10)).unwrap_or(u32::MAX);
        mistrust.count = mistrust.count.saturating_add(1);
        mistrust.until = now.saturating_add(Self::FIRST_PAUSE.saturating_mul(doubled));
    }
}
