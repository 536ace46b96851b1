//! A signed head with so much of its committee as its signature needs: for a reader who trusts the committee's root, or the
//! block whose state names the committee.
//!
//! A light client needs the whole committee, 25 KB on mainnet, because it goes on to the next period. A proof in a
//! file needs only what one signature needs, which is a fifth of that.

use alloy_primitives::B256;

use super::committee::{Place, ProvenCommittee};
use super::contradiction::{SignedUpdate, Testimony};
use super::error::AdvanceError;
use super::schedule::Schedule;
use super::state::LightClient;
use super::verify;
use crate::checkpoint::Checkpoint;
use crate::container::{BeaconBlockHeader, CondensedCommittee};
use crate::fork::UnknownFork;
use crate::head::{Finality, FinalizedHead, SignedHead};
use crate::merkle::normalized_branch_is_valid;
use crate::network::Network;
use crate::signature::{
    DOMAIN_SYNC_COMMITTEE, SignatureError, compute_domain, compute_signing_root, verify_condensed,
};
use crate::unit::Period;
use crate::update::LightClientUpdate;

/// So much of a sync committee as one signature needs, and the block whose state names the committee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitteeProof {
    /// The committee.
    pub committee: CondensedCommittee,
    /// The block whose state names it.
    pub named_by: BeaconBlockHeader,
    /// The field of that state.
    pub field: CommitteeField,
    /// Proof of the committee's root under that state.
    pub branch: Vec<B256>,
}

/// The field of a beacon state that holds a committee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitteeField {
    /// `current_sync_committee`: the committee of the block's own period.
    Current,
    /// `next_sync_committee`: the committee of the period after it.
    Next,
}

/// What a reader of a [`CommitteeProof`] must know already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommitteeTrust {
    /// The beacon block whose state names the committee.
    Block(Checkpoint),
    /// The hash tree root of the committee of this period.
    Committee {
        /// The period in which the committee signs.
        period: Period,
        /// Its hash tree root.
        root: B256,
    },
}

/// What one signature shows to a reader who trusts its committee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CondensedHeads {
    /// The head that was signed.
    pub signed: SignedHead,
    /// The final head under it, if the update has one.
    pub finalized: Option<FinalizedHead>,
    /// The period of the committee.
    pub period: Period,
    /// The hash tree root of the committee.
    pub committee_root: B256,
    /// The root of the block whose state names the committee.
    pub named_by: B256,
}

/// Why a condensed proof of a signature was refused. The fault of the party that made it, unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CondensedError {
    /// The update itself is refused.
    #[error(transparent)]
    Update(#[from] AdvanceError),
    /// The absent members, or the roots beside them, are not those that the participation bits name.
    #[error("the absent members of the committee do not fit the participation bits")]
    Members,
    /// The committee is another one than the reader trusts, or a key of an absent member is false.
    #[error("the committee has the root {got}, expected {expected}")]
    OtherCommittee {
        /// The root of the proof's committee.
        got: B256,
        /// The root that the reader trusts.
        expected: B256,
    },
    /// The committee is named by another block than the reader trusts.
    #[error("the committee is named by the block {got}, expected {expected}")]
    OtherBlock {
        /// The block of the proof.
        got: B256,
        /// The block that the reader trusts.
        expected: B256,
    },
    /// The head was signed in another period than that of the committee.
    #[error("the head was signed in period {got}, the committee is of period {expected}")]
    OtherPeriod {
        /// The period of the signature.
        got: Period,
        /// The period of the committee.
        expected: Period,
    },
    /// The branch does not prove the committee under the block's state.
    #[error("the branch does not prove the committee under the state of the block that names it")]
    CommitteeBranch,
}

impl From<UnknownFork> for CondensedError {
    fn from(fork: UnknownFork) -> Self {
        Self::Update(fork.into())
    }
}

impl From<SignatureError> for CondensedError {
    fn from(error: SignatureError) -> Self {
        Self::Update(error.into())
    }
}

impl From<Place> for CommitteeField {
    fn from(place: Place) -> Self {
        match place {
            Place::Current => Self::Current,
            Place::Next => Self::Next,
        }
    }
}

impl LightClient {
    /// Returns the update that shows the newest signed head.
    pub fn signed_update(&self) -> Option<&SignedUpdate> {
        self.signed.as_ref().map(|signed| &*signed.by)
    }

    /// Returns the update that shows the final head; `None` if that is the checkpoint.
    pub fn finalized_update(&self) -> Option<&SignedUpdate> {
        match &self.finalized_by {
            Testimony::Signed(signed) => Some(signed),
            Testimony::Checkpoint(_) => None,
        }
    }

    /// Returns so much of the committee that signed `update` as its signature needs; `None` if the client no longer knows that
    /// committee.
    pub fn committee_proof(&self, update: &SignedUpdate) -> Option<CommitteeProof> {
        let known = [Some(&self.current_sync_committee), self.next_sync_committee.as_ref()];
        let of_update = |known: &&std::sync::Arc<ProvenCommittee>| known.root == update.committee_root;
        let known = known.into_iter().flatten().find(of_update)?;
        Some(CommitteeProof {
            committee: CondensedCommittee::of(&known.committee, &update.update.sync_aggregate),
            named_by: known.header,
            field: known.place.into(),
            branch: known.branch.clone(),
        })
    }
}

impl CommitteeProof {
    /// Verifies the signature of `update` for a reader who trusts `trust`.
    ///
    /// It takes no time: an old signature holds as a new one does. The forks are those of the network's table.
    ///
    /// # Errors
    /// [`CondensedError`] if anything does not hold.
    pub fn verify(
        &self,
        network: &Network,
        update: &LightClientUpdate,
        trust: &CommitteeTrust,
    ) -> Result<CondensedHeads, CondensedError> {
        let schedule = Schedule { network, verified: &[] };
        verify::stored(schedule, update)?;
        let root = self.committee.hash_tree_root(&update.sync_aggregate).ok_or(CondensedError::Members)?;
        let named_by = self.named_by.hash_tree_root();
        let named_in = network.period_at(self.named_by.slot);
        let period = match self.field {
            CommitteeField::Current => named_in,
            CommitteeField::Next => named_in.saturating_add(1),
        };
        self.check_trust(trust, root, named_by, period)?;
        let rules = network.fork_at(self.named_by.slot)?.rules();
        let gindex = match self.field {
            CommitteeField::Current => rules.current_sync_committee,
            CommitteeField::Next => rules.next_sync_committee,
        };
        if !normalized_branch_is_valid(root, &self.branch, gindex, self.named_by.state_root) {
            return Err(CondensedError::CommitteeBranch);
        }
        let got = network.period_at(update.signature_slot);
        if got != period {
            return Err(CondensedError::OtherPeriod { got, expected: period });
        }
        self.check_signature(network, update)?;
        let (signers, size) = (update.sync_aggregate.signers(), update.sync_aggregate.size);
        let finality = Finality::Signed { signers, size };
        Ok(CondensedHeads {
            signed: SignedHead::new(&update.attested_header, signers, size, update.signature_slot),
            finalized: update.finalized_header().map(|header| FinalizedHead::new(header, finality)),
            period,
            committee_root: root,
            named_by,
        })
    }

    fn check_trust(
        &self,
        trust: &CommitteeTrust,
        root: B256,
        named_by: B256,
        period: Period,
    ) -> Result<(), CondensedError> {
        match *trust {
            CommitteeTrust::Block(checkpoint) => {
                let is_at = |slot| slot == self.named_by.slot;
                if named_by != checkpoint.root || !checkpoint.slot.is_none_or(is_at) {
                    return Err(CondensedError::OtherBlock { got: named_by, expected: checkpoint.root });
                }
            }
            CommitteeTrust::Committee { root: expected, .. } if root != expected => {
                return Err(CondensedError::OtherCommittee { got: root, expected });
            }
            CommitteeTrust::Committee { period: expected, .. } if period != expected => {
                return Err(CondensedError::OtherPeriod { got: period, expected });
            }
            CommitteeTrust::Committee { .. } => {}
        }
        Ok(())
    }

    fn check_signature(&self, network: &Network, update: &LightClientUpdate) -> Result<(), SignatureError> {
        let version = network.fork_version_at(update.signature_slot.saturating_sub(1));
        let domain = compute_domain(DOMAIN_SYNC_COMMITTEE, version, network.genesis_validators_root());
        let root = compute_signing_root(update.attested_header.beacon.hash_tree_root(), domain);
        verify_condensed(&self.committee, &update.sync_aggregate, root)
    }
}
