//! A rollup as data: its contracts on L1, the codes whose storage is understood, and its clock.

mod built_in;
mod file;
mod pinned;

use alloy_primitives::{Address, B256};
use saldo_beacon::unit::UnixTime;

pub use file::ProfileError;

/// A rollup of the OP Stack.
///
/// Built in ([`Profile::built_in`]) or read from TOML ([`Profile::from_toml`]). No code depends on its name. What is not known is said
/// as `unknown` in the file, and lowers what can be said about the rollup; it is never guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    name: String,
    chain_id: u64,
    l1_chain_id: u64,
    read_on: String,
    registry: Address,
    system_config: Option<Address>,
    superchain_config: Option<Address>,
    pause_identifier: Option<Address>,
    genesis: Option<(u64, UnixTime)>,
    block_time: Option<u64>,
    proxy_codes: Vec<B256>,
    registry_codes: Vec<RegistryCode>,
    factory_codes: Vec<B256>,
    game_codes: Vec<GameCode>,
    pause_codes: Vec<(B256, u64)>,
}

/// Code of a registry with the slots of the versions 3.5 to 3.9.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistryCode {
    /// keccak256 of the code.
    pub code_hash: B256,
    /// How many seconds after a game ended its claim is valid. It is part of the code.
    pub finality_delay: u64,
}

/// Code of games, and the type of the games that run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GameCode {
    /// keccak256 of the code.
    pub code_hash: B256,
    /// The type of the games.
    pub game_type: u32,
    /// What the code does.
    pub kind: GameKind,
}

/// What the code of a game does: where its slots are, and what its claim is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GameKind {
    /// `FaultDisputeGame` and `PermissionedDisputeGame` 2.x: a claim about one block that can be challenged for days.
    Fault {
        /// Whether only named parties may propose and challenge.
        is_permissioned: bool,
    },
    /// `SuperFaultDisputeGame`: the same about the blocks of several rollups at one moment.
    SuperFault,
    /// `AggregateVerifier` of Base: L1 checks a proof when the game is created. Registry and rollup are part of its code.
    Multiproof {
        /// How many blocks a game is about.
        interval: u64,
        /// How many blocks lie between two of its roots.
        step: u64,
    },
}

impl Profile {
    /// Returns the rollup's name, for people only.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the rollup's chain id (EIP-155).
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Returns the chain id of the chain that its contracts are on.
    pub fn l1_chain_id(&self) -> u64 {
        self.l1_chain_id
    }

    /// Returns the day on which the values were read, as YYYY-MM-DD. Contracts are upgraded.
    pub fn read_on(&self) -> &str {
        &self.read_on
    }

    /// Returns the address of the registry's proxy. The factory is read from the registry.
    pub fn registry(&self) -> Address {
        self.registry
    }

    /// Returns the address of the contract that names the sequencer's key; `None` if it is unknown.
    pub fn system_config(&self) -> Option<Address> {
        self.system_config
    }

    /// Returns the address of the contract that can pause the rollup; `None` if it is unknown.
    pub fn superchain_config(&self) -> Option<Address> {
        self.superchain_config
    }

    /// Returns the address under which that contract keeps this rollup's pause; `None` if it is unknown.
    pub fn pause_identifier(&self) -> Option<Address> {
        self.pause_identifier
    }

    /// Returns the seconds between two blocks; `None` if they are unknown.
    pub fn block_time(&self) -> Option<u64> {
        self.block_time
    }

    /// Returns the number and the time of the rollup's first block; `None` if they are unknown.
    pub fn genesis(&self) -> Option<(u64, UnixTime)> {
        self.genesis
    }

    /// Returns the number of the newest block at a moment, if every block is on time; `None` if first block or block time are unknown,
    /// or before the first block. It helps to find a header; nothing rests on it.
    pub fn block_at(&self, time: UnixTime) -> Option<u64> {
        let (number, start) = self.genesis?;
        let elapsed = time.as_secs().checked_sub(start.as_secs())?;
        number.checked_add(elapsed.checked_div(self.block_time?)?)
    }

    /// Returns the known codes of registries.
    pub fn registry_codes(&self) -> &[RegistryCode] {
        &self.registry_codes
    }

    /// Returns the known codes of games.
    pub fn game_codes(&self) -> &[GameCode] {
        &self.game_codes
    }

    /// Returns whether the codes of registry, factory and games are known at all. Without them nothing of the rollup can be proven.
    pub fn is_pinned(&self) -> bool {
        !self.registry_codes.is_empty() && !self.factory_codes.is_empty() && !self.game_codes.is_empty()
    }

    pub(crate) fn is_proxy(&self, code_hash: B256) -> bool {
        self.proxy_codes.contains(&code_hash)
    }

    pub(crate) fn registry_code(&self, code_hash: B256) -> Option<RegistryCode> {
        self.registry_codes.iter().find(|code| code.code_hash == code_hash).copied()
    }

    pub(crate) fn is_factory_code(&self, code_hash: B256) -> bool {
        self.factory_codes.contains(&code_hash)
    }

    pub(crate) fn game_codes_of(&self, code_hash: B256) -> impl Iterator<Item = &GameCode> + Clone {
        self.game_codes.iter().filter(move |code| code.code_hash == code_hash)
    }

    pub(crate) fn pause_slots(&self) -> impl Iterator<Item = u64> {
        self.pause_codes.iter().map(|(_, slot)| *slot)
    }

    /// Returns the slot of the moments of pauses in the contract that pauses, if its code is known.
    pub(crate) fn pause_slot(&self, code_hash: B256) -> Option<u64> {
        self.pause_codes.iter().find(|(known, _)| *known == code_hash).map(|(_, slot)| *slot)
    }
}
