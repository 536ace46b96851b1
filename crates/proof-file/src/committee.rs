//! The evidence that a sync committee signed the head.

use saldo_beacon::container::{BeaconBlockHeader, CondensedCommittee, PublicKeyBytes};
use saldo_beacon::decode::{self, Encoding};
use saldo_beacon::encode::{self, Writer};
use saldo_beacon::unit::Slot;
use saldo_beacon::{CommitteeField, CommitteeProof, LightClientBootstrap, LightClientUpdate, Network};

use crate::error::FileError;
use crate::limit::{MAX_BRANCH, MAX_BYTES, MAX_MEMBERS, MAX_UPDATES};
use crate::ssz::{Container, fixed_list, list, roots, write_list};

/// How a file shows that a sync committee signed the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committee {
    /// From a checkpoint on: the checkpoint's committee with all its keys, and an update for each later period.
    Complete {
        /// The bootstrap of the checkpoint.
        bootstrap: Box<LightClientBootstrap>,
        /// An update for each period from the checkpoint's on, before that of the head's signature.
        updates: Vec<LightClientUpdate>,
    },
    /// So much of the committee as the signature needs.
    Compact(Box<CommitteeProof>),
}

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// From a checkpoint that the reader trusts, of this period or an earlier one.
    Complete,
    /// For a reader who trusts the committee that signed, or the block whose state names it.
    Compact,
}

impl Form {
    /// Returns a stable name, in snake case.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Compact => "compact",
        }
    }
}

/// Selectors of the two unions.
const COMPLETE: u8 = 0;
const COMPACT: u8 = 1;
const OPTIMISTIC: u8 = 0;
const FINALITY: u8 = 1;

impl Committee {
    pub(crate) const fn form(&self) -> Form {
        match self {
            Self::Complete { .. } => Form::Complete,
            Self::Compact(_) => Form::Compact,
        }
    }

    /// Returns the same with the slots of signatures that a file has.
    pub(crate) fn canonical(self, network: &Network) -> Self {
        match self {
            Self::Complete { bootstrap, updates } => {
                let updates = updates.into_iter().map(|update| canonical(network, update)).collect();
                Self::Complete { bootstrap, updates }
            }
            compact @ Self::Compact(_) => compact,
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        let selector = match self {
            Self::Complete { bootstrap, updates } => {
                writer.variable(encode::bootstrap(bootstrap));
                writer.variable(write_list(updates.iter().map(encode::update)));
                COMPLETE
            }
            Self::Compact(proof) => {
                encode::beacon_header(&mut writer, &proof.named_by);
                writer.fixed(&[match proof.field {
                    CommitteeField::Current => 0,
                    CommitteeField::Next => 1,
                }]);
                writer.fixed(proof.committee.aggregate_pubkey.as_slice());
                writer.variable(proof.branch.concat_bytes());
                writer.variable(proof.committee.absent.concat_bytes());
                writer.variable(proof.committee.siblings.concat_bytes());
                COMPACT
            }
        };
        [vec![selector], writer.finish()].concat()
    }

    pub(crate) fn decode(bytes: &[u8], network: &Network) -> Result<Self, FileError> {
        match bytes.split_first() {
            Some((&COMPLETE, bytes)) => complete(bytes, network),
            Some((&COMPACT, bytes)) => compact(bytes),
            _ => Err(FileError::Malformed { what: "the committee" }),
        }
    }
}

fn complete(bytes: &[u8], network: &Network) -> Result<Committee, FileError> {
    let mut container = Container::new("the committee", bytes);
    (0..2).try_for_each(|_| container.offset())?;
    let [bootstrap, updates] = container.parts()?;
    let bootstrap = Box::new(decode::bootstrap(bootstrap, Encoding::Ssz, None, network)?);
    let updates = list("the updates", updates, MAX_UPDATES, MAX_BYTES)?;
    let update = |bytes| decode::update(bytes, Encoding::Ssz, None, network);
    Ok(Committee::Complete { bootstrap, updates: updates.into_iter().map(update).collect::<Result<_, _>>()? })
}

fn compact(bytes: &[u8]) -> Result<Committee, FileError> {
    let mut container = Container::new("the committee", bytes);
    let named_by = BeaconBlockHeader {
        slot: Slot::new(container.uint64()?),
        proposer_index: container.uint64()?,
        parent_root: container.fixed()?,
        state_root: container.fixed()?,
        body_root: container.fixed()?,
    };
    let field = match container.uint8()? {
        0 => CommitteeField::Current,
        1 => CommitteeField::Next,
        _ => return Err(FileError::Malformed { what: "the committee" }),
    };
    let aggregate_pubkey = container.fixed()?;
    (0..3).try_for_each(|_| container.offset())?;
    let [branch, absent, siblings] = container.parts()?;
    let branch = roots("the branch of the committee", branch, MAX_BRANCH)?;
    let absent = fixed_list::<48>("the absent members", absent, MAX_MEMBERS)?;
    let committee = CondensedCommittee {
        aggregate_pubkey,
        absent: absent.iter().map(PublicKeyBytes::from).collect(),
        siblings: roots("the roots beside absent members", siblings, MAX_MEMBERS)?,
    };
    Ok(Committee::Compact(Box::new(CommitteeProof { committee, named_by, field, branch })))
}

/// Returns the update with the first slot in which the same committee could have made its signature under the same fork version.
/// No signature covers that slot, so a file could have any; this is the only one that it may have.
pub(crate) fn canonical(network: &Network, update: LightClientUpdate) -> LightClientUpdate {
    let slot = update.signature_slot;
    let version = network.fork_version_at(slot.saturating_sub(1));
    let fork = network.forks().iter().find(|fork| fork.version() == version);
    let fork_start = fork
        .and_then(|fork| fork.epoch())
        .map_or(0, |epoch| epoch.get().saturating_mul(network.slots_per_epoch()).saturating_add(1));
    let period_start = network.period_start(network.period_at(slot));
    let first = update.attested_slot().saturating_add(1);
    let signature_slot = first.max(period_start).max(Slot::new(fork_start));
    LightClientUpdate { signature_slot, ..update }
}

/// Writes the head: with a finalized header as a finality update, else as an optimistic update.
pub(crate) fn encode_head(head: &LightClientUpdate) -> Vec<u8> {
    let selector = if head.finality.is_some() { FINALITY } else { OPTIMISTIC };
    [vec![selector], encode::update(head)].concat()
}

pub(crate) fn decode_head(bytes: &[u8], network: &Network) -> Result<LightClientUpdate, FileError> {
    match bytes.split_first() {
        Some((&OPTIMISTIC, bytes)) => Ok(decode::optimistic_update(bytes, Encoding::Ssz, None, network)?),
        Some((&FINALITY, bytes)) => Ok(decode::finality_update(bytes, Encoding::Ssz, None, network)?),
        _ => Err(FileError::Malformed { what: "the head" }),
    }
}

trait ConcatBytes {
    fn concat_bytes(&self) -> Vec<u8>;
}

impl<T: AsRef<[u8]>> ConcatBytes for Vec<T> {
    fn concat_bytes(&self) -> Vec<u8> {
        self.iter().flat_map(|part| part.as_ref()).copied().collect()
    }
}
