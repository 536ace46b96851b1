//! Relays of the sequencer's signatures. What they show is a label of a claim, and tells a rollup that stands still from providers that lag.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::Address;
use futures_util::future::join_all;
use saldo_beacon::unit::UnixTime;
use saldo_chain::ExecutionHeader;
use saldo_chain::rollup::{EnvelopeError, SequencerSigned, verify_envelope};
use saldo_source::{Deadline, Endpoint, relay};

use crate::env::Env;
use crate::proofs::Proofs;
use crate::rollup_health::{RelayHealth, RelayProblem};

/// Asks relays for the newest block that the sequencer signed.
pub(crate) struct Relays {
    env: Arc<Env>,
    chain_id: u64,
    list: Vec<Relay>,
}

struct Relay {
    endpoint: Endpoint,
    known: Mutex<Known>,
}

/// What a relay showed. Locked for a moment only.
#[derive(Default)]
struct Known {
    /// The time of the newest block.
    newest: Option<UnixTime>,
    /// Why the last answer was no signed block, and when, on the monotonic clock.
    problem: Option<(RelayProblem, Duration)>,
}

impl Relays {
    /// How long a relay is left alone that gave no signed block.
    const PAUSE: Duration = Duration::from_secs(60);
    /// How many headers may lie between a block and a later one that was signed: a minute of blocks of two seconds.
    const MOST_BETWEEN: u64 = 30;
    /// How long it is waited for what is only a label. A message has all transactions of its block.
    const WAIT: Duration = Duration::from_secs(2);

    pub(crate) fn new(env: Arc<Env>, chain_id: u64, endpoints: Vec<Endpoint>) -> Self {
        let relay = |endpoint| Relay { endpoint, known: Mutex::default() };
        Self { env, chain_id, list: endpoints.into_iter().map(relay).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn health(&self) -> Vec<RelayHealth> {
        let health = |relay: &Relay| {
            let known = relay.known();
            let problem = known.problem.as_ref().map(|(problem, _)| problem.clone());
            RelayHealth { relay: relay.endpoint.id().clone(), newest: known.newest, problem }
        };
        self.list.iter().map(health).collect()
    }

    /// The operator of each relay, and the time of the newest block that the sequencer signed with the key of `signer`.
    pub(super) async fn heads(&self, signer: Address, deadline: Deadline) -> Vec<(String, UnixTime)> {
        let signed = self.ask(signer, deadline).await;
        signed.into_iter().map(|(operator, signed)| (operator, signed.timestamp())).collect()
    }

    /// Which of the `blocks` the sequencer announced: it signed the block, or one that follows it. The headers between them are requested.
    pub(super) async fn announced(
        &self,
        signer: Address,
        blocks: &[ExecutionHeader],
        proofs: &Proofs,
        deadline: Deadline,
    ) -> Vec<bool> {
        if blocks.is_empty() {
            return Vec::new();
        }
        let deadline = Deadline::after(self.env.clock(), Self::WAIT).min(deadline);
        let signed = self.ask(signer, deadline).await;
        let is_announced = async |block: &ExecutionHeader| {
            let is_it = |(_, signed): &(String, SequencerSigned)| signed.is_about(block);
            if signed.iter().any(is_it) {
                return true;
            }
            let follows = |signed: &&SequencerSigned| {
                let between = signed.number().checked_sub(block.number());
                between.is_some_and(|between| (1..=Self::MOST_BETWEEN).contains(&between))
            };
            let later =
                signed.iter().map(|(_, signed)| signed).filter(follows).min_by_key(|later| later.number());
            let Some(later) = later else { return false };
            let numbers = block.number().saturating_add(1)..later.number().saturating_add(1);
            let is_linked = |headers: &[ExecutionHeader]| links(block, headers, later).then_some(());
            proofs.fetch_headers(numbers, is_linked, deadline).await.is_some()
        };
        join_all(blocks.iter().map(is_announced)).await
    }

    /// Asks all relays at the same time, for a moment. Returns the operator of each that showed a block which the key of `signer` signed.
    async fn ask(&self, signer: Address, deadline: Deadline) -> Vec<(String, SequencerSigned)> {
        let now = self.env.clock().monotonic();
        let is_left_alone = |relay: &&Relay| {
            let known = relay.known();
            known.problem.as_ref().is_some_and(|(_, since)| now.saturating_sub(*since) < Self::PAUSE)
        };
        let asked = self.list.iter().filter(|relay| !is_left_alone(relay));
        let ask = async |relay: &Relay| {
            let left = self.env.time_left(deadline).min(Self::WAIT);
            let message = relay::newest_message(self.env.dispatcher.io(), &relay.endpoint, left).await;
            let read = message.map_err(RelayProblem::Failed);
            let read = read.and_then(|bytes| Ok(verify_envelope(&bytes, self.chain_id, signer)?));
            relay.note(read.as_ref(), self.env.clock().monotonic());
            Some((relay.endpoint.operator_key(), read.ok()?))
        };
        join_all(asked.map(ask)).await.into_iter().flatten().collect()
    }
}

impl Relay {
    fn known(&self) -> MutexGuard<'_, Known> {
        // After a panic it can lack what the last answer was.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, answer: Result<&SequencerSigned, &RelayProblem>, now: Duration) {
        let mut known = self.known();
        match answer {
            Ok(signed) => {
                known.newest = known.newest.max(Some(signed.timestamp()));
                known.problem = None;
            }
            Err(problem) => known.problem = Some((problem.clone(), now)),
        }
    }
}

/// Whether `headers` lead from `block` to the one that was signed, by parent hash.
fn links(block: &ExecutionHeader, headers: &[ExecutionHeader], signed: &SequencerSigned) -> bool {
    let parents = std::iter::once(block).chain(headers);
    parents.zip(headers).all(|(parent, header)| header.parent_hash() == parent.hash())
        && headers.last().is_some_and(|last| signed.is_about(last))
}

impl From<EnvelopeError> for RelayProblem {
    fn from(error: EnvelopeError) -> Self {
        match error {
            EnvelopeError::OtherSigner { got, expected } => Self::OtherSigner { got, expected },
            _ => Self::NotSigned,
        }
    }
}
