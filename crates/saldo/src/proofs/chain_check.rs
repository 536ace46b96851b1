//! Holds the chain id of a network's table against what the providers say.
//!
//! A proof is of a block, and no block states its chain id. So a wrong number in a network file would go unnoticed, and a wallet
//! would show the right amount under the name of another chain. Built-in tables need no check.

use std::time::Duration;

use futures_util::future::{Either, join_all, select};
use saldo_reading::{ProviderId, Role};
use saldo_source::execution::chain_id;
use saldo_source::{Deadline, Endpoint, IntoBoxed, MaybeSend, SortedSet};

use super::Proofs;
use super::target::proofs_at;
use crate::env::Env;

impl Proofs {
    /// The pause before the next request if the provider did not say which chain it serves.
    const CHAIN_ASKED_AGAIN: Duration = Duration::from_secs(60);
    /// The extra time that a read spends on the answer.
    const CHAIN_GRACE: Duration = Duration::from_millis(100);

    /// Asks the first choice which chain it serves while `read` runs, unless one has said so.
    pub(crate) async fn learn_chain_beside<T>(
        &self,
        read: impl Future<Output = T> + MaybeSend,
        deadline: Deadline,
    ) -> T {
        match select(read.into_boxed(), self.learn_chain(deadline).into_boxed()).await {
            Either::Left((read, learning)) => {
                select(learning, self.env.clock().sleep(Self::CHAIN_GRACE)).await;
                read
            }
            Either::Right(((), read)) => read.await,
        }
    }

    async fn learn_chain(&self, deadline: Deadline) {
        if !self.state().chains_said.is_empty() || !self.may_ask_chain() {
            return;
        }
        let method = proofs_at(self.env.policy.assurance);
        let willing = self.env.dispatcher.willing(Role::Execution, method, &self.env.execution);
        if let Some(first) = willing.into_iter().next() {
            self.ask_chain(first, deadline).await;
        }
    }

    /// Whether the chain id is in doubt, and the pause since the last question is over. Begins the next pause.
    fn may_ask_chain(&self) -> bool {
        let now = self.env.clock().monotonic();
        let mut state = self.state();
        let may_ask = !self.is_built_in && !state.chains_said.is_confirmed && now >= state.chains_said.again;
        if may_ask {
            state.chains_said.again = now.saturating_add(Self::CHAIN_ASKED_AGAIN);
        }
        may_ask
    }

    async fn ask_chain(&self, provider: &Endpoint, deadline: Deadline) {
        let said = chain_id(self.env.dispatcher.io(), provider, self.env.time_left(deadline)).await;
        if let Ok(said) = said {
            let expected = self.head.network().chain_id();
            self.state().chains_said.record(provider.id(), said, expected);
        }
    }

    /// Notes whether the chain id of the network's table is wrong: one of the `providers`, whose proofs hold, says that it serves
    /// another chain, and no provider has ever said that it serves this one. A provider that lies about its chain changes nothing
    /// where another one tells the truth.
    pub(crate) async fn check_chain(&self, providers: &SortedSet<ProviderId>, deadline: Deadline) {
        if self.is_built_in || providers.is_empty() {
            return;
        }
        let until = deadline.min(Deadline::after(self.env.clock(), Env::GRACE));
        if !self.has_any_said(providers) && self.may_ask_chain() {
            self.ask_chains(|provider| providers.contains(provider), until).await;
        }
        let is_doubtful = || self.has_any_said(providers) && !self.state().chains_said.is_confirmed;
        if is_doubtful() {
            self.ask_chains(|_| true, until).await;
        }
        self.head.note_wrong_chain_id(is_doubtful());
    }

    fn has_any_said(&self, providers: &SortedSet<ProviderId>) -> bool {
        let state = self.state();
        providers.iter().any(|provider| state.chains_said.of(provider).is_some())
    }

    /// Asks those that have not said which chain they serve.
    async fn ask_chains(&self, is_asked: impl Fn(&ProviderId) -> bool, deadline: Deadline) {
        let asked: Vec<&Endpoint> = {
            let state = self.state();
            let has_said = |endpoint: &Endpoint| state.chains_said.of(endpoint.id()).is_some();
            let each = self.env.execution.iter();
            each.filter(|endpoint| is_asked(endpoint.id()) && !has_said(endpoint)).collect()
        };
        join_all(asked.into_iter().map(|provider| self.ask_chain(provider, deadline))).await;
    }
}
