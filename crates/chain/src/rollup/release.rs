//! Published releases of the contracts: which code has which layout.
//!
//! The hashes were computed from the source, as the OP Stack publishes it: Solidity 0.8.15, its settings, and its libraries. The code that
//! creates each contract then had the hash that is published beside the source (`snapshots/semver-lock.json`). `tests/releases/check` does
//! both again. The values that the creator sets (immutable) are part of the code: another value is another code, which is not known.

use alloy_primitives::{B256, b256};

use crate::rollup::obstacle::Contract;
use crate::rollup::profile::GameKind;

/// A published release of a contract, with exactly this code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Release {
    /// keccak256 of the code.
    pub code_hash: B256,
    /// The contract's name in its source.
    pub name: &'static str,
    /// Its version, as the contract says it.
    pub version: &'static str,
    /// The values in its code that the creator sets; empty if there are none.
    pub parameters: &'static str,
    /// Where the source is.
    pub source: &'static str,
    /// The day of that source, as YYYY-MM-DD.
    pub published_on: &'static str,
    pub(crate) layout: Layout,
}

/// What the storage of a release means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    Registry {
        /// In seconds.
        finality_delay: u64,
    },
    Factory,
    Game {
        kind: GameKind,
        /// The types that such games have.
        types: &'static [u32],
    },
    Pause {
        /// The slot of the moments of pauses.
        slot: u64,
    },
}

/// The sources: `packages/contracts-bedrock` in these versions.
const APRIL_2026: (&str, &str) = ("github.com/ethereum-optimism/optimism v1.16.13", "2026-04-16");
const SEPTEMBER_2026: (&str, &str) = ("github.com/ethereum-optimism/optimism v1.19.6", "2026-09-04");
/// The values of the OP Stack's standard configuration (`op-deployer`, `standard.go`).
const STANDARD_GAME: &str = "depth 73, split at 30, clocks of 302400 s, extensions of 10800 s";
const FAULT: GameKind = GameKind::Fault { is_permissioned: false };
const PERMISSIONED: GameKind = GameKind::Fault { is_permissioned: true };

/// All releases that are known.
const RELEASES: [Release; 9] = [
    release(
        b256!("3f54fcc2d17726f6c927da08dec4dbfbecc43a013fd309344ecd2cace85ae36d"),
        ("AnchorStateRegistry", "3.9.0", "a delay of 302400 s"),
        APRIL_2026,
        Layout::Registry { finality_delay: 302_400 },
    ),
    release(
        b256!("5af8d2112a3e0338ed753cc34a4c5d71d04512848f04d76bd6f15a8b378c89a4"),
        ("DisputeGameFactory", "1.6.1", ""),
        APRIL_2026,
        Layout::Factory,
    ),
    release(
        b256!("1292c01fe1ef17c34ee7f4b81a644621ab279863ef6db676de2a892bff7f7ab2"),
        ("FaultDisputeGame", "2.4.1", STANDARD_GAME),
        APRIL_2026,
        Layout::Game { kind: FAULT, types: &[0, 8] },
    ),
    release(
        b256!("ae7c4f3d550d3ce8f5797557b78759b4e7dd014359b3a663ef04f60f2e7ae314"),
        ("FaultDisputeGame", "2.4.2", STANDARD_GAME),
        SEPTEMBER_2026,
        Layout::Game { kind: FAULT, types: &[0, 8] },
    ),
    release(
        b256!("e66c98993efd4ee7555a7c7206f9355ee829111e902ed0f83ae034218492a400"),
        ("PermissionedDisputeGame", "2.4.0", STANDARD_GAME),
        APRIL_2026,
        Layout::Game { kind: PERMISSIONED, types: &[1] },
    ),
    release(
        b256!("68d20d26c79eeaddd1cfeb84f900564ac213911026424541f41fb6e12016fd18"),
        ("SuperFaultDisputeGame", "0.7.1", STANDARD_GAME),
        APRIL_2026,
        Layout::Game { kind: GameKind::SuperFault, types: &[4, 9] },
    ),
    release(
        b256!("a001bf4f37eca0afb87782c343553ea10ae7e8222b8da5b36bc5e1840698539c"),
        ("SuperFaultDisputeGame", "0.8.0", STANDARD_GAME),
        SEPTEMBER_2026,
        Layout::Game { kind: GameKind::SuperFault, types: &[4, 9] },
    ),
    release(
        b256!("955b803d6253862e5981efe229a874b3cc0622a266b4cf6ed2149fb9f7bbad36"),
        ("SuperchainConfig", "2.4.2", ""),
        APRIL_2026,
        Layout::Pause { slot: 1 },
    ),
    release(
        b256!("8456a62e85ecb8661b37b0dfed7e62fa236b7946250af7671bc99f75c31327a5"),
        ("SuperchainConfig", "2.4.3", ""),
        SEPTEMBER_2026,
        Layout::Pause { slot: 1 },
    ),
];

const fn release(
    code_hash: B256,
    (name, version, parameters): (&'static str, &'static str, &'static str),
    (source, published_on): (&'static str, &'static str),
    layout: Layout,
) -> Release {
    Release { code_hash, name, version, parameters, source, published_on, layout }
}

impl Release {
    /// Returns all releases that are known.
    pub fn known() -> &'static [Self] {
        &RELEASES
    }

    /// Returns the release with this code, if it is of that kind of contract.
    pub(crate) fn of(contract: Contract, code_hash: B256) -> Option<&'static Self> {
        RELEASES.iter().find(|release| release.code_hash == code_hash && release.contract() == contract)
    }

    /// Returns which contract of a rollup it is.
    pub fn contract(&self) -> Contract {
        match self.layout {
            Layout::Registry { .. } => Contract::Registry,
            Layout::Factory => Contract::Factory,
            Layout::Game { .. } => Contract::Game,
            Layout::Pause { .. } => Contract::SuperchainConfig,
        }
    }
}
