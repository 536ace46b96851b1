//! Recognises URLs that were exchanged: a beacon node's after `--rpc-url`, or an execution provider's after `--beacon-url`.
//!
//! It asks only after a reading failed, so a reading that works costs nothing more.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use saldo::{Attempt, Endpoint, Reading};
use saldo_doctor::{Kind, only_kind};
use saldo_source::{Io, SystemClock};

use crate::failure::CommandFailure;
use crate::setup;

/// How long the servers have for the answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many endpoints of each kind are asked.
const ASKED: usize = 4;

/// The endpoints of both kinds.
pub(crate) struct ExchangeCheck {
    providers: Vec<Endpoint>,
    sources: Vec<Endpoint>,
}

impl ExchangeCheck {
    pub(crate) fn new(providers: &[Endpoint], sources: &[Endpoint]) -> Self {
        let first = |endpoints: &[Endpoint]| endpoints.iter().take(ASKED).cloned().collect();
        Self { providers: first(providers), sources: first(sources) }
    }

    /// Asks which kind the servers are, if nothing is proven and the failures could come from servers of the other kind. `None`
    /// if no URL is exchanged.
    ///
    /// # Errors
    /// A [`CommandFailure`] if the transport cannot be set up.
    pub(crate) async fn run(&self, readings: &[Reading]) -> Result<Option<CommandFailure>, CommandFailure> {
        if readings.iter().any(|reading| reading.proven().is_some()) {
            return Ok(None);
        }
        self.run_after(readings.iter().flat_map(Reading::attempts)).await
    }

    /// The same after `attempts` that proved nothing.
    ///
    /// # Errors
    /// Those of [`run`](Self::run).
    pub(crate) async fn run_after(
        &self,
        mut attempts: impl Iterator<Item = &Attempt>,
    ) -> Result<Option<CommandFailure>, CommandFailure> {
        if !attempts.any(|attempt| attempt.outcome.failure().is_some_and(Kind::may_be_other)) {
            return Ok(None);
        }
        let io = Io::new(Arc::new(setup::http_transport()?), Arc::new(SystemClock::new()));
        let of_kind = async |endpoints: &[Endpoint], kind: Kind| -> Vec<String> {
            let kinds = join_all(endpoints.iter().map(|endpoint| only_kind(&io, endpoint, PATIENCE))).await;
            let both = endpoints.iter().zip(kinds);
            both.filter(|(_, found)| *found == Some(kind)).map(|(one, _)| one.id().to_string()).collect()
        };
        let beacons = of_kind(&self.providers, Kind::BeaconNode).await;
        let executions = of_kind(&self.sources, Kind::ExecutionProvider).await;
        Ok(failure(&beacons, &executions))
    }
}

fn failure(beacons: &[String], executions: &[String]) -> Option<CommandFailure> {
    let (detail, next_step) = match (beacons.join(", "), executions.join(", ")) {
        (beacons, executions) if !beacons.is_empty() && !executions.is_empty() => (
            format!(
                "the URLs were exchanged: {beacons} is a beacon node, and {executions} an execution provider"
            ),
            "Give the execution provider's URL with --rpc-url, and the beacon node's with --beacon-url.",
        ),
        (beacons, _) if !beacons.is_empty() => (
            format!("{beacons} is a beacon node, and was given as an execution provider"),
            "Give its URL with --beacon-url, and an execution provider's with --rpc-url.",
        ),
        (_, executions) if !executions.is_empty() => (
            format!("{executions} is an execution provider, and was given as a beacon source"),
            "Give its URL with --rpc-url, and a beacon node's with --beacon-url.",
        ),
        _ => return None,
    };
    Some(CommandFailure::usage("exchanged_url", detail, next_step))
}
