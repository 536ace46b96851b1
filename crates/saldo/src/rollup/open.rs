//! Opens the blocks that L1 vouches for, and links them to those at which proofs were taken.

use saldo_chain::ExecutionHeader;
use saldo_chain::rollup::{Accepted, RollupAnchor};
use saldo_reading::Generation;
use saldo_source::Deadline;

use super::Rollup;
use crate::proofs::Proofs;

/// Where the parents of an accepted block lead.
enum Link {
    /// To the block at which a proof was taken.
    To(RollupAnchor),
    /// To another block of that number: the proof was taken on a fork, or was made up.
    Elsewhere,
}

impl Rollup {
    /// The most headers that are linked from an accepted block to one at which a proof was taken. On Base at most 29 are needed.
    const MOST_LINKS: u64 = 240;

    /// Opens the newest block of each game of `accepted`, and those above the blocks of pending proofs. A block number names no
    /// address, so every provider may be asked.
    pub(super) async fn open(
        &self,
        of_l1: Generation,
        accepted: &[Accepted],
        proofs: &Proofs,
        deadline: Deadline,
    ) {
        let pending = proofs.pending_headers();
        let newest = accepted.iter().find_map(|game| Some((self.last_of(game)?, game)));
        if let Some((number, game)) = newest.filter(|(number, _)| !self.head.holds(*number)) {
            self.open_block(number, (game, of_l1), proofs, deadline).await;
        }
        for header in pending {
            let number = header.number();
            if self.head.trusts_root(header.state_root()) {
                continue;
            }
            let Some((root, game)) = self.root_above(accepted, number) else { continue };
            if root.saturating_sub(number) > Self::MOST_LINKS || self.env.time_left(deadline).is_zero() {
                continue;
            }
            let Some(opened) = self.open_block(root, (game, of_l1), proofs, deadline).await else { continue };
            match self.link(&opened, &header, proofs, deadline).await {
                Some(Link::To(block)) => drop(self.head.accept(&block, of_l1)),
                Some(Link::Elsewhere) => proofs.drop_pending_at(header.state_root()),
                None => {}
            }
        }
    }

    /// The number of the block that the game's claim is about.
    fn last_of(&self, game: &Accepted) -> Option<u64> {
        game.block_number().or_else(|| self.profile.block_at(game.time()?))
    }

    /// The lowest block at or above `number` that a game's root is about.
    fn root_above<'a>(&self, accepted: &'a [Accepted], number: u64) -> Option<(u64, &'a Accepted)> {
        let roots = accepted.iter().flat_map(|game| {
            let of_moment = game.block_number().is_none().then(|| self.last_of(game)).flatten();
            game.block_numbers().chain(of_moment).map(move |root| (root, game))
        });
        roots.filter(|(root, _)| *root >= number).min_by_key(|(root, _)| *root)
    }

    async fn open_block(
        &self,
        number: u64,
        (game, of_l1): (&Accepted, Generation),
        proofs: &Proofs,
        deadline: Deadline,
    ) -> Option<RollupAnchor> {
        let read = |header: &ExecutionHeader| game.open(header, None).ok();
        let opened = proofs.fetch_header_at(number, read, deadline).await?;
        self.head.accept(&opened, of_l1).then_some(opened)
    }

    /// Links `opened` to the block of `header`. `None` if no provider gives the headers between them.
    async fn link(
        &self,
        opened: &RollupAnchor,
        header: &ExecutionHeader,
        proofs: &Proofs,
        deadline: Deadline,
    ) -> Option<Link> {
        if header.number() == opened.number() {
            let is_it = header.hash() == opened.hash();
            return Some(if is_it { Link::To(opened.clone()) } else { Link::Elsewhere });
        }
        let first = header.number().checked_add(1)?;
        let read = |between: &[ExecutionHeader]| {
            let child = opened.ancestor(between.iter().rev()).ok()?;
            if child.number() != first {
                return None;
            }
            Some(child.parent(header).map_or(Link::Elsewhere, Link::To))
        };
        proofs.fetch_headers(first..opened.number(), read, deadline).await
    }
}
