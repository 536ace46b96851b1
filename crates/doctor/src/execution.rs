//! Examines one execution provider.

use std::future::{Future, ready};

use alloy_primitives::hex;
use saldo_beacon::SignedHead;
use saldo_chain::{ExecutionHeader, HeaderError};
use saldo_proof::StateRoot;
use saldo_reading::Failure;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::check::{Check, Unchecked};
use crate::depth;
use crate::finding::Finding;
use crate::kind::Kind;
use crate::probe::{ProbeClient, is_final};
use crate::provider::{ProviderReport, Tip};
use crate::reply::{MAX_BLOCK, MAX_PROOF, MAX_SMALL, PROBED, hash_and_number, verify};
use crate::{batch, capabilities};

/// Examines a provider of a chain with a committee. Checks that need the signed head wait for it.
pub(crate) async fn examine(
    probe: &ProbeClient<'_>,
    chain_id: u64,
    head: impl Future<Output = Option<SignedHead>>,
) -> ProviderReport {
    complete(probe, chain_id, head, ProviderReport::new(probe.endpoint)).await
}

/// Examines a provider of a rollup.
pub(crate) async fn examine_of_rollup(probe: &ProbeClient<'_>, chain_id: u64) -> ProviderReport {
    complete(probe, chain_id, ready(None), ProviderReport::of_rollup(probe.endpoint)).await
}

async fn complete(
    probe: &ProbeClient<'_>,
    chain_id: u64,
    head: impl Future<Output = Option<SignedHead>>,
    mut report: ProviderReport,
) -> ProviderReport {
    let tip = without_head(probe, chain_id, &mut report).await;
    if may_go_on(&report) {
        if let Some(tip) = &tip {
            // Nothing is waited for here: the checks that need the signed head come first.
            probe.set_impatient(true);
            other_checks(probe, chain_id, tip, &mut report, false).await;
            probe.set_impatient(false);
        }
        match head.await {
            Some(head) => with_head(probe, &head, &mut report).await,
            None if report.is_of_rollup => {
                report.proof_at_signed_head = Check::NotChecked(Unchecked::NoCommittee);
            }
            None => report.proof_at_signed_head = Check::NotChecked(Unchecked::NoSignedHead),
        }
        if let Some(tip) = &tip {
            other_checks(probe, chain_id, tip, &mut report, true).await;
        }
    }
    if let (Some(header_of_tip), true) = (report.tip.found().copied(), report.proof_at_tip.is_found()) {
        report.depth = depth::search(probe, header_of_tip.number).await;
    }
    if report.chain_id.failure().is_some_and(Kind::may_be_other)
        && probe.only_kind().await == Some(Kind::BeaconNode)
    {
        report.findings.push(Finding::IsBeaconNode);
    }
    judge(probe, &mut report);
    report
}

/// Whether further requests may succeed: the provider serves the chain, and answers.
fn may_go_on(report: &ProviderReport) -> bool {
    let is_other_chain = |finding: &Finding| matches!(finding, Finding::WrongChain { .. });
    report.chain_id.is_found()
        && !report.findings.iter().any(is_other_chain)
        && !report.tip.failure().is_some_and(is_final)
}

/// Makes the checks that a balance needs, as far as they need no signed head. Returns the newest block, if there is one.
async fn without_head(
    probe: &ProbeClient<'_>,
    chain_id: u64,
    report: &mut ProviderReport,
) -> Option<ExecutionHeader> {
    report.chain_id = probe.number("eth_chainId").await.into();
    if *report.chain_id.found()? != chain_id {
        let got = *report.chain_id.found()?;
        report.findings.push(Finding::WrongChain { got, expected: chain_id });
        return None;
    }
    let claimed = probe.number("eth_blockNumber").await;
    if claimed.as_ref().is_err_and(is_final) {
        report.tip = claimed.err().map_or(Check::NotChecked(Unchecked::NotReached), Check::Failed);
        return None;
    }
    let header = tip(probe, report).await?;
    if let Ok(claimed) = claimed
        && claimed.abs_diff(header.number()) > Finding::MOST_BLOCKS_BEHIND
    {
        report.findings.push(Finding::LiesAboutTip { said: claimed, given: header.number() });
    }
    Some(header)
}

/// Makes the checks that a balance does not need, each once. Where the rate of requests is limited, they are made `at_last`.
async fn other_checks(
    probe: &ProbeClient<'_>,
    chain_id: u64,
    tip: &ExecutionHeader,
    report: &mut ProviderReport,
    at_last: bool,
) {
    let may_ask = || (at_last || probe.rate().is_none()) && !probe.is_over();
    if may_ask() && !report.raw_header.is_tried() {
        report.raw_header = raw_header(probe, tip).await.into();
        report.raw_header.forget_limit(at_last);
    }
    if may_ask() && !report.by_tag.is_tried() && report.proof_at_tip.is_found() {
        // The tip may have moved. So this only checks that the proof is complete under some root.
        report.by_tag = proof(probe, &json!("latest"), None, report).await.map(drop).into();
        report.by_tag.forget_limit(at_last);
    }
    if may_ask() && !report.by_hash.is_tried() && report.proof_at_tip.is_found() {
        let hash = json!({ "blockHash": tip.hash() });
        report.by_hash = proof(probe, &hash, Some(tip.state_root()), report).await.map(drop).into();
        report.by_hash.forget_limit(at_last);
    }
    if may_ask() && !report.capabilities.is_tried() {
        report.capabilities = capabilities::read(probe).await;
        report.capabilities.forget_limit(at_last);
    }
    if may_ask() && !report.batch.is_tried() {
        report.batch = batch::largest(probe, chain_id, &mut report.findings).await;
        report.batch.forget_limit(at_last);
        if let (Check::Found(known), Check::Found(()), Check::Found(_)) =
            (&report.batch, &report.by_tag, &report.proof_at_tip)
        {
            report.batch = Check::Found(batch::largest_of_proofs(probe, *known).await);
        }
    }
}

/// Checks the newest block, both forms of its header, and the proof at it.
async fn tip(probe: &ProbeClient<'_>, report: &mut ProviderReport) -> Option<ExecutionHeader> {
    // A node that proves only its newest block may have a newer block before the proof request arrives, so try again.
    const ATTEMPTS: usize = 3;
    let mut newest = None;
    for attempt in 1..=ATTEMPTS {
        let (header, rebuilt) = match newest_block(probe).await {
            Ok(found) => found,
            Err(failure) => {
                report.tip = Check::Failed(failure);
                return None;
            }
        };
        report.block_rebuilds = rebuilt;
        let header = match header {
            Some(header) => header,
            None => {
                report.tip = Check::NotChecked(Unchecked::NotReached);
                return None;
            }
        };
        report.tip = Check::Found(Tip { number: header.number(), timestamp: header.timestamp() });
        let proof = proof(probe, &number_of(&header), Some(header.state_root()), report).await;
        let moved = matches!(proof, Err(Failure::ProofWindowMissed | Failure::NotSynced));
        report.proof_at_tip = proof.into();
        newest = Some(header);
        if !moved || attempt == ATTEMPTS || probe.is_over() {
            break;
        }
    }
    newest
}

/// The newest block's header, checked by its own hash; and whether the block's JSON was enough for that.
async fn newest_block(probe: &ProbeClient<'_>) -> Result<(Option<ExecutionHeader>, Check<()>), Failure> {
    let block = probe.call("eth_getBlockByNumber", json!(["latest", false]), MAX_BLOCK).await?;
    let (hash, number) = hash_and_number(&block)?;
    match ExecutionHeader::from_json(block.get().as_bytes(), hash) {
        Ok(header) => Ok((Some(header), Check::Found(()))),
        Err(error) => {
            let raw = probe.call("debug_getRawHeader", json!([format!("{number:#x}")]), MAX_SMALL).await;
            let header =
                raw.ok().and_then(|raw| bytes(&raw)).map(|raw| ExecutionHeader::from_rlp(&raw, hash));
            Ok((header.and_then(Result::ok), Check::Failed(error.into())))
        }
    }
}

async fn raw_header(probe: &ProbeClient<'_>, header: &ExecutionHeader) -> Result<(), Failure> {
    let raw = probe.call("debug_getRawHeader", json!([number_of(header)]), MAX_SMALL).await?;
    let raw = bytes(&raw).ok_or(Failure::Malformed { what: "not bytes" })?;
    ExecutionHeader::from_rlp(&raw, header.hash()).map(drop).map_err(Failure::from)
}

/// Requests a proof of [`PROBED`] at `block` and checks it under `root`, or without `root` under the hash of its own
/// first node. Returns the number of nodes.
pub(crate) async fn proof(
    probe: &ProbeClient<'_>,
    block: &Value,
    root: Option<StateRoot>,
    report: &mut ProviderReport,
) -> Result<usize, Failure> {
    let reply = probe.call("eth_getProof", json!([PROBED, [], block]), MAX_PROOF).await?;
    let (nodes, claims_right) = verify(&reply, root)?;
    if !claims_right && !report.findings.contains(&Finding::FalseClaim) {
        report.findings.push(Finding::FalseClaim);
    }
    Ok(nodes)
}

/// Makes the checks that need the signed head.
async fn with_head(probe: &ProbeClient<'_>, head: &SignedHead, report: &mut ProviderReport) {
    let Some(hash) = head.execution().block_hash() else {
        report.proof_at_signed_head = Check::NotChecked(Unchecked::NoSignedHead);
        return;
    };
    if probe.is_over() {
        report.proof_at_signed_head = Check::NotChecked(Unchecked::OutOfBudget);
        return;
    }
    let block = probe.call("eth_getBlockByHash", json!([hash, false]), MAX_BLOCK).await;
    let theirs = block.and_then(|block| Ok(ExecutionHeader::from_json(block.get().as_bytes(), hash)?));
    let known = head.execution().header();
    let number = known.map(|known| known.block_number).or(theirs.as_ref().ok().map(ExecutionHeader::number));
    let root = known
        .map(|known| StateRoot::new(known.state_root))
        .or(theirs.as_ref().ok().map(ExecutionHeader::state_root));
    let tip = report.tip.found().map(|tip| tip.number);
    if let (Some(number), Some(tip)) = (number, tip) {
        let difference = i64::try_from(tip.abs_diff(number)).unwrap_or(i64::MAX);
        report.ahead_of_signed = Some(if tip >= number { difference } else { difference.saturating_neg() });
    }
    let is_missing = matches!(theirs, Err(Failure::NoResult | Failure::NotSynced));
    report.proof_at_signed_head = match (number, root, theirs) {
        (Some(number), Some(root), _) => {
            proof(probe, &json!(format!("{number:#x}")), Some(root), report).await.into()
        }
        (_, _, Err(failure)) => Check::Failed(failure),
        _ => Check::NotChecked(Unchecked::NoSignedHead),
    };
    let is_past = report.ahead_of_signed.is_some_and(|ahead| ahead >= 0);
    if is_missing && is_past && !report.proof_at_signed_head.is_found() {
        report.findings.push(Finding::OtherBranch);
    }
}

/// The findings about the checks that failed, each by itself.
fn of_failures(probe: &ProbeClient<'_>, report: &ProviderReport) -> Vec<Finding> {
    let mut more = Vec::new();
    let failures = [
        report.chain_id.failure(),
        report.tip.failure(),
        report.proof_at_tip.failure(),
        report.proof_at_signed_head.failure(),
        report.depth.failure(),
    ];
    let is_provider = !report.findings.contains(&Finding::IsBeaconNode);
    let is_on_other_branch = report.findings.contains(&Finding::OtherBranch);
    let is_proven = report.proof_at_tip.is_found() || report.proof_at_signed_head.is_found();
    for failure in failures.into_iter().flatten().filter(|failure| is_provider && !probe.ran_out(failure)) {
        more.extend(match failure {
            Failure::NotServed { method: "eth_getProof" } => Some(Finding::NoProofs),
            // A missed proof window has its own finding below. A missing block means lag or another branch.
            Failure::ProofWindowMissed
            | Failure::NotSynced
            | Failure::NoResult
            | Failure::Rpc { .. }
            | Failure::NotServed { .. }
                if is_proven =>
            {
                None
            }
            // On another branch, the block of that number is another.
            Failure::Proof(_) if report.proof_at_tip.is_found() && is_on_other_branch => None,
            // Not even the proof of its own newest block.
            Failure::ProofWindowMissed => Some(Finding::NoProofs),
            Failure::RateLimited { .. } if report.can_prove() => None,
            failure => Some(Finding::of(failure)),
        });
    }
    more
}

/// Derives the findings from the checks.
fn judge(probe: &ProbeClient<'_>, report: &mut ProviderReport) {
    let seen = probe.meter.seen();
    (report.requests, report.latency, report.clock_offset) =
        (seen.requests, seen.latency(), seen.clock_offset());
    let mut more = of_failures(probe, report);
    let header_refusal = report.block_rebuilds.failure().filter(|_| !report.tip.is_found());
    more.extend(header_refusal.map(Finding::of));
    let unknown_layout =
        matches!(report.block_rebuilds.failure(), Some(Failure::Header(HeaderError::UnknownLayout)));
    if unknown_layout && !report.raw_header.is_found() {
        more.push(Finding::UnknownHeaderLayout);
    }
    if let Some(blocks) = report.ahead_of_signed.filter(|ahead| *ahead < 0).map(i64::unsigned_abs)
        && blocks > Finding::MOST_BLOCKS_BEHIND
    {
        let tip = report.tip.found().map(|tip| tip.timestamp);
        let age = tip.map(|time| probe.io.clock().wall().saturating_sub(time)).unwrap_or_default();
        more.push(Finding::Lagging { blocks, age });
    }
    // L1 vouches for a block of a rollup an hour after it: that a provider proves only newer ones is usual.
    if let Some(depth) = report.depth.found().filter(|_| !report.is_of_rollup) {
        if depth.is_tip_only() {
            more.push(Finding::TipOnly);
        } else if depth.refused.is_some() && depth.proven < Finding::FINALITY_DEPTH {
            more.push(Finding::ShallowProofs { blocks: depth.proven });
        }
    }
    more.extend(capabilities::contradiction(report));
    let counts_calls = report.findings.iter().any(|found| matches!(found, Finding::CountsCalls { .. }));
    more.extend(Finding::of_rate(probe.rate().filter(|_| !counts_calls), &more));
    more.extend(Finding::of_pace(seen.latency(), seen.clock_offset()));
    for finding in more {
        let is_known = report.findings.iter().any(|known| known.code() == finding.code());
        if !is_known {
            report.findings.push(finding);
        }
    }
}

fn number_of(header: &ExecutionHeader) -> Value {
    json!(format!("{:#x}", header.number()))
}

fn bytes(json: &RawValue) -> Option<Vec<u8>> {
    let text: String = serde_json::from_str(json.get()).ok()?;
    hex::decode(text).ok()
}
