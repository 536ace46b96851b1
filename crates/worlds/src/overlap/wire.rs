//! How the plain wallet asks one provider at one block, step by step and without any guess.

use alloy_primitives::{Address, B256};
use saldo::{Endpoint, Network, Why};
use saldo_chain::Anchor;
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{Account, Verified};
use saldo_source::Io;
use saldo_source::execution::{At, Question, ask, code};
use saldo_token::{Obstacle, ProvenState, Query, VerifiedBalance, prove};

use super::plain::PATIENCE;

/// The most steps to the balance of a token: its code, the pointer, the implementation and its code, and the slots.
const STEPS: usize = 8;

/// What was proven about a holding.
pub(super) enum Shown {
    Account(Verified<Account>),
    Token(VerifiedBalance),
    /// There is no balance, whatever else is proven.
    NoBalance(Why),
}

/// One provider, asked about the state after one block.
pub(super) struct Wire<'a> {
    pub(super) io: &'a Io,
    pub(super) provider: &'a Endpoint,
    pub(super) head: &'a Anchor,
}

impl Wire<'_> {
    /// The proven account, and the reply with the proofs of its slots.
    pub(super) async fn account(
        &self,
        address: Address,
        keys: &[B256],
    ) -> Option<(Verified<Account>, AccountReply)> {
        let question = Question::Proof { address, keys: keys.to_vec(), at: self.at() };
        let reply = ask(self.io, self.provider, &question, PATIENCE).await.ok()?;
        let reply = serde_json::from_str::<AccountReply>(reply.get()).ok()?;
        Some((reply.verify(self.head.state_root(), address).ok()?, reply))
    }

    /// What the state says about the balance of a token.
    pub(super) async fn token(&self, owner: Address, token: Address, network: &Network) -> Option<Shown> {
        let environment = self.head.environment(network).ok()?;
        let mut state = ProvenState::new(self.head.state_root());
        for _ in 0..STEPS {
            match prove(&state, Some(&environment), token, owner) {
                Ok(balance) => return Some(Shown::Token(balance)),
                Err(Obstacle::Missing(query)) => self.extend(&mut state, &query).await?,
                Err(Obstacle::NotAToken(reason)) => {
                    return Some(Shown::NoBalance(Why::NotAToken { reason }));
                }
                Err(obstacle) => {
                    let reason = obstacle.to_string();
                    return Some(Shown::NoBalance(Why::TokenNotRun { reason }));
                }
            }
        }
        None
    }

    /// Adds what `query` asks for.
    async fn extend(&self, state: &mut ProvenState, query: &Query) -> Option<()> {
        for (address, keys) in query.slots() {
            let keys: Vec<B256> = keys.iter().copied().collect();
            let (account, reply) = self.account(*address, &keys).await?;
            state.add_account(&account).ok()?;
            for key in keys {
                state.add_slot(&account.slot(key, &reply.storage(key)?.proof).ok()?).ok()?;
            }
        }
        for address in query.codes() {
            let question = Question::Code { address: *address, at: self.at() };
            let reply = ask(self.io, self.provider, &question, PATIENCE).await.ok()?;
            state.add_code(code(&reply).ok()?);
        }
        Some(())
    }

    fn at(&self) -> At {
        At::Hash(self.head.hash())
    }
}
