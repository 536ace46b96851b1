//! Verifies bootstraps and updates. No function here changes the client.

use core::time::Duration;

use alloy_primitives::B256;

use super::committee::ProvenCommittee;
use super::error::{AdvanceError, BootstrapError};
use super::schedule::{NotKnown, Schedule, VerifiedFork, record};
use super::state::LightClient;
use crate::checkpoint::Checkpoint;
use crate::fork::{Fork, ForkRules};
use crate::merkle::normalized_branch_is_valid;
use crate::network::{Network, ScheduledFork};
use crate::signature::{DOMAIN_SYNC_COMMITTEE, SignatureError, compute_domain, compute_signing_root, verify};
use crate::unit::{Slot, UnixTime};
use crate::update::{
    FinalizedPart, LightClientBootstrap, LightClientHeader, LightClientUpdate, NextSyncCommittee,
    has_supermajority,
};

/// How far the device's clock may be behind the chain.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(30);

/// Verifies a bootstrap. Returns what the checkpoint's state has shown about the times of forks.
///
/// Source: `initialize_light_client_store`, and `phase0/weak-subjectivity.md` for the age.
pub(super) fn bootstrap(
    network: &Network,
    checkpoint: &Checkpoint,
    bootstrap: &LightClientBootstrap,
    now: UnixTime,
) -> Result<Vec<VerifiedFork>, BootstrapError> {
    let header = &bootstrap.header;
    let root = header.beacon.hash_tree_root();
    if root != checkpoint.root {
        return Err(BootstrapError::WrongRoot { got: root, expected: checkpoint.root });
    }
    let slot = header.beacon.slot;
    if let Some(expected) = checkpoint.slot.filter(|expected| *expected != slot) {
        return Err(BootstrapError::WrongSlot { got: slot, expected });
    }
    let committee = &bootstrap.current_sync_committee;
    if committee.pubkeys.len() != network.sync_committee_size() {
        let (got, expected) = (committee.pubkeys.len(), network.sync_committee_size());
        return Err(BootstrapError::CommitteeSize { got, expected });
    }
    let (leaf, branch) = (committee.hash_tree_root(), &bootstrap.current_sync_committee_branch);
    let is_proven = |fork: Fork| {
        let gindex = fork.rules().current_sync_committee;
        normalized_branch_is_valid(leaf, branch, gindex, header.beacon.state_root)
    };
    let (fork, shown) = Schedule { network, verified: &[] }.told_by_checkpoint(slot, is_proven)?;
    if !header.is_valid(fork) {
        return Err(BootstrapError::ExecutionBranch);
    }
    if let Some(time) = header.later_time(network) {
        return Err(BootstrapError::ExecutionTime { slot, time });
    }
    if !is_proven(fork) {
        return Err(BootstrapError::CommitteeBranch);
    }
    let Some(present) =
        network.slot_at(now.saturating_add(CLOCK_TOLERANCE)).filter(|present| *present >= slot)
    else {
        return Err(BootstrapError::FromFuture { slot, starts: network.slot_start(slot), now });
    };
    let (made, today) = (network.epoch_at(slot), network.epoch_at(present));
    let age_epochs = today.since(made).unwrap_or(0);
    let verified = Vec::from_iter(shown);
    let limit_epochs = Schedule { network, verified: &verified }.max_checkpoint_age_between(made, today);
    if age_epochs > limit_epochs {
        return Err(BootstrapError::CheckpointTooOld { age_epochs, limit_epochs });
    }
    Ok(verified)
}

/// What a verified update has shown.
pub(super) struct Verdict {
    /// The hash tree root of the committee that signed.
    pub(super) committee_root: B256,
    /// The root that it signed.
    pub(super) signing_root: B256,
    /// The hash tree root of the next committee, if the update has one.
    pub(super) next_committee_root: Option<B256>,
    /// What is known about the times of forks, including what this update shows.
    pub(super) verified_forks: Vec<VerifiedFork>,
}

/// Verifies an update. Returns what it has shown.
///
/// Source: `validate_light_client_update`. The signature is checked before all that depends on the fork of the head,
/// because it shows which fork that is.
pub(super) fn update(
    client: &LightClient,
    update: &LightClientUpdate,
    now: UnixTime,
) -> Result<Verdict, AdvanceError> {
    let network = client.network();
    participation(network, update)?;
    order(update)?;
    let slot = update.attested_slot();
    let schedule = client.schedule();
    if let Err(NotKnown::Unknown(fork)) = schedule.fork_at(slot) {
        return Err(fork.into());
    }
    let committee = committee(client, update)?;
    relevance(client, update)?;
    let signed_at = update.signature_slot.saturating_sub(1);
    let (signed, signing_root) = signature(client, committee, update, signed_at)?;
    let told = match schedule.verify(slot, signed, signed_at) {
        Err(NotKnown::Unsettled) => schedule.told_by_state(slot, signed, |fork| is_state_of(fork, update)),
        told => told,
    };
    let (fork, shown) = told.map_err(|error| not_known(error, slot))?;
    let mut verified_forks = schedule.verified.to_vec();
    record(&mut verified_forks, shown);
    execution(Schedule { network, verified: &verified_forks }, update, update.finalized_header())?;
    if let Some(part) = &update.finality {
        finality(fork.rules(), update, part)?;
    }
    let next = update.next_sync_committee.as_ref();
    let next_committee_root =
        next.map(|next| next_committee(client, fork.rules(), update, next)).transpose()?;
    time(network, update, now)?;
    Ok(Verdict { committee_root: committee.root, signing_root, next_committee_root, verified_forks })
}

/// Whether the attested state proves the parts of the update at the indices of `fork`. At least one part must be there.
fn is_state_of(fork: Fork, update: &LightClientUpdate) -> bool {
    let (rules, state_root) = (fork.rules(), update.attested_header.beacon.state_root);
    let finalized = update.finality.as_ref().and_then(|part| {
        let leaf = part.header.as_ref()?.beacon.hash_tree_root();
        Some(normalized_branch_is_valid(leaf, &part.branch, rules.finalized_root, state_root))
    });
    let next = update.next_sync_committee.as_ref().map(|next| {
        let leaf = next.committee.hash_tree_root();
        normalized_branch_is_valid(leaf, &next.branch, rules.next_sync_committee, state_root)
    });
    let parts = [finalized, next];
    parts.contains(&Some(true)) && !parts.contains(&Some(false))
}

fn not_known(error: NotKnown, slot: Slot) -> AdvanceError {
    match error {
        NotKnown::Unknown(fork) => fork.into(),
        NotKnown::Unsettled => AdvanceError::UnsettledFork { slot },
    }
}

/// Checks what can be checked of a stored update without its committee. Its next committee is stored elsewhere. Its
/// finalized header has no execution part if its fork was not settled.
pub(super) fn stored(schedule: Schedule<'_>, update: &LightClientUpdate) -> Result<(), AdvanceError> {
    participation(schedule.network, update)?;
    order(update)?;
    let slot = update.attested_slot();
    let rules = schedule.fork_at(slot).map_err(|error| not_known(error, slot))?.rules();
    execution(schedule, update, update.finalized_header().filter(|header| header.tells_of_execution()))?;
    update.finality.as_ref().map_or(Ok(()), |part| finality(rules, update, part))
}

/// Checks the signature of a stored update with the committee that `client` knows. Returns the root that was signed.
pub(super) fn stored_signature(
    client: &LightClient,
    update: &LightClientUpdate,
) -> Result<B256, AdvanceError> {
    let committee = committee(client, update)?;
    let signed_at = update.signature_slot.saturating_sub(1);
    signature(client, committee, update, signed_at).map(|(_, signing_root)| signing_root)
}

/// Checks that at least two thirds signed, for every update. Otherwise a few members could install a false committee.
fn participation(network: &Network, update: &LightClientUpdate) -> Result<(), AdvanceError> {
    let aggregate = &update.sync_aggregate;
    if aggregate.size != network.sync_committee_size() || !aggregate.is_well_formed() {
        return Err(AdvanceError::ParticipationBits { size: network.sync_committee_size() });
    }
    let (signers, size) = (aggregate.signers(), aggregate.size);
    if !has_supermajority(signers, size) {
        return Err(AdvanceError::TooFewSigners { signers, size });
    }
    Ok(())
}

fn order(update: &LightClientUpdate) -> Result<(), AdvanceError> {
    let (signature, attested, finalized) =
        (update.signature_slot, update.attested_slot(), update.finalized_slot());
    if signature <= attested || attested < finalized {
        return Err(AdvanceError::SlotOrder { signature, attested, finalized });
    }
    Ok(())
}

/// Checks the update against the device's clock. This check comes last: only what the committee signed can show that
/// the clock is wrong. It signed the head with its slot. No signature covers the slot of the signature, so a source can
/// set it to any slot of the same period.
fn time(network: &Network, update: &LightClientUpdate, now: UnixTime) -> Result<(), AdvanceError> {
    let latest = now.saturating_add(CLOCK_TOLERANCE);
    let slot = update.attested_slot();
    let starts = network.slot_start(slot);
    if starts > latest {
        return Err(AdvanceError::FromFuture { slot, starts, now });
    }
    let signature_slot = update.signature_slot;
    let starts = network.slot_start(signature_slot);
    if starts > latest {
        return Err(AdvanceError::SignatureFromFuture { signature_slot, starts, now });
    }
    Ok(())
}

/// Returns the committee that must have signed the update.
pub(super) fn committee<'a>(
    client: &'a LightClient,
    update: &LightClientUpdate,
) -> Result<&'a ProvenCommittee, AdvanceError> {
    let period = client.network().period_at(update.signature_slot);
    if period < client.period() {
        return Err(not_newer(client, update));
    }
    let committee = client.committee_at(update.signature_slot);
    committee.map(AsRef::as_ref).ok_or(AdvanceError::CommitteeUnknown { period, known: client.period() })
}

/// Checks that the update is newer than the final head, or has the committee that is still unknown.
fn relevance(client: &LightClient, update: &LightClientUpdate) -> Result<(), AdvanceError> {
    let brings_committee = !client.next_committee_known()
        && update.next_sync_committee.is_some()
        && client.network().period_at(update.attested_slot()) == client.period();
    if update.attested_slot() > client.finalized_head().slot() || brings_committee {
        return Ok(());
    }
    Err(not_newer(client, update))
}

fn not_newer(client: &LightClient, update: &LightClientUpdate) -> AdvanceError {
    AdvanceError::NotNewer { attested: update.attested_slot(), finalized: client.finalized_head().slot() }
}

/// Checks the execution parts. If the fork of a finalized header is not settled, its execution part is not checked, and
/// is not used later.
fn execution(
    schedule: Schedule<'_>,
    update: &LightClientUpdate,
    finalized: Option<&LightClientHeader>,
) -> Result<(), AdvanceError> {
    for header in [Some(&update.attested_header), finalized].into_iter().flatten() {
        let slot = header.beacon.slot;
        let is_valid = match schedule.fork_at(slot) {
            Ok(fork) => header.is_valid(fork),
            Err(NotKnown::Unsettled) => true,
            Err(NotKnown::Unknown(fork)) => return Err(fork.into()),
        };
        if !is_valid || !header.fits_in_one_object_with(&update.attested_header) {
            return Err(AdvanceError::ExecutionBranch { slot });
        }
        if let Some(time) = header.later_time(schedule.network) {
            return Err(AdvanceError::ExecutionTime { slot, time });
        }
    }
    Ok(())
}

/// Checks the finalized header. The state holds the genesis checkpoint as a zero root.
fn finality(rules: &ForkRules, update: &LightClientUpdate, part: &FinalizedPart) -> Result<(), AdvanceError> {
    let root = part.header.as_ref().map(|header| header.beacon.hash_tree_root()).unwrap_or_default();
    let state_root = update.attested_header.beacon.state_root;
    let is_genesis = part.header.as_ref().is_some_and(|header| header.beacon.slot == Slot::new(0));
    if is_genesis || !normalized_branch_is_valid(root, &part.branch, rules.finalized_root, state_root) {
        return Err(AdvanceError::FinalityBranch);
    }
    Ok(())
}

/// Checks the next committee, and returns its hash tree root.
fn next_committee(
    client: &LightClient,
    rules: &ForkRules,
    update: &LightClientUpdate,
    next: &NextSyncCommittee,
) -> Result<B256, AdvanceError> {
    let is_of_same_period = client.network().period_at(update.attested_slot()) == client.period();
    let known = client.next_sync_committee.as_deref().filter(|_| is_of_same_period);
    let expected = client.network().sync_committee_size();
    let root = match known {
        // The same committee was hashed before.
        Some(known) if known.committee == next.committee => known.root,
        Some(known) => {
            let (got, expected) = (next.committee.hash_tree_root(), known.root);
            return Err(AdvanceError::OtherNextCommittee { got, expected });
        }
        None if next.committee.pubkeys.len() != expected => {
            return Err(AdvanceError::CommitteeSize { got: next.committee.pubkeys.len(), expected });
        }
        None => next.committee.hash_tree_root(),
    };
    let state_root = update.attested_header.beacon.state_root;
    if !normalized_branch_is_valid(root, &next.branch, rules.next_sync_committee, state_root) {
        return Err(AdvanceError::CommitteeBranch);
    }
    Ok(root)
}

/// Returns the fork under whose version the signature holds, and the root that was signed. The version is that of the
/// slot before the signature slot or, if the table may be outdated, that of a later fork.
///
/// Sources serve the same signature with the newest head and with the newest final head. It is checked only once.
fn signature<'a>(
    client: &'a LightClient,
    committee: &ProvenCommittee,
    update: &LightClientUpdate,
    signed_at: Slot,
) -> Result<(&'a ScheduledFork, B256), AdvanceError> {
    let schedule = client.schedule();
    let root = update.attested_header.beacon.hash_tree_root();
    let was_checked = |signing_root: B256| {
        client.signed.as_ref().is_some_and(|newest| {
            newest.signing_root == signing_root
                && newest.by.committee_root == committee.root
                && newest.by.update.sync_aggregate == update.sync_aggregate
        })
    };
    for fork in schedule.candidates(signed_at)? {
        let validators_root = schedule.network.genesis_validators_root();
        let domain = compute_domain(DOMAIN_SYNC_COMMITTEE, fork.version(), validators_root);
        let signing_root = compute_signing_root(root, domain);
        if was_checked(signing_root) {
            return Ok((fork, signing_root));
        }
        match verify(&committee.committee, &update.sync_aggregate, signing_root) {
            Ok(()) => return Ok((fork, signing_root)),
            Err(SignatureError::Mismatch) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(SignatureError::Mismatch.into())
}
