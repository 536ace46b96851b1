//! A balance for layers in front of JSON-RPC: proven, or an error.

use alloy_primitives::Address;
use saldo_reading::{Proven, Reading, Why};
use saldo_source::{BoxedFuture, IntoBoxed};

use crate::client::Client;
use crate::state::NotProven;

impl Client {
    /// Reads the native balance of `owner` as [`Client::balance`] does, for a caller that can show proven amounts only.
    ///
    /// On a rollup it is the amount of a proof that was taken at the head of its time, once L1 vouches for a later block. [`Client::state`]
    /// asks for a proof at that block itself, which most providers of rollups do not serve.
    ///
    /// # Errors
    /// [`NotProven`] if the reading is provisional or unknown.
    #[inline(never)]
    pub fn proven_balance(&self, owner: Address) -> BoxedFuture<'_, Result<Proven, NotProven>> {
        let balance = async move {
            match self.balance(owner).await {
                Reading::Proven(proven) => Ok(proven),
                other => {
                    let why = other.why().cloned().unwrap_or(Why::InternalFault);
                    Err(NotProven::new(why, other.attempts().to_vec()))
                }
            }
        };
        balance.into_boxed()
    }
}
