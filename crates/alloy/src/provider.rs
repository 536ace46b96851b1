//! The layer, and the provider that it makes.

use std::borrow::Cow;
use std::marker::PhantomData;

use alloy_consensus::TrieAccount;
use alloy_eips::BlockId as Named;
use alloy_json_rpc::{RpcRecv, RpcSend};
use alloy_network::Network;
use alloy_primitives::{Address, B256, BlockNumber, Bytes, StorageKey, StorageValue, U64, U256};
use alloy_provider::{
    EthCall, ParamsWithBlock, Provider, ProviderCall, ProviderLayer, RootProvider, RpcWithBlock,
};
use alloy_rpc_client::NoParams;
use alloy_rpc_types_eth::{
    AccountInfo, EIP1186AccountProofResponse, EIP1186StorageProof, StorageValuesRequest,
    StorageValuesResponse,
};
use alloy_transport::{TransportError, TransportResult};
use saldo::{BlockId, BlockState, Client, ProvenAccount, Query};
use serde_json::value::RawValue;

use crate::block::block_id;
use crate::error::NotAnswered;

/// Puts a [`saldo::Client`] in front of a provider.
#[derive(Clone, Debug)]
pub struct ProvenLayer {
    client: Client,
}

impl ProvenLayer {
    /// Makes a layer that proves with `client`. Keep one client for the whole program: it remembers the chain and what was proven.
    pub const fn new(client: Client) -> Self {
        Self { client }
    }

    /// Returns the client.
    pub const fn client(&self) -> &Client {
        &self.client
    }
}

impl<P: Provider<N>, N: Network> ProviderLayer<P, N> for ProvenLayer {
    type Provider = ProvenProvider<P, N>;

    fn layer(&self, inner: P) -> Self::Provider {
        ProvenProvider { inner, client: self.client.clone(), network: PhantomData }
    }
}

/// A provider whose reads of the chain's state are proven, or an error. See the [crate](crate) for which methods these are.
#[derive(Clone, Debug)]
pub struct ProvenProvider<P, N> {
    inner: P,
    client: Client,
    network: PhantomData<fn() -> N>,
}

/// The methods that answer about the state. A raw request for one of them would bypass the proof.
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

impl<P, N> ProvenProvider<P, N> {
    /// Proves what `query` asks for at the block that is named, and answers from it.
    fn prove<Params, Answer>(
        &self,
        query: Query,
        answer: impl Fn(&BlockState) -> Option<Answer> + Clone + Send + 'static,
    ) -> RpcWithBlock<Params, Answer>
    where
        Params: RpcSend,
        Answer: RpcRecv,
    {
        let client = self.client.clone();
        RpcWithBlock::new_provider(move |named: Named| {
            let (client, query, answer) = (client.clone(), query.clone(), answer.clone());
            let proving = async move {
                let state = client.state(block_id(named)?, &query).await.map_err(NotAnswered::from)?;
                answer(&state).ok_or(TransportError::NullResp)
            };
            ProviderCall::<ParamsWithBlock<Params>, Answer>::BoxedFuture(Box::pin(proving))
        })
    }
}

fn storage_hash(account: &ProvenAccount) -> B256 {
    account.storage_hash().unwrap_or(alloy_consensus::constants::EMPTY_ROOT_HASH)
}

fn proof_of(address: Address, account: &ProvenAccount, keys: &[StorageKey]) -> EIP1186AccountProofResponse {
    let slot = |key: &StorageKey| {
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

#[cfg_attr(target_family = "wasm", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait::async_trait)]
impl<P: Provider<N>, N: Network> Provider<N> for ProvenProvider<P, N> {
    fn root(&self) -> &RootProvider<N> {
        self.inner.root()
    }

    fn get_balance(&self, address: Address) -> RpcWithBlock<Address, U256, U256> {
        self.prove(Query::account(address), move |state| Some(state.account(address)?.balance()))
    }

    fn get_transaction_count(&self, address: Address) -> RpcWithBlock<Address, U64, u64, fn(U64) -> u64> {
        let client = self.client.clone();
        RpcWithBlock::new_provider(move |named: Named| {
            let client = client.clone();
            let proving = async move {
                let query = Query::account(address);
                let state = client.state(block_id(named)?, &query).await.map_err(NotAnswered::from)?;
                state.account(address).map(ProvenAccount::nonce).ok_or(TransportError::NullResp)
            };
            ProviderCall::BoxedFuture(Box::pin(proving))
        })
    }

    fn get_code_at(&self, address: Address) -> RpcWithBlock<Address, Bytes> {
        self.prove(Query::code(address), move |state| state.account(address)?.code().cloned())
    }

    fn get_storage_at(&self, address: Address, key: U256) -> RpcWithBlock<(Address, U256), StorageValue> {
        let key = B256::from(key);
        self.prove(Query::slot(address, key), move |state| Some(state.account(address)?.slot(key)?.word()))
    }

    fn get_storage_values(
        &self,
        requests: StorageValuesRequest,
    ) -> RpcWithBlock<(StorageValuesRequest,), StorageValuesResponse> {
        let mut query = Query::default();
        for (address, keys) in requests.0.iter() {
            query.add_account(*address);
            keys.iter().for_each(|key| query.add_slot(*address, *key));
        }
        self.prove(query, move |state| {
            let of_account = |(address, keys): (&Address, &Vec<StorageKey>)| {
                let account = state.account(*address)?;
                let words: Option<Vec<StorageValue>> =
                    keys.iter().map(|key| Some(account.slot(*key)?.word())).collect();
                Some((*address, words?))
            };
            requests.0.iter().map(of_account).collect::<Option<_>>().map(StorageValuesResponse)
        })
    }

    fn get_proof(
        &self,
        address: Address,
        keys: Vec<StorageKey>,
    ) -> RpcWithBlock<(Address, Vec<StorageKey>), EIP1186AccountProofResponse> {
        let mut query = Query::account(address);
        keys.iter().for_each(|key| query.add_slot(address, *key));
        self.prove(query, move |state| Some(proof_of(address, state.account(address)?, &keys)))
    }

    fn get_account(&self, address: Address) -> RpcWithBlock<Address, TrieAccount> {
        self.prove(Query::account(address), move |state| {
            let account = state.account(address)?;
            Some(TrieAccount {
                nonce: account.nonce(),
                balance: account.balance(),
                storage_root: storage_hash(account),
                code_hash: account.code_hash(),
            })
        })
    }

    fn get_account_info(&self, address: Address) -> RpcWithBlock<Address, AccountInfo> {
        self.prove(Query::code(address), move |state| {
            let account = state.account(address)?;
            let code = account.code()?.clone();
            Some(AccountInfo { balance: account.balance(), nonce: account.nonce(), code })
        })
    }

    fn get_block_number(&self) -> ProviderCall<NoParams, U64, BlockNumber> {
        let client = self.client.clone();
        let finding = async move {
            let block = client.block(BlockId::Latest).await.map_err(NotAnswered::from)?;
            Ok(block.number())
        };
        ProviderCall::BoxedFuture(Box::pin(finding))
    }

    fn get_chain_id(&self) -> ProviderCall<NoParams, U64, u64> {
        ProviderCall::ready(Ok(self.client.network().chain_id()))
    }

    fn call(&self, tx: N::TransactionRequest) -> EthCall<N, Bytes> {
        EthCall::call(crate::call::Calls(self.client.clone()), tx)
    }

    fn estimate_gas(&self, tx: N::TransactionRequest) -> EthCall<N, U64, u64> {
        EthCall::gas_estimate(crate::call::Calls(self.client.clone()), tx)
            .map_resp(|gas: U64| gas.saturating_to())
    }

    async fn raw_request<Params, Answer>(
        &self,
        method: Cow<'static, str>,
        params: Params,
    ) -> TransportResult<Answer>
    where
        Params: RpcSend,
        Answer: RpcRecv,
        Self: Sized,
    {
        allow_raw(&method)?;
        self.inner.client().request(method, &params).await
    }

    async fn raw_request_dyn(
        &self,
        method: Cow<'static, str>,
        params: &RawValue,
    ) -> TransportResult<Box<RawValue>> {
        allow_raw(&method)?;
        self.inner.raw_request_dyn(method, params).await
    }
}

fn allow_raw(method: &str) -> TransportResult<()> {
    let is_proven = PROVEN.contains(&method);
    if is_proven {
        Err(NotAnswered::Unsupported { what: "a raw request for a proven method" }.into())
    } else {
        Ok(())
    }
}
