//! What happens in a world with a rollup, as plain data.

/// How many accounts of the rollup are read: two that have coins, and one that does not exist.
pub(super) const ACCOUNTS: u64 = 3;
/// How many providers the rollup has.
pub(super) const PROVIDERS: u64 = 3;

/// How L1 decides about the claims of a world's rollup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Games {
    /// It checks a proof when a claim is made, as on Base.
    ProofChecked,
    /// It counts a claim after days without a challenge, as on OP Mainnet.
    AfterDays,
}

impl Games {
    /// Both.
    pub const ALL: [Self; 2] = [Self::ProofChecked, Self::AfterDays];

    /// Those of a seed's world. One in four lasts for days: it takes longer to run.
    pub fn of(seed: u64) -> Self {
        if seed.checked_rem(4) == Some(3) { Self::AfterDays } else { Self::ProofChecked }
    }
}

/// How a provider of the rollup answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    Honest,
    /// Not at all.
    Hang,
    /// With HTTP status 500.
    Error,
    /// Without proofs.
    NoProofs,
    /// With the proof of another account.
    OtherAccount,
    /// With proofs that end too early.
    Truncated,
    /// That every balance is zero.
    Zero,
    /// Truly, about a branch of the rollup that its sequencer does not build on.
    Branch,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// The app reads these accounts.
    Read(Vec<u64>),
    /// The app watches these accounts for so many seconds.
    Watch(Vec<u64>, u64),
    /// The app starts again, with the storage that it had.
    Restart,
    /// An account of the rollup holds so many wei from the next block on.
    Balance(u64, u64),
    /// A provider of the rollup answers differently from now on.
    Provider(u64, Mood),
    /// The provider and the source of L1 can be reached, or not.
    L1(bool),
    /// L1 passes over its last blocks.
    Reorg(u64),
    /// The rollup's blocks are claimed on L1, or not.
    Claims(bool),
    /// The blocks of the branch are claimed on L1 too, or not.
    FalseClaims(bool),
    /// The guardian takes back the newest claim.
    Blacklist,
    /// A proof shows that the newest claim is false.
    Refute,
    /// The guardian retires all claims that were made.
    Retire,
    /// The guardian pauses the rollup's system, or goes on.
    Pause(bool),
    /// The sequencer makes blocks, or not.
    Sequencer(bool),
}

/// Everything that a run follows from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Makes the keys and the times that answers take.
    pub seed: u64,
    /// How L1 decides about claims.
    pub games: Games,
    /// How many operators are asked about an address.
    pub operators: u64,
    /// Whether there is a branch of the rollup that its sequencer does not build on.
    pub has_branch: bool,
    /// Whether false claims are challenged, where claims can be.
    pub has_challenger: bool,
    /// Whether the registry is anchored to the claims that count after days. Some registries are not, for weeks.
    pub is_anchored: bool,
    /// What happens, each with the seconds that pass before.
    pub acts: Vec<(u64, Act)>,
}
