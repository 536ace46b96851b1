//! Calls over proven state.

#[cfg(not(feature = "execute"))]
pub(crate) use without::{call, gas};

#[cfg(feature = "execute")]
pub(crate) use proven::{call, gas};

#[cfg(not(feature = "execute"))]
mod without {
    use alloy_transport::TransportResult;
    use saldo::Client;

    use crate::answered::Answered;
    use crate::error::NotAnswered;
    use crate::method::Params;

    const WITHOUT: NotAnswered =
        NotAnswered::Unsupported { what: "a call, without the feature `execute` of saldo-alloy," };

    pub(crate) async fn call(_: &Client, _: &Params) -> TransportResult<Answered> {
        Err(WITHOUT.into())
    }

    pub(crate) async fn gas(_: &Client, _: &Params) -> TransportResult<Answered> {
        Err(WITHOUT.into())
    }
}

#[cfg(feature = "execute")]
mod proven {
    use alloy_json_rpc::ErrorPayload;
    use alloy_primitives::{TxKind, U64};
    use alloy_rpc_types_eth::TransactionRequest;
    use alloy_rpc_types_eth::state::StateOverride;
    use alloy_transport::{TransportError, TransportResult};
    use saldo::{BlockId, Call, CallError, Client, Estimate, Output};
    use serde_json::Value;
    use serde_json::value::to_raw_value;

    use crate::answered::Answered;
    use crate::error::{NotAnswered, unproven};
    use crate::method::Params;

    pub(crate) async fn call(client: &Client, params: &Params) -> TransportResult<Answered> {
        let (block, call) = read(params)?;
        let reading = client.call(block, &call).await.map_err(not_answered)?;
        match reading.output() {
            Output::Returned(bytes) => Answered::at(reading.anchor(), bytes),
            failed => Err(reverted(failed)),
        }
    }

    pub(crate) async fn gas(client: &Client, params: &Params) -> TransportResult<Answered> {
        let (block, call) = read(params)?;
        let reading = client.estimate_gas(block, &call).await.map_err(not_answered)?;
        match reading.estimate() {
            Estimate::Gas(gas) => Answered::at(reading.anchor(), &U64::from(*gas)),
            Estimate::Fails(failed) => Err(reverted(failed)),
        }
    }

    fn read(params: &Params) -> TransportResult<(BlockId, Call)> {
        let refuse = |what| Err(NotAnswered::Unsupported { what }.into());
        if params.optional::<StateOverride>(2)?.is_some_and(|overrides| !overrides.is_empty()) {
            return refuse("a call with state overrides");
        }
        let of_block = params.optional::<Value>(3)?;
        if of_block.is_some_and(|overrides| overrides != Value::Null && overrides != serde_json::json!({})) {
            return refuse("a call with block overrides");
        }
        let tx: TransactionRequest = params.get(0)?;
        let Some(TxKind::Call(to)) = tx.to else { return refuse("the making of a contract") };
        let prices = [tx.gas_price, tx.max_fee_per_gas, tx.max_priority_fee_per_gas];
        if tx.access_list.as_ref().is_some_and(|list| !list.is_empty()) {
            return refuse("a call with an access list");
        }
        if tx.authorization_list.as_ref().is_some_and(|list| !list.is_empty())
            || tx.blob_versioned_hashes.is_some()
        {
            return refuse("a call with authorizations or blobs");
        }
        let Ok(input) = tx.input.try_into_unique_input() else {
            return refuse("a call with two inputs that differ");
        };
        let call = Call {
            from: tx.from.unwrap_or_default(),
            value: tx.value.unwrap_or_default(),
            gas: tx.gas,
            is_paid: prices.into_iter().flatten().any(|price| price != 0),
            ..Call::new(to, input.unwrap_or_default())
        };
        Ok((params.block(1)?, call))
    }

    fn not_answered(error: CallError) -> TransportError {
        match error {
            CallError::NotProven(reason) => unproven(reason),
            other => NotAnswered::NotRun { reason: other.to_string() }.into(),
        }
    }

    /// The error that a node answers: code 3 with the bytes of a revert.
    fn reverted(output: &Output) -> TransportError {
        let bytes = match output {
            Output::Reverted(bytes) => bytes,
            Output::LacksFunds => return NotAnswered::LacksFunds.into(),
            Output::Returned(_) | Output::Failed => return NotAnswered::Fails.into(),
        };
        let data = to_raw_value(bytes).ok();
        TransportError::ErrorResp(ErrorPayload { code: 3, message: "execution reverted".into(), data })
    }
}
