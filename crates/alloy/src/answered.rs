//! Answers, and what was answered last.

use alloy_transport::{TransportError, TransportResult};
use saldo::{Anchor, Client};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::error::with_last;
use crate::method::{self, Params};

/// An answer in JSON.
pub(crate) struct Answered {
    json: Box<RawValue>,
    /// The block at which it is proven; `None` if the answer is not about a block.
    anchor: Option<Anchor>,
}

impl Answered {
    /// An answer that is proven at the block `anchor`.
    pub(crate) fn at(anchor: &Anchor, value: &impl Serialize) -> TransportResult<Self> {
        Ok(Self { anchor: Some(anchor.clone()), ..Self::known(value)? })
    }

    /// An answer that no block has.
    pub(crate) fn known(value: &impl Serialize) -> TransportResult<Self> {
        Ok(Self { json: to_raw_value(value).map_err(TransportError::ser_err)?, anchor: None })
    }
}

/// Answers a request for a method that [is proven](method::is_proven). What it answers is kept for the time when nothing is known.
pub(crate) async fn answer(
    client: &Client,
    method: &str,
    params: Option<&RawValue>,
) -> TransportResult<Box<RawValue>> {
    let params = Params::read(params)?;
    let question = params.question(method);
    match method::answer(client, method, &params).await {
        Ok(Answered { json, anchor }) => {
            if let Some(anchor) = anchor {
                client.keep_answer(&question, json.get(), &anchor);
            }
            Ok(json)
        }
        Err(error) => Err(with_last(error, || client.last_answer(&question))),
    }
}
