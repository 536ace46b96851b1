//! Checks a file.

use saldo_beacon::unit::Slot;
use saldo_beacon::{
    Checkpoint, CommitteeProof, CommitteeTrust, Execution, LightClient, LightClientBootstrap,
    LightClientUpdate, Network,
};

use crate::amount::amounts;
use crate::block::Block;
use crate::committee::Committee;
use crate::error::FileError;
use crate::file::BalanceProof;
use crate::trust::{RestsOn, Trust, TrustRoot};
use crate::verified::VerifiedProofFile;

/// Verifies the bytes of a file for a reader who trusts `trust`.
///
/// It knows no time: an old file verifies as a new one does. The reader judges the age, from
/// [`VerifiedProofFile::time`].
///
/// # Errors
/// [`FileError`] if the bytes are not a file, or do not prove what they claim to this reader.
pub fn verify(bytes: &[u8], trust: &Trust) -> Result<VerifiedProofFile, FileError> {
    let network = trust.network();
    let file = BalanceProof::decode(bytes, network)?;
    let (rests_on, (slot, execution)) = match (file.committee(), trust.root()) {
        (Committee::Complete { bootstrap, updates }, TrustRoot::Checkpoint(checkpoint)) => {
            follow(trust, checkpoint, bootstrap, updates, file.head())?
        }
        (Committee::Complete { .. }, TrustRoot::Committee { .. }) => return Err(FileError::NeedsCheckpoint),
        (Committee::Compact(proof), root) => check(network, proof, file.head(), root)?,
    };
    let (block, depth) = Block::of(&file, (slot, &execution), network)?;
    let holdings = amounts(file.state(), &block, network)?;
    Ok(VerifiedProofFile::new(&file, rests_on, &block, depth, holdings))
}

/// The slot of a verified block, and what the block says about the execution chain.
type Told = (Slot, Execution);

/// Follows the chain from the checkpoint to the head, as a wallet does.
fn follow(
    trust: &Trust,
    checkpoint: Checkpoint,
    bootstrap: &LightClientBootstrap,
    updates: &[LightClientUpdate],
    head: &LightClientUpdate,
) -> Result<(RestsOn, Told), FileError> {
    let network = trust.network();
    // The light client asks whether the checkpoint was too old when the head was signed, not whether it is today.
    let signed_at = network.slot_start(head.signature_slot);
    let slot = bootstrap.header.beacon.slot;
    let mut client =
        LightClient::bootstrap(trust.shared_network(), checkpoint, bootstrap.clone(), signed_at)?;
    for (place, update) in updates.iter().enumerate() {
        if !client.advance(update.clone(), signed_at)?.next_committee {
            return Err(FileError::UselessUpdate { place });
        }
    }
    client.advance(head.clone(), signed_at)?;
    // What the light client holds was checked, also where the file's own copy was not.
    let told = match &head.finality {
        Some(part) => {
            let final_head = client.finalized_head();
            let root = part.header.as_ref().map(|header| header.beacon.hash_tree_root());
            (root == Some(final_head.beacon_root()))
                .then(|| (final_head.slot(), final_head.execution().clone()))
        }
        None => {
            let root = head.attested_header.beacon.hash_tree_root();
            let signed = client.signed_head().filter(|signed| signed.beacon_root() == root);
            signed.map(|signed| (signed.slot(), signed.execution().clone()))
        }
    };
    let period = |slot| network.period_at(slot);
    let (from, to) = (period(slot), period(head.signature_slot));
    Ok((RestsOn::Checkpoint { root: checkpoint.root, slot, from, to }, told.ok_or(FileError::OlderHead)?))
}

/// Checks one signature by what the reader knows of its committee.
fn check(
    network: &Network,
    proof: &CommitteeProof,
    head: &LightClientUpdate,
    root: TrustRoot,
) -> Result<(RestsOn, Told), FileError> {
    let claimed = network.period_at(head.signature_slot);
    let trust = match root {
        TrustRoot::Checkpoint(checkpoint) => CommitteeTrust::Block(checkpoint),
        TrustRoot::Committee { root, period } => {
            CommitteeTrust::Committee { root, period: period.unwrap_or(claimed) }
        }
    };
    let heads = proof.verify(network, head, &trust)?;
    let (slot, period) = (proof.named_by.slot, heads.period);
    let told = match (&head.finality, heads.finalized) {
        (None, _) => Some((heads.signed.slot(), heads.signed.execution().clone())),
        (Some(_), finalized) => finalized.map(|head| (head.slot(), head.execution().clone())),
    };
    let rests_on = match root {
        TrustRoot::Checkpoint(_) => {
            RestsOn::Checkpoint { root: heads.named_by, slot, from: period, to: period }
        }
        TrustRoot::Committee { root, .. } => RestsOn::Committee { root, period },
    };
    Ok((rests_on, told.ok_or(FileError::OlderHead)?))
}
