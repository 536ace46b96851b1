//! Unproven balances, which say when it is worth proving, and nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use alloy_primitives::U256;
use futures_util::future::join_all;
use saldo_reading::{Failure, Holding, ProviderId, Role};
use saldo_source::Endpoint;
use saldo_source::execution::{Question, ask_together, balance};
use serde_json::value::RawValue;

use crate::core::Core;

/// Whom to believe that a balance has changed. A provider that says so and is wrong makes work: it is asked less and less.
#[derive(Default)]
pub(super) struct Hints {
    mistrusted: BTreeMap<ProviderId, Mistrust>,
}

#[derive(Clone, Copy, Default)]
struct Mistrust {
    /// How often in a row its hints were wrong.
    count: u32,
    /// Until when it is not asked, on the monotonic clock.
    until: Duration,
}

/// A hint that the balance of `holding` is another.
pub(super) struct Hint {
    pub(super) holding: Holding,
    pub(super) provider: ProviderId,
}

impl Hints {
    /// How long whoever was wrong once is not asked; doubled each time.
    const FIRST_PAUSE: Duration = Duration::from_secs(60);
    /// How long an answer is waited for.
    const PATIENCE: Duration = Duration::from_secs(2);

    /// Asks for the balances of `holdings` at the newest block, each of a provider that knows of the address already, and
    /// gives those that are said to differ from what was proven last.
    pub(super) async fn ask(&self, core: &Core, holdings: &[Holding]) -> Vec<Hint> {
        let now = core.clock().monotonic();
        let willing = core.asker.willing(Role::Execution, "eth_getBalance", &core.execution);
        let mut of_provider: BTreeMap<&ProviderId, (&Endpoint, Vec<Holding>)> = BTreeMap::new();
        for holding in holdings {
            let known = core.known();
            let knows = |provider: &&&Endpoint| {
                let is_mistrusted =
                    self.mistrusted.get(provider.id()).is_some_and(|mistrust| now < mistrust.until);
                !is_mistrusted && known.circles.knows(holding.owner, provider)
            };
            if let Some(provider) = willing.iter().find(knows) {
                of_provider.entry(provider.id()).or_insert((provider, Vec::new())).1.push(*holding);
            }
        }
        let each = of_provider.into_values().map(|(provider, asked)| async move {
            let differing = Self::differing(core, provider, &asked).await;
            differing.into_iter().map(|holding| Hint { holding, provider: provider.id().clone() })
        });
        join_all(each).await.into_iter().flatten().collect()
    }

    async fn differing(core: &Core, provider: &Endpoint, holdings: &[Holding]) -> Vec<Holding> {
        let question = |holding: &Holding| Question::Balance { address: holding.owner };
        let questions: Vec<Question> = holdings.iter().map(question).collect();
        let batch = core.capability(provider.id()).batch;
        let replies =
            ask_together(core.asker.network(), provider, &questions, batch, Self::PATIENCE).await.each;
        let is_other = |(holding, reply): (&Holding, Result<Box<RawValue>, Failure>)| {
            let said: U256 = balance(&reply.ok()?)?;
            let last = core.last(holding)?;
            (last.amount().base_units() != said).then_some(*holding)
        };
        holdings.iter().zip(replies).filter_map(is_other).collect()
    }

    /// Notes whether what `provider` said turned out to be so.
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
