//! What a provider expects, so that everything can be proven in one round.

use alloy_primitives::Address;
use saldo_proof::Query;

use crate::rollup::claim::GameClaim;
use crate::rollup::factory::Factory;
use crate::rollup::game::Game;
use crate::rollup::l1::slot;
use crate::rollup::profile::Profile;
use crate::rollup::proxy::IMPLEMENTATION_SLOT;
use crate::rollup::registry::{Registry, pause_keys};

/// Where a provider says that the contracts are. Nothing rests on it: a false hint costs further rounds of proofs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// The factory.
    pub factory: Option<Address>,
    /// The game.
    pub game: Option<Address>,
    /// The contracts whose codes registry, factory, game and the contract that pauses run.
    pub implementations: Vec<Address>,
}

impl Profile {
    /// Returns everything that the way to the verdict about `claim` needs, if the `hints` are right. Without hints, [`Obstacle::Missing`]
    /// asks for it in up to 11 rounds, one after the other.
    ///
    /// [`Obstacle::Missing`]: crate::rollup::Obstacle::Missing
    pub fn query(&self, claim: &GameClaim, hints: &Hints) -> Query {
        let mut query = Query::default();
        let registry = self.registry();
        for place in Registry::PLACES {
            query.add_slot(registry, slot(place));
        }
        query.add_slot(registry, IMPLEMENTATION_SLOT);
        if let Some(factory) = hints.factory {
            query.add_slot(factory, IMPLEMENTATION_SLOT);
            query.add_slot(factory, Factory::game_key(claim));
        }
        if let Some(game) = hints.game {
            query.add_slot(registry, Registry::blacklist_key(game));
            query.add_code(game);
            let kinds = self.game_codes().iter().filter(|code| code.game_type == claim.game_type);
            kinds.flat_map(|code| Game::keys(code.kind)).for_each(|key| query.add_slot(game, key));
        }
        if let (Some(address), Some(identifier)) = (self.superchain_config(), self.pause_identifier()) {
            query.add_slot(address, IMPLEMENTATION_SLOT);
            for key in self.pause_slots().flat_map(|place| pause_keys(identifier, place)) {
                query.add_slot(address, key);
            }
        }
        hints.implementations.iter().for_each(|address| query.add_account(*address));
        query
    }
}
