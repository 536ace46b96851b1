//! The blocks of a rollup that L1 vouches for.

use alloy_primitives::Address;

use super::Chain;
use super::block::Block;
use crate::anchor::Anchor;
use crate::assurance::Assurance;
use crate::rollup::{Accepted, RollupAnchor, Vouched};
use saldo_beacon::unit::Slot;

/// Two games that L1 vouches for claim blocks that exclude each other. One of them is false, and L1 has not said which. Neither counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the games {} and {} claim blocks that exclude each other", .games[0], .games[1])]
pub struct Contradiction {
    /// The two games.
    pub games: [Address; 2],
}

impl Chain {
    /// The most games that were taken back of which the chain keeps the address.
    const TAKEN_BACK: usize = 1_024;

    /// Takes a block of a rollup that L1 vouches for.
    ///
    /// If it excludes a held block of another game, the game of the higher level stays. Of the same level, both are taken back.
    ///
    /// # Errors
    /// [`Contradiction`] if it is not held afterwards.
    pub fn accept(&mut self, block: &RollupAnchor) -> Result<(), Contradiction> {
        let game = block.vouched().game();
        while let Some(other) = self.excluded_by(block) {
            let (other_game, is_weaker) = (other.game(), other.level() < block.level());
            let is_stronger = block.level() < other.level();
            if !is_stronger {
                self.take_back(other_game);
            }
            if !is_weaker {
                if !is_stronger {
                    self.take_back(game);
                }
                return Err(Contradiction { games: [game, other_game] });
            }
        }
        let number = block.number();
        self.taken_back.retain(|taken| *taken != game);
        let anchor = match self.blocks.get(&number) {
            Some(held)
                if held.anchor.assurance().vouched().is_some_and(|held| held.level() > block.level()) =>
            {
                held.anchor.clone()
            }
            _ => block.anchor().clone(),
        };
        let (parent_hash, known_at) = (Some(block.parent_hash()), Slot::new(0));
        self.blocks.insert(number, Block { anchor, parent_hash, known_at });
        self.newest = self.newest.max(Some(number));
        while self.blocks.len() > Self::CAPACITY {
            self.blocks.pop_first();
        }
        Ok(())
    }

    /// Gives all blocks of a game the level of a later verdict about it.
    pub fn vouch(&mut self, accepted: &Accepted) {
        let linked = self.blocks.values_mut().map(|block| &mut block.anchor);
        let recorded = self.recorded.values_mut().map(|recorded| &mut recorded.anchor);
        for anchor in linked.chain(recorded).filter(|anchor| rests_on(anchor, accepted.game())) {
            *anchor = anchor.with_assurance(Assurance::Rollup(accepted.vouched()));
        }
    }

    /// Drops all blocks that rest on a game that L1 no longer vouches for. The [standing](Chain::standing) of every block of that game,
    /// also of one that was not held, is then [`Standing::Withdrawn`](crate::Standing::Withdrawn).
    pub fn take_back(&mut self, game: Address) {
        self.blocks.retain(|_, block| !rests_on(&block.anchor, game));
        self.recorded.retain(|_, recorded| !rests_on(&recorded.anchor, game));
        self.newest = self.blocks.last_key_value().map(|(number, _)| *number);
        if !self.taken_back.contains(&game) {
            self.taken_back.push(game);
        }
        let over = self.taken_back.len().saturating_sub(Self::TAKEN_BACK);
        self.taken_back.drain(..over);
    }

    /// Returns whether a block of that number is held.
    pub fn holds(&self, number: u64) -> bool {
        self.blocks.contains_key(&number)
    }

    /// Returns the block of that number, if one is held. Of a rollup it is one for which L1 vouches.
    pub fn held_at(&self, number: u64) -> Option<&Anchor> {
        self.blocks.get(&number).map(|block| &block.anchor)
    }

    /// Drops the blocks of all games but those of the `most` newest blocks and those of `needed`. Nothing is known against them.
    pub fn keep_games(&mut self, most: usize, needed: &[Address]) {
        let newest = self.games().take(most).map(|held| held.game());
        let kept: Vec<Address> = newest.chain(needed.iter().copied()).collect();
        self.blocks.retain(|_, block| {
            block.anchor.assurance().vouched().is_none_or(|held| kept.contains(&held.game()))
        });
    }

    /// Returns the games of the held blocks, that of the newest block first.
    pub fn games(&self) -> impl Iterator<Item = Vouched> {
        let mut known: Vec<Address> = Vec::new();
        let each = self.blocks.values().rev().filter_map(|block| block.anchor.assurance().vouched());
        each.filter(move |held| {
            let is_new = !known.contains(&held.game());
            known.push(held.game());
            is_new
        })
    }

    /// Returns the game of a held block that `block` excludes: another one of its number, of its parent's, or a child of another one.
    fn excluded_by(&self, block: &RollupAnchor) -> Option<Vouched> {
        let number = block.number();
        let at = |number: Option<u64>| self.blocks.get(&number?);
        let here = at(Some(number)).filter(|held| held.anchor.hash() != block.hash());
        let below = at(number.checked_sub(1)).filter(|held| held.anchor.hash() != block.parent_hash());
        let above = at(number.checked_add(1)).filter(|held| held.parent_hash != Some(block.hash()));
        here.or(below).or(above).and_then(|held| held.anchor.assurance().vouched())
    }
}

fn rests_on(anchor: &Anchor, game: Address) -> bool {
    anchor.assurance().vouched().is_some_and(|held| held.game() == game)
}
