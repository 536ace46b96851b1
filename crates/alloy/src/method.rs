//! The methods that are answered by proof.

use alloy_consensus::TrieAccount;
use alloy_eips::BlockId as Named;
use alloy_primitives::{Address, B256, U64, U256};
use alloy_rpc_types_eth::{
    AccountInfo, EIP1186AccountProofResponse, EIP1186StorageProof, StorageValuesRequest,
};
use alloy_transport::{TransportError, TransportResult};
use saldo::{BlockId, BlockState, Client, ProvenAccount, Query};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::answered::Answered;
use crate::block::block_id;
use crate::call;
use crate::error::{NotAnswered, unproven};

/// Whether the method is answered by proof. No request for it is passed on.
pub(crate) fn is_proven(method: &str) -> bool {
    const PROVEN: [&str; 12] = [
        "eth_getBalance",
        "eth_getTransactionCount",
        "eth_getCode",
        "eth_getStorageAt",
        "eth_getStorageValues",
        "eth_getProof",
        "eth_getAccount",
        "eth_getAccountInfo",
        "eth_blockNumber",
        "eth_chainId",
        "eth_call",
        "eth_estimateGas",
    ];
    PROVEN.contains(&method)
}

/// Answers a request for a method that [`is_proven`].
pub(crate) async fn answer(client: &Client, method: &str, params: &Params) -> TransportResult<Answered> {
    match method {
        "eth_chainId" => Answered::known(&U64::from(client.network().chain_id())),
        "eth_blockNumber" => {
            let block = client.block(BlockId::Latest).await.map_err(unproven)?;
            Answered::at(&block, &U64::from(block.number()))
        }
        "eth_call" => call::call(client, params).await,
        "eth_estimateGas" => call::gas(client, params).await,
        _ => about_the_state(client, method, params).await,
    }
}

async fn about_the_state(client: &Client, method: &str, params: &Params) -> TransportResult<Answered> {
    if method == "eth_getStorageValues" {
        return storage_values(client, params).await;
    }
    let address: Address = params.get(0)?;
    match method {
        // Most providers of a rollup serve no proof at a block for which L1 vouches. The client answers with one that it took earlier.
        "eth_getBalance" if is_newest(client, params)? => {
            let proven = client.proven_balance(address).await.map_err(unproven)?;
            Answered::at(proven.anchor(), &proven.amount().base_units())
        }
        "eth_getBalance" => {
            let state = prove(client, params.block(1)?, &Query::account(address)).await?;
            Answered::at(state.anchor(), &account(&state, address)?.balance())
        }
        "eth_getTransactionCount" => {
            let state = prove(client, params.block(1)?, &Query::account(address)).await?;
            Answered::at(state.anchor(), &U64::from(account(&state, address)?.nonce()))
        }
        "eth_getCode" => {
            let state = prove(client, params.block(1)?, &Query::code(address)).await?;
            Answered::at(state.anchor(), account(&state, address)?.code().ok_or(TransportError::NullResp)?)
        }
        "eth_getStorageAt" => {
            let key = B256::from(params.get::<U256>(1)?);
            let state = prove(client, params.block(2)?, &Query::slot(address, key)).await?;
            let slot = account(&state, address)?.slot(key).ok_or(TransportError::NullResp)?;
            Answered::at(state.anchor(), &B256::from(slot.word()))
        }
        "eth_getProof" => {
            let keys: Vec<B256> = params.get(1)?;
            let mut query = Query::account(address);
            keys.iter().for_each(|key| query.add_slot(address, *key));
            let state = prove(client, params.block(2)?, &query).await?;
            Answered::at(state.anchor(), &proof_of(address, account(&state, address)?, &keys))
        }
        "eth_getAccount" => {
            let state = prove(client, params.block(1)?, &Query::account(address)).await?;
            let account = account(&state, address)?;
            Answered::at(
                state.anchor(),
                &TrieAccount {
                    nonce: account.nonce(),
                    balance: account.balance(),
                    storage_root: storage_hash(account),
                    code_hash: account.code_hash(),
                },
            )
        }
        "eth_getAccountInfo" => {
            let state = prove(client, params.block(1)?, &Query::code(address)).await?;
            let account = account(&state, address)?;
            let code = account.code().ok_or(TransportError::NullResp)?.clone();
            Answered::at(
                state.anchor(),
                &AccountInfo { balance: account.balance(), nonce: account.nonce(), code },
            )
        }
        _ => Err(NotAnswered::Unsupported { what: "this method" }.into()),
    }
}

/// Whether the newest block of a rollup is named.
fn is_newest(client: &Client, params: &Params) -> TransportResult<bool> {
    Ok(!client.network().has_committee() && params.block(1)? == BlockId::Latest)
}

async fn storage_values(client: &Client, params: &Params) -> TransportResult<Answered> {
    let requests: StorageValuesRequest = params.get(0)?;
    let mut query = Query::default();
    for (address, keys) in &requests.0 {
        query.add_account(*address);
        keys.iter().for_each(|key| query.add_slot(*address, *key));
    }
    let state = prove(client, params.block(1)?, &query).await?;
    let mut values = serde_json::Map::new();
    for (address, keys) in &requests.0 {
        let account = account(&state, *address)?;
        let words: Option<Vec<B256>> =
            keys.iter().map(|key| Some(account.slot(*key)?.word().into())).collect();
        let words = serde_json::to_value(words.ok_or(TransportError::NullResp)?);
        values.insert(address.to_string(), words.map_err(TransportError::ser_err)?);
    }
    Answered::at(state.anchor(), &values)
}

async fn prove(client: &Client, block: BlockId, query: &Query) -> TransportResult<BlockState> {
    client.state(block, query).await.map_err(unproven)
}

fn account(state: &BlockState, address: Address) -> TransportResult<&ProvenAccount> {
    state.account(address).ok_or(TransportError::NullResp)
}

fn storage_hash(account: &ProvenAccount) -> B256 {
    account.storage_hash().unwrap_or(alloy_consensus::constants::EMPTY_ROOT_HASH)
}

fn proof_of(address: Address, account: &ProvenAccount, keys: &[B256]) -> EIP1186AccountProofResponse {
    let slot = |key: &B256| {
        let slot = account.slot(*key)?;
        Some(EIP1186StorageProof { key: (*key).into(), value: slot.word(), proof: slot.proof().to_vec() })
    };
    EIP1186AccountProofResponse {
        address,
        balance: account.balance(),
        code_hash: account.code_hash(),
        nonce: account.nonce(),
        storage_hash: storage_hash(account),
        account_proof: account.proof().to_vec(),
        storage_proof: keys.iter().filter_map(slot).collect(),
    }
}

/// The parameters of a request.
pub(crate) struct Params(Vec<Box<RawValue>>);

impl Params {
    pub(crate) fn read(params: Option<&RawValue>) -> TransportResult<Self> {
        let Some(params) = params else { return Ok(Self(Vec::new())) };
        // Some methods of alloy send a single parameter without a list.
        let list = serde_json::from_str(params.get());
        Ok(Self(list.unwrap_or_else(|_| vec![params.to_owned()])))
    }

    /// What a request of `method` asks for, without the block at which it asks.
    pub(crate) fn question(&self, method: &str) -> String {
        let block = match method {
            "eth_getStorageAt" | "eth_getProof" => 2,
            _ => 1,
        };
        let params = self.0.iter().enumerate().filter(|(place, _)| *place != block);
        params.fold(method.to_owned(), |question, (_, param)| format!("{question} {param}"))
    }

    /// The parameter at `place`.
    pub(crate) fn get<T: DeserializeOwned>(&self, place: usize) -> TransportResult<T> {
        let param =
            self.0.get(place).ok_or(NotAnswered::Unsupported { what: "a request without all parameters" })?;
        serde_json::from_str(param.get()).map_err(TransportError::ser_err)
    }

    /// The parameter at `place`; `None` if it is left out or null.
    pub(crate) fn optional<T: DeserializeOwned>(&self, place: usize) -> TransportResult<Option<T>> {
        self.0
            .get(place)
            .map_or(Ok(None), |param| serde_json::from_str(param.get()).map_err(TransportError::ser_err))
    }

    /// The block at `place`; the newest one if it is left out.
    pub(crate) fn block(&self, place: usize) -> TransportResult<BlockId> {
        Ok(block_id(self.optional::<Named>(place)?.unwrap_or_default())?)
    }
}
