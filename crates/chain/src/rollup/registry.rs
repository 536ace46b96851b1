//! The registry: which games are valid (`AnchorStateRegistry` of the OP Stack).

use alloy_primitives::{Address, B256, Keccak256};

use crate::rollup::l1::{L1State, slot};
use crate::rollup::obstacle::{Contract, Obstacle, Refusal};
use crate::rollup::profile::RegistryCode;
use crate::rollup::proxy::code_of;
use crate::rollup::vouched::Pause;

/// The slots of the versions 3.5 to 3.9.
mod place {
    pub(super) const SYSTEM_CONFIG: u64 = 0;
    pub(super) const FACTORY: u64 = 1;
    pub(super) const ANCHOR_GAME: u64 = 2;
    pub(super) const BLACKLIST: u64 = 5;
    pub(super) const RESPECTED: u64 = 6;
}

/// How long a pause holds unless it is renewed, in seconds.
const PAUSE_EXPIRY: u64 = 7_884_000;

/// A rollup's registry, with code that the profile knows, read under one L1 block.
#[derive(Clone, Copy, Debug)]
pub struct Registry<'a> {
    l1: L1State<'a>,
    code: RegistryCode,
    factory: Address,
    anchor_game: Option<Address>,
    respected_type: u32,
    retirement: u64,
    pause: Pause,
}

impl<'a> L1State<'a> {
    /// Reads the rollup's registry.
    ///
    /// # Errors
    /// [`Obstacle`] if something is not proven yet, the registry has unknown code, or it belongs to another rollup.
    pub fn registry(self) -> Result<Registry<'a>, Obstacle> {
        let profile = self.profile();
        let address = profile.registry();
        // In one round with what the code needs.
        let mut reader = self.reader();
        let [system_config, factory, anchor_game, respected] =
            Registry::PLACES.map(|place| reader.word(address, slot(place)));
        let words = reader.finish();
        let code = match (code_of(&self, Contract::Registry, address), words) {
            (Err(Obstacle::Missing(mut query)), Err(Obstacle::Missing(more))) => {
                query.merge(more);
                return Err(Obstacle::Missing(query));
            }
            (code, words) => {
                let code = code?;
                words?;
                code
            }
        };
        let unknown = Refusal::UnknownCode { contract: Contract::Registry, got: code.code_hash };
        let code = profile.registry_code(code.code_hash).ok_or(unknown)?;
        let layout = Refusal::Layout { contract: Contract::Registry };
        let is_initialized = system_config.byte(0) != 0 && system_config.byte(1) == 0;
        let is_optional = anchor_game.ends_at(20);
        if !is_initialized || !system_config.ends_at(22) || !is_optional || !respected.ends_at(12) {
            return Err(layout.into());
        }
        if !factory.is_address() {
            return Err(layout.into());
        }
        let got = system_config.address(2);
        if let Some(expected) = profile.system_config().filter(|expected| *expected != got) {
            return Err(Refusal::OtherSystem { got, expected }.into());
        }
        Ok(Registry {
            l1: self,
            code,
            factory: factory.address(0),
            anchor_game: (!anchor_game.is_zero()).then(|| anchor_game.address(0)),
            respected_type: respected.u32(0),
            retirement: respected.u64(4),
            pause: pause(&self)?,
        })
    }
}

impl<'a> Registry<'a> {
    /// The slots that are always read.
    pub(crate) const PLACES: [u64; 4] =
        [place::SYSTEM_CONFIG, place::FACTORY, place::ANCHOR_GAME, place::RESPECTED];

    /// Returns the game that the registry was last anchored to, if there is one. It can be weeks old.
    pub fn anchor_game(&self) -> Option<Address> {
        self.anchor_game
    }

    /// Returns the type of the games that count now.
    pub fn respected_type(&self) -> u32 {
        self.respected_type
    }

    /// Returns the moment up to which games are retired, in seconds since 1970.
    pub fn retirement(&self) -> u64 {
        self.retirement
    }

    /// Returns how many seconds after a game ended its claim is valid.
    pub fn finality_delay(&self) -> u64 {
        self.code.finality_delay
    }

    /// Returns whether it is proven that the system is not paused.
    pub fn pause(&self) -> Pause {
        self.pause
    }

    /// Returns the key of a game's entry in the blacklist.
    pub(crate) fn blacklist_key(game: Address) -> B256 {
        mapped(game.into_word(), place::BLACKLIST)
    }

    /// Returns the factory's address.
    pub(crate) fn factory_address(&self) -> Address {
        self.factory
    }

    pub(crate) fn l1(&self) -> &L1State<'a> {
        &self.l1
    }
}

/// Reads whether the system is paused: as a whole, or for this rollup. A pause ends by itself.
fn pause(l1: &L1State<'_>) -> Result<Pause, Obstacle> {
    let profile = l1.profile();
    let (Some(address), Some(identifier)) = (profile.superchain_config(), profile.pause_identifier()) else {
        return Ok(Pause::NotChecked);
    };
    let code = code_of(l1, Contract::SuperchainConfig, address)?;
    let Some(place) = profile.pause_slot(code.code_hash) else { return Ok(Pause::NotChecked) };
    let mut reader = l1.reader();
    let moments = pause_keys(identifier, place).map(|key| reader.word(address, key));
    reader.finish()?;
    for moment in moments {
        if !moment.ends_at(8) {
            return Err(Refusal::Layout { contract: Contract::SuperchainConfig }.into());
        }
        let ends = moment.u64(0).saturating_add(PAUSE_EXPIRY);
        if !moment.is_zero() && l1.time() <= ends {
            return Err(Refusal::Paused.into());
        }
    }
    Ok(Pause::NotPaused)
}

/// Returns the keys of the moments of the last pauses: of all rollups, and of this one.
pub(crate) fn pause_keys(identifier: Address, place: u64) -> [B256; 2] {
    [Address::ZERO, identifier].map(|of| mapped(of.into_word(), place))
}

/// Returns the key of an entry of a mapping in the slot `place`.
pub(crate) fn mapped(key: B256, place: u64) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(key);
    hasher.update(slot(place));
    hasher.finalize()
}
