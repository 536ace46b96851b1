//! The blocks of a rollup that its L1 vouches for.

use alloy_primitives::Address;
use saldo_chain::Contradiction;
use saldo_chain::rollup::{Accepted, RollupAnchor};
use saldo_reading::Generation;

use super::Head;

impl Head {
    /// The most games whose blocks are held. Those of older games are too old to prove anything.
    const MOST_GAMES: usize = 16;

    /// The games that held blocks rest on, newest block first.
    pub(crate) fn games(&self) -> Vec<Address> {
        self.state().chain.games().map(|vouched| vouched.game()).collect()
    }

    /// Whether a block of that number is held.
    pub(crate) fn holds(&self, number: u64) -> bool {
        self.state().chain.holds(number)
    }

    /// Withdraws all blocks that rest on `games`, which L1 does not vouch for at the trust start `of_l1`.
    pub(crate) fn take_back(&self, games: &[Address], of_l1: Generation) {
        let mut state = self.state();
        if state.generation_of_l1 == Some(of_l1) {
            games.iter().for_each(|game| state.chain.take_back(*game));
            state.revision = state.revision.wrapping_add(1);
        }
    }

    /// Gives the blocks of a game the level that it has by now.
    pub(crate) fn vouch(&self, accepted: &Accepted, of_l1: Generation) {
        let mut state = self.state();
        if state.generation_of_l1 == Some(of_l1) {
            state.chain.vouch(accepted);
            state.revision = state.revision.wrapping_add(1);
        }
    }

    /// Takes a block that L1 vouches for at the trust start `of_l1`. The games of `needed` are kept.
    ///
    /// # Errors
    /// The games that contradict each other, if it is not held because of them.
    pub(crate) fn accept(
        &self,
        block: &RollupAnchor,
        of_l1: Generation,
        needed: &[Address],
    ) -> Result<(), Option<Contradiction>> {
        let mut state = self.state();
        if state.generation_of_l1 != Some(of_l1) {
            return Err(None);
        }
        let accepted = state.chain.accept(block);
        let own = block.vouched().game();
        let needed: Vec<Address> = needed.iter().copied().chain([own]).collect();
        state.chain.keep_games(Self::MOST_GAMES, &needed);
        state.revision = state.revision.wrapping_add(1);
        accepted.map_err(Some)
    }
}
