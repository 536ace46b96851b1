//! The methods about blocks and their headers.

use saldo::{BlockId, Body, Client, ProvenHeader, Withdrawal};
use serde_json::{Map, Value, json};

use crate::account::provable;
use crate::answered::Answered;
use crate::error::RpcError;
use crate::not_proven::not_proven;
use crate::params::Params;
use crate::quantity::quantity;
use crate::transaction;
use crate::unanswered::Unanswered;

type Answer = Result<Answered, Unanswered>;

/// `eth_blockNumber`.
pub(crate) async fn number(client: &Client) -> Answer {
    let anchor = client.block(BlockId::Latest).await.map_err(|error| not_proven(&error))?;
    Ok(Answered::at(quantity(anchor.number()), &anchor))
}

/// `eth_syncing`: `false` while the newest signed block is young.
pub(crate) async fn syncing(client: &Client) -> Answer {
    number(client).await.map(|_| Value::Bool(false).into())
}

/// `eth_getBlockByNumber`.
pub(crate) async fn by_number(client: &Client, params: &Params<'_>) -> Answer {
    let is_named = params.at(0).is_some_and(|raw| raw.get().starts_with('"'));
    let block = provable(params.block(0)?)?;
    if !is_named || matches!(block, BlockId::Hash(_)) {
        return Err(RpcError::invalid_params("parameter 0 must be a tag or a number").into());
    }
    block_of(client, block, params.flag(1)?).await
}

/// `eth_getBlockByHash`.
pub(crate) async fn by_hash(client: &Client, params: &Params<'_>) -> Answer {
    let is_named = params.at(0).is_some_and(|raw| raw.get().starts_with('"'));
    match provable(params.block(0)?)? {
        block @ BlockId::Hash(_) if is_named => block_of(client, block, params.flag(1)?).await,
        _ => Err(RpcError::invalid_params("parameter 0 must be a hash: 0x and 64 hexadecimal digits").into()),
    }
}

async fn block_of(client: &Client, block: BlockId, is_full: bool) -> Answer {
    let proven = client.full_block(block).await.map_err(|error| not_proven(&error))?;
    let (mut object, body) = (header(proven.header())?, proven.body());
    object.insert("size".to_owned(), quantity(u64::try_from(body.size()).unwrap_or(u64::MAX)).into());
    let transactions = if is_full { full(&object, body).await? } else { json!(body.transactions()) };
    object.insert("transactions".to_owned(), transactions);
    object.insert("uncles".to_owned(), json!([]));
    if let Some(withdrawals) = body.withdrawals() {
        object.insert("withdrawals".to_owned(), withdrawals.iter().map(withdrawal).collect());
    }
    Ok(Answered::at(object, proven.header().anchor()))
}

/// The full transactions. To find their senders takes up to a tenth of a second, so it is done beside the other answers.
async fn full(header: &Map<String, Value>, body: &Body) -> Result<Value, Unanswered> {
    let (header, raw) = (header.clone(), body.raw_transactions().to_vec());
    let read = tokio::task::spawn_blocking(move || transaction::full(&header, &raw)).await;
    let read = read.map_err(|_| RpcError::internal())?;
    read.map(Value::from).ok_or_else(|| RpcError::internal().into())
}

fn withdrawal(withdrawal: &Withdrawal) -> Value {
    json!({
        "index": quantity(withdrawal.index),
        "validatorIndex": quantity(withdrawal.validator_index),
        "address": withdrawal.address,
        "amount": quantity(withdrawal.amount),
    })
}

/// The header of a block as a subscription to `newHeads` gives it.
///
/// # Errors
/// [`Unanswered`] if its bytes have a layout that no version of the chain has.
pub(crate) fn header(proven: &ProvenHeader) -> Result<Map<String, Value>, Unanswered> {
    proven.header().to_json().map_err(|_| RpcError::internal().into())
}
