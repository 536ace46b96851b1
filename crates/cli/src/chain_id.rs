//! Holds the chain id of a network file against what the providers say.
//!
//! A proof is of a block, and no block states its chain id. So a wrong number in the file would go unnoticed, and a wallet
//! would show the right amount under the name of another chain.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use saldo::Endpoint;
use saldo_source::execution::chain_id;
use saldo_source::{Io, SystemClock};

use crate::failure::CommandFailure;
use crate::setup;

/// How long the providers have for the answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many providers are asked. A reading asks at least as many.
const ASKED: usize = 2;

/// The chain id of a network file, and the providers to ask.
pub(crate) struct ChainCheck {
    expected: u64,
    providers: Vec<Endpoint>,
}

impl ChainCheck {
    pub(crate) fn new(expected: u64, providers: &[Endpoint]) -> Self {
        Self { expected, providers: providers.iter().take(ASKED).cloned().collect() }
    }

    /// Asks the providers.
    ///
    /// # Errors
    /// A usage failure if all that answer serve another chain.
    pub(crate) async fn run(&self) -> Result<(), CommandFailure> {
        let io = Io::new(Arc::new(setup::http_transport()?), Arc::new(SystemClock::new()));
        let ask = |provider| chain_id(&io, provider, PATIENCE);
        let said: Vec<u64> =
            join_all(self.providers.iter().map(ask)).await.into_iter().filter_map(Result::ok).collect();
        match said.first() {
            Some(other) if !said.contains(&self.expected) => Err(wrong_chain_id(self.expected, *other)),
            _ => Ok(()),
        }
    }
}

/// The failure where a network file says the chain `expected`, and all providers serve `other`.
pub(crate) fn wrong_chain_id(expected: u64, other: u64) -> CommandFailure {
    CommandFailure::usage(
        "wrong_chain_id",
        format!("the network file says chain {expected}, and the providers serve chain {other}"),
        "Correct `chain_id` in the network file, or give providers of that chain.",
    )
}
