//! Compares saldo's decoding of an object with the oracle's.

use alloy_primitives::{Address, B256, Bloom, Bytes, U256};
use saldo_beacon::container::ExecutionPayloadHeader;
use saldo_beacon::decode::{self, DecodeError, Encoding};
use saldo_beacon::fork::HeaderLayout;
use saldo_beacon::merkle::merkleize;
use saldo_beacon::unit::Slot;
use saldo_beacon::{Execution, Fork, LightClientBootstrap, LightClientHeader, LightClientUpdate, Network};

use super::{Opinion, from_ssz};

/// What saldo refuses although it is well-formed, because nothing proves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeAreStricter {
    /// A part has a value, and its proof is all zero.
    Unproven(&'static str),
    /// A header has values in fields that its own fork does not have.
    OlderHeader,
}

/// An object as saldo decodes it.
enum Ours {
    Bootstrap(LightClientBootstrap),
    Update(LightClientUpdate),
}

/// The values of an object that both decode.
#[derive(Debug, PartialEq)]
struct Seen {
    header: SeenHeader,
    committee: Option<(B256, Vec<B256>)>,
    finality: Option<(Option<SeenHeader>, Vec<B256>)>,
    /// The root of the aggregate, the signers, the slot.
    signed: Option<(B256, usize, u64)>,
}

#[derive(Debug, PartialEq)]
struct SeenHeader {
    slot: u64,
    beacon: B256,
    execution: SeenExecution,
    branch: Vec<B256>,
}

#[derive(Debug, PartialEq)]
enum SeenExecution {
    Absent,
    Payload(B256),
    Hash(B256),
}

fn ours(
    object: &str,
    bytes: &[u8],
    encoding: Encoding,
    fork: &str,
    network: &Network,
) -> Result<Ours, DecodeError> {
    let label = Some(fork);
    match object {
        "LightClientBootstrap" => decode::bootstrap(bytes, encoding, label, network).map(Ours::Bootstrap),
        "LightClientUpdate" => decode::update(bytes, encoding, label, network).map(Ours::Update),
        "LightClientFinalityUpdate" => {
            decode::finality_update(bytes, encoding, label, network).map(Ours::Update)
        }
        "LightClientOptimisticUpdate" => {
            decode::optimistic_update(bytes, encoding, label, network).map(Ours::Update)
        }
        other => panic!("no such object: {other}"),
    }
}

impl Ours {
    fn seen(&self) -> Seen {
        match self {
            Self::Bootstrap(bootstrap) => Seen {
                header: seen_header(&bootstrap.header),
                committee: Some((
                    bootstrap.current_sync_committee.hash_tree_root(),
                    bootstrap.current_sync_committee_branch.clone(),
                )),
                finality: None,
                signed: None,
            },
            Self::Update(update) => Seen {
                header: seen_header(&update.attested_header),
                committee: update
                    .next_sync_committee
                    .as_ref()
                    .map(|next| (next.committee.hash_tree_root(), next.branch.clone())),
                finality: update
                    .finality
                    .as_ref()
                    .map(|part| (part.header.as_ref().map(seen_header), part.branch.clone())),
                signed: Some((
                    update.sync_aggregate.hash_tree_root(),
                    update.sync_aggregate.signers(),
                    update.signature_slot.get(),
                )),
            },
        }
    }

    /// The root of the whole object in its fork's layout, built from saldo's containers; an absent part is all zero.
    fn root(&self, object: &str, fork: Fork, size: usize) -> B256 {
        let rules = fork.rules();
        let zeros = |gindex: u64| vec![B256::ZERO; usize::try_from(gindex.ilog2()).unwrap()];
        let header = |header| vector_root(&header_leaves(header, rules.layout));
        let update = match self {
            Self::Bootstrap(bootstrap) => {
                return vector_root(&[
                    header(Some(&bootstrap.header)),
                    bootstrap.current_sync_committee.hash_tree_root(),
                    vector_root(&bootstrap.current_sync_committee_branch),
                ]);
            }
            Self::Update(update) => update,
        };
        let mut leaves = vec![header(Some(&update.attested_header))];
        if object == "LightClientUpdate" {
            let (committee, branch) = update.next_sync_committee.as_ref().map_or_else(
                || (zero_committee_root(size), zeros(rules.next_sync_committee)),
                |next| (next.committee.hash_tree_root(), next.branch.clone()),
            );
            leaves.extend([committee, vector_root(&branch)]);
        }
        if object != "LightClientOptimisticUpdate" {
            let branch = update.finality.as_ref().map(|part| part.branch.clone());
            let branch = branch.unwrap_or_else(|| zeros(rules.finalized_root));
            leaves.extend([header(update.finalized_header()), vector_root(&branch)]);
        }
        let slot = B256::right_padding_from(&update.signature_slot.get().to_le_bytes());
        leaves.extend([update.sync_aggregate.hash_tree_root(), slot]);
        vector_root(&leaves)
    }
}

fn seen_header(header: &LightClientHeader) -> SeenHeader {
    SeenHeader {
        slot: header.beacon.slot.get(),
        beacon: header.beacon.hash_tree_root(),
        execution: match &header.execution {
            Execution::Absent => SeenExecution::Absent,
            Execution::Header(payload) => SeenExecution::Payload(payload.hash_tree_root()),
            Execution::Hash(hash) => SeenExecution::Hash(*hash),
        },
        branch: header.execution_branch.clone(),
    }
}

fn vector_root(leaves: &[B256]) -> B256 {
    merkleize(leaves, leaves.len().next_power_of_two().ilog2())
}

fn zero_committee_root(size: usize) -> B256 {
    let key = merkleize(&[], 1);
    merkleize(&[vector_root(&vec![key; size]), key], 1)
}

/// A header's fields in an object's layout: a header of an older fork has zeros in the fields that it lacks.
fn header_leaves(header: Option<&LightClientHeader>, layout: HeaderLayout) -> Vec<B256> {
    let beacon = header.map_or(merkleize(&[], 3), |header| header.beacon.hash_tree_root());
    let depth = match layout {
        HeaderLayout::Beacon => return vec![beacon],
        HeaderLayout::Execution15 | HeaderLayout::Execution17 => 4,
        HeaderLayout::ExecutionHash => 11,
    };
    let execution = header.map_or(&Execution::Absent, |header| &header.execution);
    let leaf = match execution {
        Execution::Hash(hash) => *hash,
        Execution::Absent if layout == HeaderLayout::ExecutionHash => B256::ZERO,
        other => {
            let mut payload = other.header().cloned().unwrap_or_else(zero_payload);
            if layout == HeaderLayout::Execution17 {
                payload.blob_gas_used.get_or_insert(0);
                payload.excess_blob_gas.get_or_insert(0);
            }
            payload.hash_tree_root()
        }
    };
    let branch = header.map(|header| header.execution_branch.clone()).filter(|branch| !branch.is_empty());
    vec![beacon, leaf, vector_root(&branch.unwrap_or_else(|| vec![B256::ZERO; depth]))]
}

fn zero_payload() -> ExecutionPayloadHeader {
    ExecutionPayloadHeader {
        parent_hash: B256::ZERO,
        fee_recipient: Address::ZERO,
        state_root: B256::ZERO,
        receipts_root: B256::ZERO,
        logs_bloom: Bloom::ZERO,
        prev_randao: B256::ZERO,
        block_number: 0,
        gas_limit: 0,
        gas_used: 0,
        timestamp: 0,
        extra_data: Bytes::new(),
        base_fee_per_gas: U256::ZERO,
        block_hash: B256::ZERO,
        transactions_root: B256::ZERO,
        withdrawals_root: B256::ZERO,
        blob_gas_used: None,
        excess_blob_gas: None,
    }
}

/// The values that saldo should see, from the oracle's values and the specification's rules about zeros.
fn expected(opinion: &Opinion, object: &str, network: &Network) -> Result<Seen, WeAreStricter> {
    let all_zero = |branch: &[B256]| branch.iter().all(B256::is_zero);
    let header = expected_header(&opinion.headers[0], network)?;
    let committee = match &opinion.committee {
        Some(next) if object == "LightClientUpdate" && all_zero(&next.branch) => {
            if !next.is_zero {
                return Err(WeAreStricter::Unproven("next_sync_committee"));
            }
            None
        }
        committee => committee.as_ref().map(|committee| (committee.root, committee.branch.clone())),
    };
    let finality = match (&opinion.finality_branch, opinion.headers.get(1)) {
        (Some(branch), Some(finalized)) if !all_zero(branch) && finalized.slot > 0 => {
            Some((Some(expected_header(finalized, network)?), branch.clone()))
        }
        (Some(_), Some(finalized)) if !finalized.is_zero => {
            return Err(WeAreStricter::Unproven("finalized_header"));
        }
        (Some(branch), Some(_)) if !all_zero(branch) => Some((None, branch.clone())),
        _ => None,
    };
    let signed = opinion.signed.as_ref().map(|signed| (signed.aggregate, signed.signers, signed.slot));
    Ok(Seen { header, committee, finality, signed })
}

fn expected_header(header: &super::Header, network: &Network) -> Result<SeenHeader, WeAreStricter> {
    use super::Execution::{Absent, Hash, Payload};
    let layout = network.fork_at(Slot::new(header.slot)).unwrap().rules().layout;
    let (execution, branch) = match (layout, &header.execution) {
        (HeaderLayout::Beacon, _) if header.is_beacon_only => (SeenExecution::Absent, Vec::new()),
        (HeaderLayout::Execution15, Payload { before_deneb: Some(root), .. })
        | (HeaderLayout::Execution17, Payload { root, .. }) => {
            (SeenExecution::Payload(*root), header.branch.clone())
        }
        (HeaderLayout::Beacon, _) | (HeaderLayout::Execution15, Payload { .. }) => {
            return Err(WeAreStricter::OlderHeader);
        }
        (_, Hash(hash)) => (SeenExecution::Hash(*hash), header.branch.clone()),
        (layout, Absent | Payload { .. }) => panic!("{layout:?} of {:?}", header.execution),
    };
    Ok(SeenHeader { slot: header.slot, beacon: header.beacon, execution, branch })
}

/// Decodes an object's SSZ with both and compares the results; `Ok(false)` if both refuse it.
///
/// # Errors
/// How saldo is stricter, if it is.
///
/// # Panics
/// If the two disagree.
pub fn both(object: &str, fork: &str, bytes: &[u8], network: &Network) -> Result<bool, WeAreStricter> {
    let size = network.sync_committee_size();
    let theirs = from_ssz(object, fork, size, bytes);
    let ours = ours(object, bytes, Encoding::Ssz, fork, network);
    let opinion = match theirs {
        Ok(opinion) => opinion,
        Err(why) => {
            assert!(matches!(ours, Err(DecodeError::Ssz(_))), "{object} of {fork}: they refuse it: {why}");
            return Ok(false);
        }
    };
    match (expected(&opinion, object, network), ours) {
        (Ok(expected), Ok(ours)) => {
            assert_eq!(ours.seen(), expected, "{object} of {fork}");
            assert_eq!(ours.root(object, Fork::from_name(fork).unwrap(), size), opinion.root);
            Ok(true)
        }
        (Err(WeAreStricter::Unproven(part)), Err(DecodeError::Unproven { field })) if part == field => {
            Err(WeAreStricter::Unproven(part))
        }
        (Err(WeAreStricter::OlderHeader), Err(DecodeError::ExecutionLayout { .. })) => {
            Err(WeAreStricter::OlderHeader)
        }
        (expected, ours) => {
            panic!("{object} of {fork}: {:?}, not {expected:?}", ours.map(|ours| ours.seen()))
        }
    }
}

/// Decodes an object's JSON as it was sent, and compares it with the oracle's result.
///
/// # Panics
/// If the two disagree.
pub fn from_json_too(object: &str, fork: &str, sent: &[u8], opinion: &Opinion, network: &Network) {
    let ours = ours(object, sent, Encoding::Json, fork, network).unwrap();
    assert_eq!(Ok(ours.seen()), expected(opinion, object, network));
    let root = ours.root(object, Fork::from_name(fork).unwrap(), network.sync_committee_size());
    assert_eq!(root, opinion.root);
}
