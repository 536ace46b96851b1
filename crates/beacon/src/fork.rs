//! The forks of the consensus layer, and a table of what each changed for light clients.

use core::fmt;
use core::str::FromStr;

/// A fork of the consensus layer that this version of saldo knows by name.
///
/// Ordered: a later fork is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fork {
    /// The first fork with sync committees.
    Altair,
    /// The merge.
    Bellatrix,
    /// Withdrawals; light-client headers gain the execution header.
    Capella,
    /// Blobs; the execution header gains two fields.
    Deneb,
    /// A larger beacon state; every state proof is one level deeper.
    Electra,
    /// Peer sampling of blobs; nothing changes for light clients.
    Fulu,
    /// Execution payloads separate from blocks; headers carry only an execution block hash.
    Gloas,
}

/// How a light-client header is laid out on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderLayout {
    /// The beacon block header alone.
    Beacon,
    /// With an execution payload header of 15 fields.
    Execution15,
    /// With an execution payload header of 17 fields: `blob_gas_used` and `excess_blob_gas` were added.
    Execution17,
    /// With the hash of the parent execution block only.
    ExecutionHash,
}

/// What a fork means for light clients.
///
/// The indices are generalized indices: the first three into the beacon state, the others into the block body.
/// Source: consensus-specs `specs/{altair,capella,electra,gloas}/light-client/sync-protocol.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForkRules {
    /// Index of `finalized_checkpoint.root`.
    pub finalized_root: u64,
    /// Index of `current_sync_committee`.
    pub current_sync_committee: u64,
    /// Index of `next_sync_committee`.
    pub next_sync_committee: u64,
    /// Index of the execution part of a header of this fork; `None` where it has none.
    pub execution: Option<u64>,
    /// Index of the hash of the execution block, for headers that an object of Gloas holds by that hash alone.
    pub execution_block_hash: Option<u64>,
    /// How headers are laid out.
    pub layout: HeaderLayout,
}

const ALTAIR: ForkRules = ForkRules {
    finalized_root: 105,
    current_sync_committee: 54,
    next_sync_committee: 55,
    execution: None,
    execution_block_hash: None,
    layout: HeaderLayout::Beacon,
};
const CAPELLA: ForkRules = ForkRules {
    execution: Some(25),
    execution_block_hash: Some(412),
    layout: HeaderLayout::Execution15,
    ..ALTAIR
};
const DENEB: ForkRules =
    ForkRules { execution_block_hash: Some(812), layout: HeaderLayout::Execution17, ..CAPELLA };
const ELECTRA: ForkRules =
    ForkRules { finalized_root: 169, current_sync_committee: 86, next_sync_committee: 87, ..DENEB };
const GLOAS: ForkRules = ForkRules {
    finalized_root: 735,
    current_sync_committee: 2945,
    next_sync_committee: 2946,
    execution: Some(2856),
    execution_block_hash: Some(2856),
    layout: HeaderLayout::ExecutionHash,
};

impl Fork {
    /// All known forks, oldest first.
    pub const ALL: [Self; 7] =
        [Self::Altair, Self::Bellatrix, Self::Capella, Self::Deneb, Self::Electra, Self::Fulu, Self::Gloas];

    /// Returns the lower-case name, as in `Eth-Consensus-Version`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Altair => "altair",
            Self::Bellatrix => "bellatrix",
            Self::Capella => "capella",
            Self::Deneb => "deneb",
            Self::Electra => "electra",
            Self::Fulu => "fulu",
            Self::Gloas => "gloas",
        }
    }

    /// Returns the fork of that name in any letter case, or `None` if it is unknown.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fork| fork.name().eq_ignore_ascii_case(name))
    }

    /// Returns the fork's row of the table.
    pub const fn rules(self) -> &'static ForkRules {
        match self {
            Self::Altair | Self::Bellatrix => &ALTAIR,
            Self::Capella => &CAPELLA,
            Self::Deneb => &DENEB,
            Self::Electra | Self::Fulu => &ELECTRA,
            Self::Gloas => &GLOAS,
        }
    }
}

impl fmt::Display for Fork {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Fork {
    type Err = UnknownFork;

    fn from_str(name: &str) -> Result<Self, UnknownFork> {
        Self::from_name(name).ok_or_else(|| UnknownFork::named(name))
    }
}

/// Data of a fork that this version of saldo, or its network table, cannot read.
///
/// No party is at fault: a newer version of saldo or a newer [`Network`](crate::Network) is needed. The error must not
/// count against a source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown fork `{name}`: a newer saldo or network table is needed")]
pub struct UnknownFork {
    name: String,
}

impl UnknownFork {
    /// The longest name that is kept, in characters: it may come from outside.
    const MAX_NAME: usize = 32;

    /// Makes the error from text that names the fork: its name, its version or its digest.
    pub fn named(name: &str) -> Self {
        Self { name: name.chars().filter(|letter| !letter.is_control()).take(Self::MAX_NAME).collect() }
    }

    /// Returns the text that names the fork.
    pub fn name(&self) -> &str {
        &self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for fork in Fork::ALL {
            assert_eq!(Fork::from_name(fork.name()), Some(fork));
            assert_eq!(fork.name().to_uppercase().parse(), Ok(fork));
        }
        assert_eq!(Fork::Electra.name(), "electra");
        assert_eq!("heze".parse::<Fork>(), Err(UnknownFork::named("heze")));
    }

    /// Source: the constants of consensus-specs `specs/{altair,capella,electra,gloas}/light-client/sync-protocol.md`.
    #[test]
    fn the_table_has_the_constants_of_the_specification() {
        use HeaderLayout::{Beacon, Execution15, Execution17, ExecutionHash};
        let rows = [
            (Fork::Altair, [105, 54, 55], None, None, Beacon),
            (Fork::Bellatrix, [105, 54, 55], None, None, Beacon),
            (Fork::Capella, [105, 54, 55], Some(25), Some(412), Execution15),
            (Fork::Deneb, [105, 54, 55], Some(25), Some(812), Execution17),
            (Fork::Electra, [169, 86, 87], Some(25), Some(812), Execution17),
            (Fork::Fulu, [169, 86, 87], Some(25), Some(812), Execution17),
            (Fork::Gloas, [735, 2945, 2946], Some(2856), Some(2856), ExecutionHash),
        ];
        assert_eq!(rows.map(|(fork, ..)| fork), Fork::ALL);
        for (fork, state, execution, execution_block_hash, layout) in rows {
            let [finalized_root, current_sync_committee, next_sync_committee] = state;
            let expected = ForkRules {
                finalized_root,
                current_sync_committee,
                next_sync_committee,
                execution,
                execution_block_hash,
                layout,
            };
            assert_eq!(*fork.rules(), expected, "{fork}");
        }
    }

    #[test]
    fn the_name_of_an_unknown_fork_is_bounded() {
        assert_eq!(UnknownFork::named(&"x\n".repeat(1000)).name(), "x".repeat(32));
    }
}
