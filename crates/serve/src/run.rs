//! `eth_call` and `eth_estimateGas`: contracts are run here, over proven state.

use alloy_primitives::{Address, Bytes, U256};
use saldo::{Call, CallError, Client, Estimate, Output};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::account::provable;
use crate::answered::Answered;
use crate::error::RpcError;
use crate::not_proven::not_proven;
use crate::params::{Params, field_bytes, field_quantity};
use crate::quantity::quantity;
use crate::unanswered::Unanswered;

type Answer = Result<Answered, Unanswered>;

/// The object of a call. Members that change nothing here are left out: the nonce, the type and the chain id.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transaction<'a> {
    from: Option<Address>,
    to: Option<Address>,
    gas: Option<&'a str>,
    value: Option<&'a str>,
    data: Option<&'a str>,
    input: Option<&'a str>,
    gas_price: Option<&'a str>,
    max_fee_per_gas: Option<&'a str>,
    #[serde(borrow)]
    access_list: Option<&'a RawValue>,
    #[serde(borrow)]
    blob_versioned_hashes: Option<&'a RawValue>,
    #[serde(borrow)]
    authorization_list: Option<&'a RawValue>,
}

/// `eth_call`.
pub(crate) async fn call(client: &Client, params: &Params<'_>) -> Answer {
    called(client, params).await.map_err(|why| why.edited(RpcError::with_listed_data))
}

/// `eth_estimateGas`.
pub(crate) async fn estimate(client: &Client, params: &Params<'_>) -> Answer {
    estimated(client, params).await.map_err(|why| why.edited(RpcError::with_listed_data))
}

async fn called(client: &Client, params: &Params<'_>) -> Answer {
    let (object, block) = (Transaction::read(params)?, provable(params.block(1)?)?);
    let call = object.call()?;
    match client.call(block, &call).await {
        Ok(reading) => match reading.output() {
            Output::Returned(bytes) => Ok(Answered::at(bytes.to_string(), reading.anchor())),
            failed => Err(failed_with(failed)),
        },
        Err(error) => Err(not_known(&error)),
    }
}

async fn estimated(client: &Client, params: &Params<'_>) -> Answer {
    let (object, block) = (Transaction::read(params)?, provable(params.block(1)?)?);
    if is_given(object.access_list) {
        return Err(Unanswered::Unprovable(RpcError::refused(
            "call_refused",
            "the gas of a transaction with an access list is not estimated",
            "Leave the access list out.",
        )));
    }
    let call = object.call()?;
    match client.estimate_gas(block, &call).await {
        Ok(reading) => match reading.estimate() {
            Estimate::Gas(gas) => Ok(Answered::at(quantity(*gas), reading.anchor())),
            Estimate::Fails(output) => Err(failed_with(output)),
        },
        Err(error) => Err(not_known(&error)),
    }
}

/// Whether a list has an element.
fn is_given(list: Option<&RawValue>) -> bool {
    list.is_some_and(|list| list.get().chars().filter(|letter| !letter.is_whitespace()).count() > 2)
}

impl<'a> Transaction<'a> {
    fn read(params: &Params<'a>) -> Result<Self, Unanswered> {
        if params.at(2).is_some() || params.at(3).is_some() {
            return Err(Unanswered::Unprovable(RpcError::refused(
                "overrides_refused",
                "a call over a state that is not the chain's is not proven",
                "Leave the overrides out.",
            )));
        }
        let wrong = || {
            RpcError::invalid_params("parameter 0 must be the object of a call, with texts as its members")
        };
        let object: Self =
            serde_json::from_str(params.at(0).ok_or_else(wrong)?.get()).map_err(|_| wrong())?;
        if object.to.is_none()
            || is_given(object.blob_versioned_hashes)
            || is_given(object.authorization_list)
        {
            return Err(Unanswered::Unprovable(RpcError::refused(
                "call_refused",
                "only a call of an address is run: no creation of a contract, no blobs and no authorizations",
                "Name the contract in `to`.",
            )));
        }
        Ok(object)
    }

    /// Whether it has a price for its gas.
    fn pays(&self) -> Result<bool, RpcError> {
        let fees = [("gasPrice", self.gas_price), ("maxFeePerGas", self.max_fee_per_gas)];
        let mut given = fees.into_iter().filter_map(|(name, fee)| Some((name, fee?)));
        given.try_fold(false, |pays, (name, fee)| Ok(pays | !field_quantity(name, fee)?.is_zero()))
    }

    fn call(&self) -> Result<Call, RpcError> {
        let value = self.value.map(|text| field_quantity("value", text)).transpose()?;
        Ok(Call {
            from: self.from.unwrap_or_default(),
            to: self.to.unwrap_or_default(),
            value: value.unwrap_or_default(),
            data: self.data()?,
            gas: self.gas.map(gas).transpose()?,
            is_paid: self.pays()?,
        })
    }

    fn data(&self) -> Result<Bytes, RpcError> {
        let read = |name, text: Option<&str>| text.map(|text| field_bytes(name, text)).transpose();
        match (read("input", self.input)?, read("data", self.data)?) {
            (Some(input), Some(data)) if input != data => {
                Err(RpcError::invalid_params("`input` and `data` are both given, and differ"))
            }
            (input, data) => Ok(input.or(data).unwrap_or_default()),
        }
    }
}

fn gas(text: &str) -> Result<u64, RpcError> {
    let gas = field_quantity("gas", text)?;
    // More than a block has is as much as a block has.
    Ok(gas.try_into().unwrap_or(u64::MAX))
}

fn failed_with(output: &Output) -> Unanswered {
    match output {
        Output::Reverted(bytes) => {
            let reason = reason(bytes).map_or(String::new(), |reason| format!(": {reason}"));
            RpcError::reverted(format!("execution reverted{reason}"), bytes.to_string()).into()
        }
        // geth's words.
        Output::LacksFunds => RpcError::failed("insufficient funds for transfer").into(),
        Output::Returned(_) | Output::Failed => RpcError::failed("execution failed: not by a revert").into(),
    }
}

/// The text of `Error(string)`, as Solidity encodes it.
fn reason(bytes: &[u8]) -> Option<String> {
    const MOST: usize = 512;
    let rest = bytes.strip_prefix(&[0x08, 0xc3, 0x79, 0xa0])?;
    let length: usize = U256::try_from_be_slice(rest.get(32..64)?)?.try_into().ok()?;
    let text = rest.get(64..)?.get(..length.min(MOST))?;
    let text = String::from_utf8_lossy(text);
    Some(text.chars().filter(|letter| !letter.is_control()).collect())
}

fn not_known(error: &CallError) -> Unanswered {
    match error {
        CallError::NotProven(error) => not_proven(error).into(),
        CallError::NotRun { is_out_of_gas: true, .. } => RpcError::failed("out of gas").into(),
        error => {
            let data = json!({
                "reason": "not_run",
                "fault": "saldo",
                "next_step": "Ask for less in one call.",
                "attempts": [],
                "last": null,
            });
            RpcError::not_proven(format!("not known: {error}"), data).into()
        }
    }
}
