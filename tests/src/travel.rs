//! Proof files of a drill's chain, and what their readers trust.

use alloy_primitives::{B256, Bytes};
use saldo::proof_files::{
    BalanceProof, Committee, FileError, Form, StateProof, Trust, TrustRoot, VerifiedProofFile, verify,
};
use saldo::{Checkpoint, Holding, Proven, Reading};
use saldo_beacon::LightClientUpdate;
use saldo_drill::Chain;

use crate::scene::Scene;

/// The readings of `holdings`, which must all be proven.
///
/// # Panics
/// If one is not.
#[track_caller]
pub fn proven(scene: &Scene, holdings: &[Holding]) -> Vec<Proven> {
    let readings = scene.simulation.run(scene.client.read(holdings));
    let one = |reading: &Reading| {
        reading.proven().unwrap_or_else(|| panic!("{:?} {:?}", reading.why(), reading.attempts())).clone()
    };
    readings.iter().map(one).collect()
}

/// The file of the present readings of `holdings`.
///
/// # Panics
/// If there is none.
#[track_caller]
pub fn file(scene: &Scene, holdings: &[Holding], form: Form) -> BalanceProof {
    let proven = proven(scene, holdings);
    scene.simulation.run(scene.client.proof(&proven, form)).unwrap_or_else(|error| panic!("{error:?}"))
}

/// A reader who trusts that block of `chain`.
pub fn trusting(chain: &Chain, checkpoint: Checkpoint) -> Trust {
    Trust::new(chain.network(), TrustRoot::Checkpoint(checkpoint))
}

/// A reader who trusts the block from which `file` can be checked.
pub fn reader(chain: &Chain, file: &BalanceProof) -> Trust {
    trusting(chain, file.claimed_checkpoint())
}

/// The root of the committee that the chain's block `root` names for its own period: from the whole committee.
///
/// # Panics
/// If there is no such block.
pub fn committee_root(chain: &Chain, root: B256) -> B256 {
    chain.bootstrap(root).expect("a block of the chain").current_sync_committee.hash_tree_root()
}

/// What `file` proves to a reader who trusts the block from which it can be checked.
///
/// # Errors
/// Those of [`verify`].
pub fn read(chain: &Chain, file: &BalanceProof) -> Result<VerifiedProofFile, FileError> {
    verify(&file.encode(), &reader(chain, file))
}

/// The parts of a file, to put together another.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The chain's network.
    pub network: saldo::Network,
    /// The evidence for the committee.
    pub committee: Committee,
    /// The head.
    pub head: LightClientUpdate,
    /// The headers.
    pub headers: Vec<Bytes>,
    /// The proofs.
    pub state: StateProof,
}

impl Parts {
    /// Takes `file` apart.
    pub fn of(chain: &Chain, file: &BalanceProof) -> Self {
        Self {
            network: chain.network(),
            committee: file.committee().clone(),
            head: file.head().clone(),
            headers: file.headers().to_vec(),
            state: file.state().clone(),
        }
    }

    /// Puts the parts together.
    pub fn file(&self) -> BalanceProof {
        let Self { network, committee, head, headers, state } = self.clone();
        BalanceProof::new(&network, committee, head, headers, state)
    }
}

/// `bytes` with each `old` replaced by `new`, which has the same length. Returns how many there were, too.
///
/// # Panics
/// If the lengths differ.
pub fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> (Vec<u8>, usize) {
    assert_eq!(old.len(), new.len());
    let (mut changed, mut count) = (bytes.to_vec(), 0);
    for at in 0..=bytes.len() - old.len() {
        if bytes[at..].starts_with(old) {
            changed[at..at + new.len()].copy_from_slice(new);
            count += 1;
        }
    }
    (changed, count)
}
