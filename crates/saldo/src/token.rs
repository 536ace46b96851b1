//! Looks at a token: its code, its proxy, and how its balances can be proven.

use alloy_primitives::Address;
use saldo_chain::Anchor;
use saldo_proof::eip1186::AccountReply;
use saldo_reading::{Attempt, Failure, ProviderId, Role, Why};
use saldo_source::execution::{At, Question, ask_together, code};
use saldo_source::{Answer, Deadline, Endpoint, Hedged, IntoBoxed};
use saldo_token::{ProvenState, Query, TokenDescription, TokenInfo};

use crate::inner::ClientInner;

/// What is known about a token right now. It has no amount.
#[must_use]
#[derive(Clone, Debug)]
pub enum TokenReading {
    /// The token's code was proven, under a header that the chain's sync committee signed.
    Proven(Box<ProvenToken>),
    /// Nothing was proven.
    Unknown(UnknownToken),
}

/// What a token is, proven at a block.
#[derive(Clone, Debug)]
pub struct ProvenToken {
    description: TokenDescription,
    info: Option<TokenInfo>,
    anchor: Anchor,
    provider: ProviderId,
}

impl ProvenToken {
    /// Returns the token's code, its proxy, and how its balances can be proven.
    pub const fn description(&self) -> &TokenDescription {
        &self.description
    }

    /// Returns the decimals and the symbol that the token's own code returned at that block; `None` without the feature `execute`, or
    /// if the code gives no decimals, or was not run to its end.
    pub const fn info(&self) -> Option<&TokenInfo> {
        self.info.as_ref()
    }

    /// Returns the block that it is true at. A proxy can get another implementation in any later block.
    pub const fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// Returns the provider that served the proofs.
    pub const fn provider(&self) -> &ProviderId {
        &self.provider
    }
}

/// Why nothing was proven about a token.
#[derive(Clone, Debug)]
pub struct UnknownToken {
    why: Why,
    attempts: Vec<Attempt>,
}

impl UnknownToken {
    /// Returns the reason.
    pub const fn why(&self) -> &Why {
        &self.why
    }

    /// Returns the requests, and the outcome of each.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }
}

impl ClientInner {
    /// The most requests to one provider. A token behind a beacon needs five: its code, the beacon, the beacon's pointer, the
    /// implementation, and the conditions.
    const LOOKS: usize = 8;

    /// Looks at `token` at the newest block of the assurance that the policy asks for. The requests name no owner, so every
    /// provider may be asked.
    pub(crate) async fn token(&self, token: Address, deadline: Deadline) -> TokenReading {
        let level = self.env.policy.assurance;
        let until = self.env.half(deadline);
        let mut synced = self.sync(until).await;
        synced.attempts.extend(self.fetch_head(level, until).await);
        let generation = self.head.generation();
        let head = self.head.newest(level);
        let unknown = |why, attempts| TokenReading::Unknown(UnknownToken { why, attempts });
        if self.head.is_faulted() {
            return unknown(Why::ConsensusFault, synced.attempts);
        }
        let young = head.as_ref().filter(|head| self.env.is_young(head, self.head.now()));
        let Some(anchor) = young else {
            let why = self.why_of(&synced, head.as_ref(), &[], false);
            return unknown(why, synced.attempts);
        };
        let ask = |provider| {
            async move {
                let look = self.look_at(provider, token, anchor, deadline).await;
                look.map_or_else(Answer::Failed, Answer::Accepted)
            }
            .into_boxed()
        };
        let Hedged { winner, attempts, .. } =
            self.env.hedge(Role::Execution, "eth_getProof", deadline, ask).await;
        let Some((provider, (description, info))) = winner else {
            let why = self.why_of(&synced, Some(anchor), &attempts, false);
            return unknown(why, [synced.attempts, attempts].concat());
        };
        match self.held_now(anchor, generation) {
            Err(why) => unknown(why, attempts),
            Ok(anchor) => TokenReading::Proven(Box::new(ProvenToken { description, info, anchor, provider })),
        }
    }

    /// Asks one provider for proofs at the block `anchor` until they describe `token`.
    async fn look_at(
        &self,
        provider: &Endpoint,
        token: Address,
        anchor: &Anchor,
        deadline: Deadline,
    ) -> Result<(TokenDescription, Option<TokenInfo>), Failure> {
        let mut state = ProvenState::new(anchor.state_root());
        let mut at = At::Hash(anchor.hash());
        for _ in 0..Self::LOOKS {
            let query = match TokenDescription::of(&state, token) {
                Ok(description) => {
                    let info = self.run_for_info(&mut state, provider, (token, anchor), at, deadline).await;
                    return Ok((description, info));
                }
                Err(query) => query,
            };
            match self.add(&mut state, provider, &query, at, deadline).await {
                // Not every client takes a hash.
                Err(Failure::Rpc { .. }) if at != At::Number(anchor.number()) => {
                    at = At::Number(anchor.number());
                }
                outcome => outcome?,
            }
        }
        Err(Failure::Malformed { what: "not all that the description of the token needs" })
    }

    /// Runs the token's code for its decimals and its symbol. Both are only shown, so a failure of it is no failure of the look.
    #[cfg(feature = "execute")]
    async fn run_for_info(
        &self,
        state: &mut ProvenState,
        provider: &Endpoint,
        (token, anchor): (Address, &Anchor),
        at: At,
        deadline: Deadline,
    ) -> Option<TokenInfo> {
        let environment = anchor.environment(&self.head.network()).ok()?;
        let mut before = Query::default();
        for _ in 0..Self::LOOKS {
            let query = match TokenInfo::from_execution(state, &environment, token) {
                Ok(info) => return info,
                // What did not come is not asked for again.
                Err(saldo_token::Obstacle::Missing(query)) if query != before => query,
                Err(_) => return None,
            };
            self.add(state, provider, &query, at, deadline).await.ok()?;
            before = query;
        }
        None
    }

    /// This build runs no code.
    #[cfg(not(feature = "execute"))]
    async fn run_for_info(
        &self,
        _: &mut ProvenState,
        _: &Endpoint,
        _: (Address, &Anchor),
        _: At,
        _: Deadline,
    ) -> Option<TokenInfo> {
        None
    }

    /// Adds to `state` what `query` asks for, from one provider.
    async fn add(
        &self,
        state: &mut ProvenState,
        provider: &Endpoint,
        query: &Query,
        at: At,
        deadline: Deadline,
    ) -> Result<(), Failure> {
        let proofs = query.slots().iter().map(|(address, keys)| Question::Proof {
            address: *address,
            keys: keys.iter().copied().collect(),
            at,
        });
        let codes = query.codes().iter().map(|address| Question::Code { address: *address, at });
        let questions: Vec<Question> = proofs.chain(codes).collect();
        let (known, left) = (self.proofs.batch_of(provider.id()), self.env.time_left(deadline));
        let io = self.env.dispatcher.io();
        let together = ask_together(io, provider, &questions, known, left).await;
        self.proofs.learn_batch(provider.id(), known, together.batch);
        for (question, result) in questions.iter().zip(together.each) {
            let result = result?;
            let Question::Proof { address, keys, .. } = question else {
                state.add_code(code(&result)?);
                continue;
            };
            let reply: AccountReply = serde_json::from_str(result.get())
                .map_err(|_| Failure::Malformed { what: "not an eth_getProof result" })?;
            let account = reply.verify(state.root(), *address)?;
            state.add_account(&account).expect("it was verified under this root");
            for key in keys {
                let left_out = Failure::Malformed { what: "not all slots that were asked for" };
                let slot = account.slot(*key, &reply.storage(*key).ok_or(left_out)?.proof)?;
                state.add_slot(&slot).expect("it was verified under this root");
            }
        }
        Ok(())
    }
}
