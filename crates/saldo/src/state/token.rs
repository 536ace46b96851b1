//! Looks at a token: its code, its proxy, and how its balances can be proven.

use std::sync::Arc;

use alloy_primitives::Address;
use saldo_chain::Anchor;
use saldo_reading::{ProviderId, Why};
use saldo_source::Deadline;
use saldo_token::{ProvenState, Query, TokenDescription, TokenInfo};

use super::block::BlockId;
use super::counted::counted;
use super::facts::Facts;
use super::found::FoundBlock;
use super::prove::prove;
use super::proven::NotProven;
use crate::inner::ClientInner;

/// What is known about a token right now. It has no amount.
#[must_use]
#[derive(Clone, Debug)]
pub enum TokenReading {
    /// The token's code was proven, under a header that the chain's sync committee signed.
    Proven(Box<ProvenToken>),
    /// Nothing was proven.
    Unknown(NotProven),
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

/// The most times that more is asked for. A token behind a beacon needs five: its code, the beacon, the beacon's pointer, the
/// implementation, and the conditions.
const LOOKS: usize = 8;

/// Looks at `token` at the newest block of the assurance that the policy asks for.
pub(crate) async fn token(inner: &Arc<ClientInner>, token: Address) -> TokenReading {
    match counted(inner, "token", look(inner, token)).await {
        Ok(proven) => TokenReading::Proven(Box::new(proven)),
        Err(not_proven) => TokenReading::Unknown(not_proven),
    }
}

async fn look(inner: &Arc<ClientInner>, token: Address) -> Result<ProvenToken, NotProven> {
    let deadline = Deadline::after(inner.env.clock(), inner.env.policy.deadline);
    let found = inner.find_block(BlockId::Latest, inner.env.half(deadline)).await?;
    let mut look = Look { inner, found: &found, token, deadline, wanted: Query::default() };
    let (mut facts, mut state) = (Facts::default(), ProvenState::new(found.anchor.state_root()));
    let mut description = TokenDescription::of(&state, token);
    for _ in 0..LOOKS {
        let Err(query) = description else { break };
        (facts, state) = look.prove(query).await?;
        description = TokenDescription::of(&state, token);
    }
    let not = |why| NotProven::new(why, found.attempts.clone());
    let reason = "it needs more requests than saldo makes for one token".to_owned();
    let description = description.map_err(|_| not(Why::TokenNotRun { reason }))?;
    let provider = facts.get(token).map(|facts| facts.provider.clone());
    let provider = provider.ok_or_else(|| not(Why::InternalFault))?;
    let info = look.info(&mut state).await;
    let anchor = inner.let_out(&found, &facts.providers().cloned().collect(), deadline).await?;
    Ok(ProvenToken { description, info, anchor, provider })
}

/// A look at one token at one block.
struct Look<'a> {
    inner: &'a Arc<ClientInner>,
    found: &'a FoundBlock,
    token: Address,
    deadline: Deadline,
    /// All that was asked for.
    wanted: Query,
}

impl Look<'_> {
    /// Proves what `query` asks for too.
    async fn prove(&mut self, query: Query) -> Result<(Facts, ProvenState), NotProven> {
        self.wanted.merge(query);
        let facts = prove(self.inner, self.found, &self.wanted, self.deadline).await?;
        let mut state = facts.state(self.found.anchor.state_root());
        self.inner.proofs.exchange_hints(&mut state, self.token);
        Ok((facts, state))
    }

    /// Runs the token's code for its decimals and its symbol. Both are only shown, so a failure of it is no failure of the look.
    #[cfg(feature = "execute")]
    async fn info(&mut self, state: &mut ProvenState) -> Option<TokenInfo> {
        let environment = self.found.anchor.environment(&self.inner.head.network()).ok()?;
        let mut meter = crate::token_run::Meter::default();
        for _ in 0..LOOKS {
            match TokenInfo::from_execution_within(state, &environment, self.token, &mut meter) {
                Ok(info) => return info,
                Err(saldo_token::Obstacle::Missing(query)) => *state = self.prove(query).await.ok()?.1,
                Err(_) => return None,
            }
        }
        None
    }

    /// This build runs no code.
    #[cfg(not(feature = "execute"))]
    async fn info(&mut self, _: &mut ProvenState) -> Option<TokenInfo> {
        None
    }
}
