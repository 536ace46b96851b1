//! The methods that only saldo has: a whole reading, and the health of the client.

use saldo::{Client, Holding};
use serde_json::Value;

use crate::error::RpcError;
use crate::params::Params;
use crate::unanswered::Unanswered;

type Answer = Result<Value, Unanswered>;

/// `saldo_reading`: the newest reading of an address, by the schema `saldo.reading/1`. Not knowing is a reading too, not an error.
pub(crate) async fn reading(client: &Client, params: &Params<'_>) -> Answer {
    let owner = params.address(0)?;
    let holding = match params.at(1) {
        None => client.native(owner),
        Some(_) => Holding::erc20(client.network_id(), owner, params.address(1)?),
    };
    let reading = client.read(&[holding]).await.pop().ok_or_else(RpcError::internal)?;
    form(&reading)
}

/// `saldo_health`: the state of the client and its endpoints, by the schema `saldo.health/1`.
pub(crate) fn health(client: &Client) -> Answer {
    form(&client.health())
}

/// What `of` is in JSON, by its schema.
pub(crate) fn form(of: &impl serde::Serialize) -> Answer {
    serde_json::to_value(of).map_err(|_| RpcError::internal().into())
}
