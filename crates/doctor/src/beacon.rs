//! Examines one beacon source.

use saldo_beacon::unit::{Period, Slot, UnixTime};
use saldo_beacon::{AdvanceError, Checkpoint, LightClient, LightClientUpdate, Network, Wants, decode};
use saldo_reading::{Failure, Now, Policy};
use saldo_source::beacon::{Data, MAX_UPDATES, Route};
use serde_json::Value;

use crate::check::{Check, Unchecked};
use crate::finding::Finding;
use crate::kind::{Kind, genesis_validators_root};
use crate::probe::{ProbeClient, is_final, is_of_host};
use crate::source::{NamesFork, SeenHead, SourceReport};

/// A slot's head is signed in the next slot.
const USUAL_LAG: u64 = 1;
/// The most requests for the updates from the checkpoint to the present.
const MOST_UPDATE_REQUESTS: usize = 12;
/// How many periods before the present one the source is asked for an update.
const PERIODS_BACK: [u64; 5] = [1, 4, 16, 64, 256];

/// Checks whether the source is of the network. Returns a light client from its bootstrap, if it has the bootstrap.
pub(crate) async fn start(
    probe: &ProbeClient<'_>,
    network: &Network,
    checkpoint: Option<Checkpoint>,
    report: &mut SourceReport,
) -> Option<LightClient> {
    // It is known without any answer, and no answer can help.
    if checkpoint.is_some_and(|checkpoint| is_too_old(checkpoint, network, now(probe))) {
        report.findings.push(Finding::CheckpointTooOld);
        check_genesis(probe, network, report).await;
        return None;
    }
    let Some(checkpoint) = checkpoint else {
        report.bootstrap = Check::NotChecked(Unchecked::NoCheckpoint);
        check_genesis(probe, network, report).await;
        return None;
    };
    let started = async {
        let data = probe.fetch(Route::Bootstrap(checkpoint.root)).await?;
        report.ssz = Check::Found(data.encoding == decode::Encoding::Ssz);
        let bootstrap = decode::bootstrap(&data.bytes, data.encoding, data.fork.as_deref(), network)?;
        Ok::<_, Failure>(LightClient::bootstrap(network.clone(), checkpoint, bootstrap, now(probe))?)
    };
    match started.await {
        Ok(client) => {
            report.bootstrap = Check::Found(());
            Some(client)
        }
        Err(failure) => {
            // No network but this one has the checkpoint. So the genesis tells only why the bootstrap is missing.
            let is_of_host = is_of_host(&failure);
            report.bootstrap = Check::Failed(failure);
            if !is_of_host {
                check_genesis(probe, network, report).await;
            }
            None
        }
    }
}

/// Whether the slot of a checkpoint says that trust must not start from it any more.
fn is_too_old(checkpoint: Checkpoint, network: &Network, now: UnixTime) -> bool {
    checkpoint.slot.is_some_and(|slot| {
        let (age, limit) = network.checkpoint_age(slot, now);
        age > limit
    })
}

/// Checks whether the source is of the network, and whether it is a beacon source.
async fn check_genesis(probe: &ProbeClient<'_>, network: &Network, report: &mut SourceReport) {
    report.genesis = probe.fetch(Route::Genesis).await.and_then(|data| of_network(&data, network)).into();
    if !report.findings_of_network()
        && report.genesis.failure().is_some_and(Kind::may_be_other)
        && probe.only_kind().await == Some(Kind::ExecutionProvider)
    {
        report.findings.push(Finding::IsExecutionProvider);
    }
}

impl SourceReport {
    /// Whether the genesis it gave is another network's.
    fn findings_of_network(&mut self) -> bool {
        let other = matches!(self.genesis.failure(), Some(Failure::Malformed { what: OTHER_GENESIS }));
        if other {
            self.findings.push(Finding::OtherNetwork);
        }
        other
    }
}

const NO_UPDATES: &str = "an empty list of updates";
const OTHER_GENESIS: &str = "the genesis of another network";

fn of_network(data: &Data, network: &Network) -> Result<(), Failure> {
    let root = genesis_validators_root(data).ok_or(Failure::Malformed { what: "not a genesis" })?;
    if root.parse() == Ok(network.genesis_validators_root()) {
        Ok(())
    } else {
        Err(Failure::Malformed { what: OTHER_GENESIS })
    }
}

/// Whether no further request to this source can succeed.
pub(crate) fn is_lost(report: &SourceReport) -> bool {
    let has = |check: &Check<()>, test: fn(&Failure) -> bool| check.failure().is_some_and(test);
    let is_denial = |failure: &Failure| matches!(failure, Failure::Denied { .. });
    let is_denied = has(&report.genesis, is_denial) && has(&report.bootstrap, is_denial);
    has(&report.genesis, is_of_host) || has(&report.bootstrap, is_final) || is_denied || is_elsewhere(report)
}

/// Whether it is no beacon source of the network at all.
fn is_elsewhere(report: &SourceReport) -> bool {
    report.findings.iter().any(|found| matches!(found, Finding::OtherNetwork | Finding::IsExecutionProvider))
}

/// Asks a source that lacks the bootstrap for the other light-client routes. It serves none of them if the routes are switched
/// off.
pub(crate) async fn look_for_routes(probe: &ProbeClient<'_>, network: &Network, report: &mut SourceReport) {
    if !matches!(report.bootstrap.failure(), Some(Failure::NotServed { .. })) {
        return;
    }
    let present = network.slot_at(now(probe)).map_or(Period::new(0), |slot| network.period_at(slot));
    let updates = Route::Updates { start: present, count: 1 };
    let mut refused = Vec::new();
    for route in [Route::OptimisticUpdate, Route::FinalityUpdate, updates] {
        match probe.fetch(route).await {
            Err(failure @ Failure::NotServed { .. }) => refused.push(failure),
            Ok(_) | Err(_) => return,
        }
    }
    if let Ok([optimistic, finality, updates]) = <[Failure; 3]>::try_from(refused) {
        report.optimistic = Check::Failed(optimistic);
        report.finality = Check::Failed(finality);
        report.updates = Check::Failed(updates);
    }
}

/// Advances `client` with the source's data to the newest head.
pub(crate) async fn follow(probe: &ProbeClient<'_>, client: &mut LightClient, report: &mut SourceReport) {
    let network = client.network().clone();
    report.updates = committee_updates(probe, client, report).await;
    follow_heads(probe, client, report).await;
    other_checks(probe, &network, report).await;
}

/// Advances `client`, which knows the present committee, with the source's heads.
pub(crate) async fn follow_heads(
    probe: &ProbeClient<'_>,
    client: &mut LightClient,
    report: &mut SourceReport,
) {
    let network = client.network().clone();
    let optimistic = async {
        let data = probe.fetch(Route::OptimisticUpdate).await?;
        report.ssz = Check::Found(data.encoding == decode::Encoding::Ssz);
        let update = decode::optimistic_update(&data.bytes, data.encoding, data.fork.as_deref(), &network)?;
        let seen = seen(&update);
        advance(client, update, now(probe)).map(|()| seen)
    };
    report.optimistic = optimistic.await.into();
    let finality = async {
        let data = probe.fetch(Route::FinalityUpdate).await?;
        let update = decode::finality_update(&data.bytes, data.encoding, data.fork.as_deref(), &network)?;
        let (slot, seen) = (update.finalized_slot(), seen(&update));
        advance(client, update, now(probe)).map(|()| (slot, seen))
    };
    let finality = finality.await;
    report.finality = finality.clone().map(|(slot, _)| slot).into();
    let present = network.slot_at(now(probe));
    // A finality update is signed as well: its head serves where there is no optimistic update.
    let newest = report.optimistic.found().or(finality.as_ref().ok().map(|(_, seen)| seen));
    report.behind = newest
        .zip(present)
        .map(|(head, present)| present.since(head.slot.saturating_add(USUAL_LAG)).unwrap_or(0));
    report.is_young = newest.is_some_and(|head| is_young(head.slot, &network, now(probe)));
}

/// Makes the checks that a balance does not need, each once. A route that was refused because of the rate is not asked for again.
async fn other_checks(probe: &ProbeClient<'_>, network: &Network, report: &mut SourceReport) {
    if !report.genesis.is_tried() && !probe.is_short_of_time() {
        let genesis = probe.fetch_once(Route::Genesis).await;
        report.genesis = genesis.and_then(|data| of_network(&data, network)).into();
    }
    if !report.optimistic.is_rate_limited() && !probe.is_short_of_time() {
        let json = probe.fetch_json(Route::OptimisticUpdate).await;
        report.json = json.and_then(|data| names_fork(&data, network)).into();
    }
    if !report.updates.is_rate_limited() && !probe.is_short_of_time() {
        report.oldest_period = oldest_period(probe, network).await;
    }
}

/// Whether a balance at the head of `slot` is young enough at `now`, by the rule and the usual policy of a reader.
fn is_young(slot: Slot, network: &Network, now: UnixTime) -> bool {
    let age = now.saturating_sub(network.slot_start(slot));
    Now::new(now, None, network.slot_duration()).allows(age, &Policy::signed())
}

/// The head that an update is about.
fn seen(update: &LightClientUpdate) -> SeenHead {
    SeenHead {
        slot: update.attested_slot(),
        signers: update.sync_aggregate.signers(),
        committee_size: update.sync_aggregate.size,
        number: update.attested_header.execution.header().map(|header| header.block_number),
        hash: update.attested_header.execution.block_hash(),
    }
}

async fn committee_updates(
    probe: &ProbeClient<'_>,
    client: &mut LightClient,
    report: &mut SourceReport,
) -> Check<u64> {
    let mut taken = 0_u64;
    for _ in 0..MOST_UPDATE_REQUESTS {
        if client.knows_committee_at(now(probe)) && taken > 0 {
            break;
        }
        let (start, count) = match client.wants(now(probe)) {
            Wants::Updates { start, count } => (start, count.min(MAX_UPDATES)),
            // All committee updates are known already. Ask anyway, to check that the source has the newest one.
            Wants::Heads => (client.period(), 1),
        };
        let updates = probe
            .fetch(Route::Updates { start, count })
            .await
            .and_then(|data| Ok(decode::updates(&data.bytes, data.encoding, client.network())?));
        let updates = match updates {
            Ok(updates) if !updates.is_empty() => updates,
            // The update of the present period appears during that period.
            Ok(_) if client.knows_committee_at(now(probe)) => break,
            Ok(_) => {
                report.missing_period = Some(start);
                return Check::Failed(Failure::Malformed { what: NO_UPDATES });
            }
            Err(failure) => {
                report.missing_period = Some(start);
                return Check::Failed(failure);
            }
        };
        for update in updates {
            match advance(client, update, now(probe)) {
                Ok(()) => taken = taken.saturating_add(1),
                Err(failure) => return Check::Failed(failure),
            }
        }
        if matches!(client.wants(now(probe)), Wants::Heads) {
            break;
        }
    }
    Check::Found(taken)
}

fn advance(client: &mut LightClient, update: LightClientUpdate, now: UnixTime) -> Result<(), Failure> {
    match client.advance(update, now) {
        // `NotNewer` is no fault: the update was verified, but it contains nothing new.
        Ok(_) | Err(AdvanceError::NotNewer { .. }) => Ok(()),
        Err(refusal) => Err(refusal.into()),
    }
}

fn names_fork(data: &Data, network: &Network) -> Result<NamesFork, Failure> {
    if data.encoding != decode::Encoding::Json {
        return Err(Failure::Malformed { what: "not JSON, which was asked for" });
    }
    decode::optimistic_update(&data.bytes, data.encoding, data.fork.as_deref(), network)?;
    let body: Value = serde_json::from_slice(&data.bytes).unwrap_or_default();
    let named = data.fork.is_some() || body.get("version").is_some_and(Value::is_string);
    Ok(if named { NamesFork::Yes } else { NamesFork::No })
}

/// The oldest of the tried periods for which the source has an update. The update is not verified: a light client
/// only goes forwards.
async fn oldest_period(probe: &ProbeClient<'_>, network: &Network) -> Check<Period> {
    let Some(present) = network.slot_at(now(probe)).map(|slot| network.period_at(slot)) else {
        return Check::NotChecked(Unchecked::NotReached);
    };
    let mut oldest = None;
    for back in PERIODS_BACK {
        let period = present.saturating_sub(back);
        if probe.is_short_of_time() || oldest == Some(period) {
            break;
        }
        let answer = probe.fetch(Route::Updates { start: period, count: 1 }).await;
        let is_there = answer.is_ok_and(|data| {
            let updates = decode::updates(&data.bytes, data.encoding, network);
            updates.is_ok_and(|updates| {
                updates.first().is_some_and(|first| network.period_at(first.attested_slot()) == period)
            })
        });
        if !is_there {
            break;
        }
        oldest = Some(period);
    }
    oldest.map_or(Check::Failed(Failure::NotServed { method: "light_client/updates" }), Check::Found)
}

/// Derives the findings from the checks.
///
/// `leads` tells whether one of the sources leads to a head.
pub(crate) fn judge(probe: &ProbeClient<'_>, leads: bool, report: &mut SourceReport) {
    let seen = probe.meter.seen();
    (report.requests, report.latency, report.clock_offset) =
        (seen.requests, seen.latency(), seen.clock_offset());
    let mut more = if is_elsewhere(report) { Vec::new() } else { of_routes(probe, report) };
    if let Some(slots) = report.behind.filter(|slots| *slots > Finding::MOST_SLOTS_BEHIND) {
        more.push(Finding::Behind { slots, is_too_old: !report.is_young });
    }
    if let Some(route) = probe.limited_route().filter(|_| leads || report.can_follow()) {
        more.retain(|finding| !matches!(finding, Finding::RateLimited { .. }));
        more.push(Finding::LimitsRoute { route });
    }
    more.extend(Finding::of_rate(probe.rate(), &more));
    more.extend(Finding::of_pace(seen.latency(), seen.clock_offset()));
    for finding in more {
        let is_known = report.findings.iter().any(|known| known.code() == finding.code());
        if !is_known {
            report.findings.push(finding);
        }
    }
}

/// The findings about the routes, by what each of them answered.
fn of_routes(probe: &ProbeClient<'_>, report: &SourceReport) -> Vec<Finding> {
    // A rate limit that leaves time for all that a balance needs is no failure, nor is the end of the time.
    let counts = |failure: &&Failure| {
        let is_limit = matches!(failure, Failure::RateLimited { .. });
        let leaves_time = is_limit && report.can_follow();
        !leaves_time && !probe.ran_out(failure)
    };
    let [bootstrap, updates, optimistic, finality] = [
        report.bootstrap.failure(),
        report.updates.failure(),
        report.optimistic.failure(),
        report.finality.failure(),
    ]
    .map(|failure| failure.filter(counts));
    let is_unserved = |failure: Option<&Failure>| matches!(failure, Some(Failure::NotServed { .. }));
    // A bootstrap alone leads to no head.
    if [updates, optimistic, finality].into_iter().all(is_unserved) {
        return vec![Finding::NoLightClientData];
    }
    let mut found = Vec::new();
    // A balance asks no source for its genesis.
    let genesis = report.genesis.failure().filter(|failure| is_of_host(failure) && counts(failure));
    let genesis = genesis.filter(|_| !report.can_follow());
    found.extend(genesis.map(Finding::of));
    found.extend(bootstrap.map(|failure| match failure {
        Failure::NotServed { .. } => Finding::NoBootstrap,
        failure => Finding::of(failure),
    }));
    found.extend(updates.map(|failure| match report.missing_period {
        Some(period) if is_absent(failure) => Finding::NoUpdates { period },
        _ => Finding::of(failure),
    }));
    // Without the committee of the present, no head can be checked: that is no fault of the head.
    let is_checked =
        |failure: &&Failure| !matches!(failure, Failure::Update(AdvanceError::CommitteeUnknown { .. }));
    let heads = [optimistic, finality].map(|failure| failure.filter(is_checked));
    match heads.map(|failure| failure.is_some_and(lacks_route)) {
        [true, true] if updates.is_none() => found.push(Finding::NoHeads),
        [true, false] if report.behind.is_some() => found.push(Finding::NoOptimisticUpdates),
        [false, true] if report.behind.is_some() => found.push(Finding::NoFinalityUpdates),
        _ => {}
    }
    let refused = heads.into_iter().flatten().filter(|failure| !lacks_route(failure));
    found.extend(refused.map(Finding::of));
    found
}

/// Whether the source says that it does not have what it was asked for, in contrast to an error.
fn is_absent(failure: &Failure) -> bool {
    matches!(failure, Failure::NotServed { .. } | Failure::Malformed { what: NO_UPDATES })
}

/// Whether one route is missing or failing, in contrast to data that is refused and to a host that does not answer at all.
fn lacks_route(failure: &Failure) -> bool {
    is_absent(failure) || matches!(failure, Failure::Http { .. } | Failure::Denied { .. })
}

fn now(probe: &ProbeClient<'_>) -> UnixTime {
    probe.io.clock().wall()
}
