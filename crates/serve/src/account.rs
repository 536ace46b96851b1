//! The methods about one account at one block.

use alloy_primitives::{B256, b256};
use saldo::{Address, BlockId, BlockState, Client, ProvenAccount, Query};
use serde_json::json;

use crate::answered::Answered;
use crate::block_parameter::BlockParameter;
use crate::error::RpcError;
use crate::not_proven::not_proven;
use crate::params::{Key, Params};
use crate::quantity::quantity;
use crate::unanswered::Unanswered;

/// The most storage keys of one `eth_getProof`.
const MOST_KEYS: usize = 256;

/// The root of a trie without leaves. Source: EIP-1186, and the yellow paper's `TRIE(∅)`.
const NO_STORAGE: B256 = b256!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");

type Answer = Result<Answered, Unanswered>;

/// `eth_getBalance`.
pub(crate) async fn balance(client: &Client, params: &Params<'_>) -> Answer {
    let (address, block) = (params.address(0)?, provable(params.block(1)?)?);
    // Most providers of a rollup serve no proof at a block for which L1 vouches. The client answers with one that it took earlier.
    if block == BlockId::Latest && !client.network().has_committee() {
        let proven = client.proven_balance(address).await.map_err(|error| not_proven(&error))?;
        return Ok(Answered::at(quantity(proven.amount().base_units()), proven.anchor()));
    }
    number(client, params, |account| quantity(account.balance())).await
}

/// `eth_getTransactionCount`.
pub(crate) async fn nonce(client: &Client, params: &Params<'_>) -> Answer {
    number(client, params, |account| quantity(account.nonce())).await
}

async fn number(client: &Client, params: &Params<'_>, of: impl Fn(&ProvenAccount) -> String) -> Answer {
    let (address, block) = (params.address(0)?, provable(params.block(1)?)?);
    let state = prove(client, block, &Query::account(address)).await?;
    Ok(Answered::at(of(account(&state, address)?), state.anchor()))
}

/// `eth_getCode`.
pub(crate) async fn code(client: &Client, params: &Params<'_>) -> Answer {
    let (address, block) = (params.address(0)?, provable(params.block(1)?)?);
    let mut query = Query::default();
    query.add_code(address);
    let state = prove(client, block, &query).await?;
    let code = account(&state, address)?.code().ok_or_else(missing)?;
    Ok(Answered::at(code.to_string(), state.anchor()))
}

/// `eth_getStorageAt`.
pub(crate) async fn storage(client: &Client, params: &Params<'_>) -> Answer {
    let (address, key, block) = (params.address(0)?, params.key(1)?, provable(params.block(2)?)?);
    let mut query = Query::default();
    query.add_slot(address, key.key);
    let state = prove(client, block, &query).await?;
    let slot = account(&state, address)?.slot(key.key).ok_or_else(missing)?;
    Ok(Answered::at(B256::from(slot.word()).to_string(), state.anchor()))
}

/// `eth_getProof`.
pub(crate) async fn proof(client: &Client, params: &Params<'_>) -> Answer {
    let (address, keys) = (params.address(0)?, params.keys(1, MOST_KEYS)?);
    let block = provable(params.block(2)?)?;
    let mut query = Query::account(address);
    keys.iter().for_each(|key| query.add_slot(address, key.key));
    let state = prove(client, block, &query).await?;
    let account = account(&state, address)?;
    let slots = keys.iter().map(|key| slot_proof(account, key)).collect::<Result<Vec<_>, _>>()?;
    let proof = json!({
        "address": address,
        "accountProof": account.proof(),
        "balance": quantity(account.balance()),
        "codeHash": account.code_hash(),
        "nonce": quantity(account.nonce()),
        "storageHash": account.storage_hash().unwrap_or(NO_STORAGE),
        "storageProof": slots,
    });
    Ok(Answered::at(proof, state.anchor()))
}

fn slot_proof(account: &ProvenAccount, key: &Key<'_>) -> Result<serde_json::Value, Unanswered> {
    let slot = account.slot(key.key).ok_or_else(missing)?;
    Ok(json!({ "key": key.echo(), "value": quantity(slot.word()), "proof": slot.proof() }))
}

/// The block, if it can be proven.
pub(crate) fn provable(block: BlockParameter) -> Result<BlockId, Unanswered> {
    block.provable().map_err(Unanswered::Unprovable)
}

async fn prove(client: &Client, block: BlockId, query: &Query) -> Result<BlockState, Unanswered> {
    client.state(block, query).await.map_err(|error| not_proven(&error).into())
}

fn account(state: &BlockState, address: Address) -> Result<&ProvenAccount, Unanswered> {
    state.account(address).ok_or_else(missing)
}

/// What was asked for is always in the answer. If it is not, it is not known.
fn missing() -> Unanswered {
    RpcError::internal().into()
}
