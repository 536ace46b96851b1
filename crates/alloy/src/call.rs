//! Calls over proven state.

use alloy_json_rpc::RpcRecv;
use alloy_network::Network;
use alloy_primitives::{Bytes, U64};
use alloy_provider::{Caller, EthCallManyParams, EthCallParams, ProviderCall};
use alloy_transport::TransportResult;
use saldo::Client;

use crate::error::NotAnswered;

/// Runs calls with a client.
pub(crate) struct Calls(pub(crate) Client);

type Answered<Params, Answer> = TransportResult<ProviderCall<Params, Answer>>;

impl<N: Network> Caller<N, Bytes> for Calls {
    fn call(&self, params: EthCallParams<N>) -> Answered<EthCallParams<N>, Bytes> {
        proven::call(&self.0, &params)
    }

    fn estimate_gas(&self, _: EthCallParams<N>) -> Answered<EthCallParams<N>, Bytes> {
        unsupported("an estimate of gas as bytes")
    }

    fn call_many(&self, _: EthCallManyParams<'_>) -> Answered<EthCallManyParams<'static>, Bytes> {
        unsupported("`eth_callMany`")
    }
}

impl<N: Network> Caller<N, U64> for Calls {
    fn call(&self, _: EthCallParams<N>) -> Answered<EthCallParams<N>, U64> {
        unsupported("a call that returns a number")
    }

    fn estimate_gas(&self, params: EthCallParams<N>) -> Answered<EthCallParams<N>, U64> {
        proven::gas(&self.0, &params)
    }

    fn call_many(&self, _: EthCallManyParams<'_>) -> Answered<EthCallManyParams<'static>, U64> {
        unsupported("`eth_callMany`")
    }
}

fn unsupported<Params, Answer: RpcRecv>(what: &'static str) -> Answered<Params, Answer>
where
    Params: alloy_json_rpc::RpcSend,
{
    Err(NotAnswered::Unsupported { what }.into())
}

#[cfg(not(feature = "execute"))]
mod proven {
    use super::{Answered, Bytes, Client, EthCallParams, Network, U64, unsupported};

    const WHAT: &str = "a call, without the feature `execute` of saldo-alloy,";

    pub(super) fn call<N: Network>(_: &Client, _: &EthCallParams<N>) -> Answered<EthCallParams<N>, Bytes> {
        unsupported(WHAT)
    }

    pub(super) fn gas<N: Network>(_: &Client, _: &EthCallParams<N>) -> Answered<EthCallParams<N>, U64> {
        unsupported(WHAT)
    }
}

#[cfg(feature = "execute")]
mod proven {
    use alloy_json_rpc::ErrorPayload;
    use alloy_network::TransactionBuilder;
    use alloy_transport::TransportError;
    use saldo::{BlockId, Call, CallError, Estimate, Output};
    use serde_json::value::to_raw_value;

    use super::{Answered, Bytes, Client, EthCallParams, Network, NotAnswered, ProviderCall, U64};
    use crate::block::block_id;

    pub(super) fn call<N: Network>(
        client: &Client,
        params: &EthCallParams<N>,
    ) -> Answered<EthCallParams<N>, Bytes> {
        let (block, call) = read(params)?;
        let client = client.clone();
        let running = async move {
            let reading = client.call(block, &call).await.map_err(not_answered)?;
            match reading.output() {
                Output::Returned(bytes) => Ok(bytes.clone()),
                failed => Err(reverted(failed)),
            }
        };
        Ok(ProviderCall::BoxedFuture(Box::pin(running)))
    }

    pub(super) fn gas<N: Network>(
        client: &Client,
        params: &EthCallParams<N>,
    ) -> Answered<EthCallParams<N>, U64> {
        let (block, call) = read(params)?;
        let client = client.clone();
        let running = async move {
            let reading = client.estimate_gas(block, &call).await.map_err(not_answered)?;
            match reading.estimate() {
                Estimate::Gas(gas) => Ok(U64::from(*gas)),
                Estimate::Fails(failed) => Err(reverted(failed)),
            }
        };
        Ok(ProviderCall::BoxedFuture(Box::pin(running)))
    }

    fn read<N: Network>(params: &EthCallParams<N>) -> Result<(BlockId, Call), NotAnswered> {
        let refuse = |what| Err(NotAnswered::Unsupported { what });
        if params.overrides().is_some_and(|overrides| !overrides.is_empty()) {
            return refuse("a call with state overrides");
        }
        if params.block_overrides().is_some() {
            return refuse("a call with block overrides");
        }
        let tx = params.data();
        let Some(to) = tx.to() else { return refuse("the making of a contract") };
        let prices = [tx.gas_price(), tx.max_fee_per_gas()];
        if prices.into_iter().flatten().any(|price| price != 0) {
            return refuse("a call that pays for its gas");
        }
        if tx.access_list().is_some_and(|list| !list.is_empty()) {
            return refuse("a call with an access list");
        }
        let call = Call {
            from: tx.from().unwrap_or_default(),
            value: tx.value().unwrap_or_default(),
            gas: tx.gas_limit(),
            ..Call::new(to, tx.input().cloned().unwrap_or_default())
        };
        Ok((block_id(params.block().unwrap_or_default())?, call))
    }

    fn not_answered(error: CallError) -> TransportError {
        match error {
            CallError::NotProven(reason) => NotAnswered::NotProven(reason).into(),
            other => NotAnswered::NotRun { reason: other.to_string() }.into(),
        }
    }

    /// The error that a node answers: code 3 with the bytes of a revert.
    fn reverted(output: &Output) -> TransportError {
        let Output::Reverted(bytes) = output else { return NotAnswered::Fails.into() };
        let data = to_raw_value(bytes).ok();
        TransportError::ErrorResp(ErrorPayload { code: 3, message: "execution reverted".into(), data })
    }
}
