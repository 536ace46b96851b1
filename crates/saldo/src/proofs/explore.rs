//! Tries providers that were not needed yet, so that their capabilities are known when they are needed.

use std::time::Duration;

use saldo_chain::{Anchor, HISTORY_CONTRACT};
use saldo_proof::eip1186::AccountReply;
use saldo_reading::{Attempt, Failure, Outcome, Role};
use saldo_source::execution::{At, Question, ask_together, chain_id_of, state_proofs};
use saldo_source::{Deadline, Endpoint};
use serde_json::value::RawValue;

use super::Proofs;
use super::target::proofs_at;
use crate::env::takes_tips;

impl Proofs {
    /// How long the result of a trial counts.
    const EXPLORED_FOR: Duration = Duration::from_secs(60 * 60);
    /// The pause before the next trial of a provider whose answer the read did not wait for.
    const EXPLORED_AGAIN: Duration = Duration::from_secs(60);

    /// Requests a proof of the history contract at the newest head from one provider that is not the first
    /// choice and was not tried in the last hour. The request names no address. An answer that comes before the
    /// read ends counts like any other. A slower provider than the one in use does not have to be known better.
    pub(crate) async fn explore(&self, deadline: Deadline) {
        let now = self.env.clock().monotonic();
        let method = proofs_at(self.env.policy.assurance);
        let willing = self.env.dispatcher.willing(Role::Execution, method, &self.env.execution);
        let Some(head) = self.head.newest(self.env.policy.assurance) else { return };
        let chosen = {
            let state = self.state();
            let is_known =
                |provider: &Endpoint| state.explored.get(provider.id()).is_some_and(|until| now < *until);
            willing.into_iter().skip(1).find(|provider| !is_known(provider))
        };
        let Some(provider) = chosen else { return };
        let explored = |pause| {
            self.state().explored.insert(provider.id().clone(), now.saturating_add(pause));
        };
        explored(Self::EXPLORED_AGAIN);
        let outcome = match self.try_proof(provider, &head, deadline).await {
            Ok(()) => Outcome::Joined,
            Err(failure) => Outcome::Failed(failure),
        };
        explored(Self::EXPLORED_FOR);
        let took = self.env.clock().monotonic().saturating_sub(now);
        let attempt = Attempt {
            provider: provider.id().clone(),
            role: Role::Execution,
            outcome,
            took,
            over_policy: false,
        };
        self.env.dispatcher.note(method, &[attempt]);
    }

    /// Asks a provider in one request: which chain it serves, which proofs it says it has, and for one proof.
    async fn try_proof(&self, provider: &Endpoint, head: &Anchor, deadline: Deadline) -> Result<(), Failure> {
        let known = self.capability(provider.id());
        let at = if known.block_hash { At::Hash(head.hash()) } else { At::Number(head.number()) };
        let proof = Question::Proof { address: HISTORY_CONTRACT, keys: Vec::new(), at };
        let questions = [Question::ChainId, Question::Capabilities, proof];
        let left = self.env.time_left(deadline);
        let together = ask_together(self.env.dispatcher.io(), provider, &questions, known.batch, left).await;
        let mut each = together.each.into_iter();
        let mut next = || -> Result<Box<RawValue>, Failure> { each.next().unwrap_or(Err(Failure::NoResult)) };
        let expected = self.head.network().chain_id();
        // A provider that does not support the call is judged by its proof alone.
        if let Ok(got) = next().and_then(|said| chain_id_of(&said)) {
            self.state().chains_said.record(provider.id(), got, expected);
            if got != expected {
                return Err(Failure::WrongChain { got, expected });
            }
        }
        let said = next().ok().and_then(|said| state_proofs(&said));
        let proven = next().and_then(|reply| {
            let reply: AccountReply = serde_json::from_str(reply.get())
                .map_err(|_| Failure::Malformed { what: "not an eth_getProof result" })?;
            reply.verify(head.state_root(), HISTORY_CONTRACT)?;
            Ok(())
        });
        // Its statement counts only if its proof does not show the contrary.
        let says_none = said.is_some_and(|said| said.disabled || said.oldest_block > Some(head.number()));
        let is_too_old = proven == Err(Failure::ProofWindowMissed) || (says_none && proven.is_err());
        // A provider without the state of a final block may still have more than its tip.
        let only_tip = is_too_old && takes_tips(self.env.policy.assurance);
        let oldest = said.filter(|said| !said.disabled).and_then(|said| said.oldest_block);
        if let Some(depth) = oldest.and_then(|oldest| self.head.depth_of(oldest)) {
            self.learn(provider.id(), |known| known.depth.says(depth));
        }
        self.learn_depth(provider, head.number(), [&proven]);
        self.learn(provider.id(), |known| {
            known.batch = together.batch;
            if only_tip || proven.is_ok() {
                known.behind_tip = !only_tip;
            }
        });
        proven
    }
}
