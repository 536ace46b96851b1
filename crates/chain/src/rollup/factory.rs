//! The factory: all games (`DisputeGameFactory` of the OP Stack).

use alloy_primitives::{Address, B256, U256, keccak256};

use crate::rollup::claim::GameClaim;
use crate::rollup::l1::slot;
use crate::rollup::obstacle::{Contract, Obstacle, Refusal};
use crate::rollup::proxy::code_of;
use crate::rollup::registry::{Registry, mapped};
use crate::rollup::word::Word;

/// The slots of the versions 1.3 to 1.6.
mod place {
    pub(super) const IMPLEMENTATIONS: u64 = 101;
    pub(super) const GAMES: u64 = 103;
    pub(super) const LIST: u64 = 104;
}

/// The factory that a registry names, with code that the profile knows.
#[derive(Clone, Copy, Debug)]
pub struct Factory<'a> {
    registry: Registry<'a>,
    address: Address,
}

/// What the factory holds of a game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GameId {
    game_type: u32,
    created_at: u64,
    address: Address,
}

impl<'a> Registry<'a> {
    /// Reads the factory that the registry names.
    ///
    /// # Errors
    /// [`Obstacle`] if something is not proven yet, or the factory has unknown code.
    pub fn factory(self) -> Result<Factory<'a>, Obstacle> {
        let address = self.factory_address();
        let code = code_of(self.l1(), Contract::Factory, address)?;
        if !self.l1().profile().is_factory_code(code.code_hash) {
            return Err(Refusal::UnknownCode { contract: Contract::Factory, got: code.code_hash }.into());
        }
        Ok(Factory { registry: self, address })
    }
}

impl GameId {
    pub(crate) fn read(word: Word) -> Option<Self> {
        let id = Self { game_type: word.u32(28), created_at: word.u64(20), address: word.address(0) };
        (!id.address.is_zero()).then_some(id)
    }

    /// Returns the game's type.
    pub fn game_type(&self) -> u32 {
        self.game_type
    }

    /// Returns when it was created, in seconds since 1970.
    pub fn created_at(&self) -> u64 {
        self.created_at
    }

    /// Returns its address.
    pub fn address(&self) -> Address {
        self.address
    }
}

impl<'a> Factory<'a> {
    /// Returns its address.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Returns how many games it lists.
    ///
    /// # Errors
    /// [`Obstacle`] if that is not proven yet.
    pub fn count(&self) -> Result<u64, Obstacle> {
        let mut reader = self.registry.l1().reader();
        let word = reader.word(self.address, Self::count_key());
        reader.finish()?;
        if !word.ends_at(8) {
            return Err(Refusal::Layout { contract: Contract::Factory }.into());
        }
        Ok(word.u64(0))
    }

    /// Returns the game with this number in the list, from 0 on. It helps to find a game; a claim follows only by
    /// `Factory::game`.
    ///
    /// # Errors
    /// [`Obstacle`] if the entry is not proven yet, or there is none.
    pub fn listed(&self, number: u64) -> Result<GameId, Obstacle> {
        let mut reader = self.registry.l1().reader();
        let word = reader.word(self.address, Self::list_key(number));
        reader.finish()?;
        Ok(GameId::read(word).ok_or(Refusal::NoSuchGame)?)
    }

    /// Returns what the factory holds under a claim's key.
    pub(crate) fn entry(&self, claim: &GameClaim) -> Result<GameId, Obstacle> {
        let mut reader = self.registry.l1().reader();
        let word = reader.word(self.address, Self::game_key(claim));
        reader.finish()?;
        let id = GameId::read(word).ok_or(Refusal::NoSuchGame)?;
        if id.game_type != claim.game_type {
            return Err(Refusal::Layout { contract: Contract::Factory }.into());
        }
        Ok(id)
    }

    pub(crate) fn registry(&self) -> Registry<'a> {
        self.registry
    }

    /// Returns the key of the number of games.
    pub(crate) fn count_key() -> B256 {
        slot(place::LIST)
    }

    /// Returns the key of the contract whose code the next games of a type run.
    pub(crate) fn implementation_key(game_type: u32) -> B256 {
        mapped(slot(game_type.into()), place::IMPLEMENTATIONS)
    }

    /// Returns the key of the entry of a list.
    pub fn list_key(number: u64) -> B256 {
        let start = U256::from_be_bytes(keccak256(slot(place::LIST)).0);
        B256::from(start.wrapping_add(U256::from(number)))
    }

    /// Returns the key of the game with this claim.
    pub fn game_key(claim: &GameClaim) -> B256 {
        mapped(claim.uuid(), place::GAMES)
    }
}
