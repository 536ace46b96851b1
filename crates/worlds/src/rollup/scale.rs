//! How large a world with a rollup is: it lasts hours where L1 checks a proof of each claim, and days where a claim counts after days.

use std::time::Duration;

use saldo::{Level, Policy};
use saldo_drill::{Preset, RollupKind};

use super::script::Games;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The sizes of a world.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) kind: RollupKind,
    /// The sizes of L1.
    pub(super) preset: Preset,
    /// Every how many slots L1 has a block.
    pub(super) pace: u64,
    /// Seconds between two blocks of the rollup. They are more than two, so that a long time passes soon.
    pub(super) block_time: u64,
    /// How many blocks the rollup has at first.
    pub(super) history: u64,
    /// How many blocks a claim is about.
    pub(super) interval: u64,
    /// How often it is looked whether a claim is due, in seconds.
    pub(super) look: u64,
    /// How old an amount may be that is shown as the present one, in seconds: what the policy says, and a minute for the call.
    pub(super) longest_age: u64,
}

impl Scale {
    /// How long a claim can be challenged, and how long the registry waits after that, in seconds. Both are part of the contracts' code.
    pub(super) const CLOCK: u64 = 302_400;

    pub(super) fn of(games: Games) -> Self {
        match games {
            Games::ProofChecked => Self {
                // As on Base: twenty minutes of the rollup.
                kind: RollupKind::Multiproof { interval: 100, step: 10 },
                preset: Preset::Minimal,
                pace: 1,
                block_time: 12,
                history: 120,
                interval: 100,
                look: MINUTE,
                longest_age: 3 * HOUR + MINUTE,
            },
            Games::AfterDays => Self {
                kind: RollupKind::Fault,
                preset: Preset::Development,
                pace: 50,
                block_time: MINUTE,
                history: 10,
                interval: 180,
                look: 10 * MINUTE,
                longest_age: 8 * DAY + MINUTE,
            },
        }
    }

    /// What the wallet asks of the rollup.
    pub(super) fn policy(&self, operators: usize) -> Policy {
        match self.kind {
            RollupKind::Multiproof { .. } => Policy::rollup(),
            RollupKind::Fault => Policy {
                assurance: Level::L1Finalized,
                max_age: Duration::from_secs(8 * DAY),
                operators_per_address: operators,
                ..Policy::rollup()
            },
        }
    }
}
