//! What holdings amount to at a block that the caller names.

use std::sync::Arc;

use alloy_primitives::{Address, U256};
use futures_util::future::join_all;
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
use crate::token_run::{self, Meter, NoBalance};

/// What one holding amounts to at a block, and the block.
pub(crate) type AmountAt = Result<(Anchor, U256), NotProven>;

/// The amounts of `holdings` at the block of that `number`, in their order. The block is found once, and what all of them need is
/// asked for together.
pub(crate) async fn amounts(
    inner: &Arc<ClientInner>,
    number: u64,
    holdings: &[Holding],
    deadline: Deadline,
) -> Vec<AmountAt> {
    let found = match inner.find_block(BlockId::Number(number), inner.env.half(deadline)).await {
        Ok(found) => found,
        Err(error) => return holdings.iter().map(|_| Err(error.clone())).collect(),
    };
    let asking = holdings.iter().map(|holding| amount(inner, &found, *holding, deadline));
    let amounts = join_all(asking).await;
    let providers = amounts.iter().flatten().flat_map(|(facts, _)| facts.providers()).cloned().collect();
    let held = inner.let_out(&found, &providers, deadline).await;
    let let_out = |amount: Result<(Facts, U256), NotProven>| {
        let (_, amount) = amount?;
        Ok((held.clone()?, amount))
    };
    amounts.into_iter().map(let_out).collect()
}

async fn amount(
    inner: &Arc<ClientInner>,
    found: &FoundBlock,
    holding: Holding,
    deadline: Deadline,
) -> Result<(Facts, U256), NotProven> {
    if let Some(why) = inner.unreadable(&holding) {
        return Err(NotProven::new(why, Vec::new()));
    }
    let owner = holding.owner();
    if let Asset::Erc20(token) = holding.asset() {
        return of_token(inner, found, token, owner, deadline).await;
    }
    let facts = prove(inner, found, &Query::account(owner), deadline).await?;
    let held = facts.get(owner).map(|facts| match facts.account.leaf() {
        Account::Present(state) => state.balance,
        Account::Absent => U256::ZERO,
    });
    let amount = held.ok_or_else(|| NotProven::new(Why::InternalFault, Vec::new()))?;
    Ok((facts, amount))
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
    let mut meter = Meter::default();
    let mut wanted = inner.proofs.query_of(token, owner, &found.anchor, None, &mut meter);
    for _ in 0..ROUNDS {
        let facts = prove(inner, found, &wanted, deadline).await?;
        let mut state = facts.state(found.anchor.state_root());
        inner.proofs.exchange_hints(&mut state, token);
        let network = inner.head.network();
        match token_run::balance_within(&state, Some(&found.anchor), &network, token, owner, &mut meter) {
            Ok(balance) => return Ok((facts, balance.amount())),
            Err(NoBalance::Never(why)) => return Err(not(why)),
            Err(NoBalance::Missing { .. } | NoBalance::Later) => {}
        }
        let mut next = facts.query();
        next.merge(inner.proofs.query_of(token, owner, &found.anchor, Some(&state), &mut meter));
        if next == wanted || meter.is_over() {
            break;
        }
        wanted = next;
    }
    Err(not(Why::TokenNotRun {
        reason: "it needs more requests than saldo makes for one balance".to_owned(),
    }))
}
