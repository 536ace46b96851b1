//! What a holding amounts to at a block that the caller names.

use std::sync::Arc;

use alloy_primitives::{Address, U256};
use saldo_chain::Anchor;
use saldo_proof::Account;
use saldo_reading::{Asset, Holding, Why};
use saldo_source::Deadline;
use saldo_token::Query;

use super::block::BlockId;
use super::facts::Facts;
use super::found::FoundBlock;
use super::prove::prove;
use super::proven::NotProven;
use crate::inner::ClientInner;
use crate::token_run::{self, NoBalance};

/// The amount of `holding` at the block that `id` names, and the block.
pub(crate) async fn amount(
    inner: &Arc<ClientInner>,
    id: BlockId,
    holding: Holding,
) -> Result<(Anchor, U256), NotProven> {
    if let Some(why) = inner.unreadable(&holding) {
        return Err(NotProven::new(why, Vec::new()));
    }
    let deadline = Deadline::after(inner.env.clock(), inner.env.policy.deadline);
    let found = inner.find_block(id, inner.env.half(deadline)).await?;
    let owner = holding.owner();
    let (facts, amount) = match holding.asset() {
        Asset::Erc20(token) => of_token(inner, &found, token, owner, deadline).await?,
        _ => {
            let facts = prove(inner, &found, &Query::account(owner), deadline).await?;
            let held = facts.get(owner).map(|facts| match facts.account.leaf() {
                Account::Present(state) => state.balance,
                Account::Absent => U256::ZERO,
            });
            let amount = held.ok_or_else(|| NotProven::new(Why::InternalFault, Vec::new()))?;
            (facts, amount)
        }
    };
    let anchor = inner.let_out(&found, &facts, deadline).await?;
    Ok((anchor, amount))
}

/// The most times that more is asked for.
const ROUNDS: usize = 16;

async fn of_token(
    inner: &Arc<ClientInner>,
    found: &FoundBlock,
    token: Address,
    owner: Address,
    deadline: Deadline,
) -> Result<(Facts, U256), NotProven> {
    let not = |why| NotProven::new(why, found.attempts.clone());
    let mut wanted = inner.proofs.query_of(token, owner, &found.anchor, None);
    for _ in 0..ROUNDS {
        let facts = prove(inner, found, &wanted, deadline).await?;
        let mut state = facts.state(found.anchor.state_root());
        inner.proofs.exchange_hints(&mut state, token);
        let network = inner.head.network();
        match token_run::balance(&state, Some(&found.anchor), &network, token, owner) {
            Ok(balance) => return Ok((facts, balance.amount())),
            Err(NoBalance::Never(why)) => return Err(not(why)),
            Err(NoBalance::Missing | NoBalance::Later) => {}
        }
        let mut next = facts.query();
        next.merge(inner.proofs.query_of(token, owner, &found.anchor, Some(&state)));
        if next == wanted {
            break;
        }
        wanted = next;
    }
    Err(not(Why::TokenNotRun {
        reason: "it needs more requests than saldo makes for one balance".to_owned(),
    }))
}
