//! Opens the blocks that L1 vouches for, and links them to those at which proofs were taken.

use std::collections::BTreeMap;
use std::time::Duration;

use alloy_primitives::Address;
use saldo_chain::rollup::{Accepted, GameCode, GameKind, RollupAnchor};
use saldo_chain::{ExecutionHeader, Level};
use saldo_reading::Generation;
use saldo_source::Deadline;

use super::Rollup;
use super::waiting::MOST_LINKS;
use crate::proofs::Proofs;

/// Where the parents of an accepted block lead.
enum Link {
    /// To the block at which a proof was taken.
    To(RollupAnchor),
    /// To another block of that number: the proof was taken on a fork, or was made up.
    Elsewhere,
}

/// A block, and the lowest blocks above it that roots of games are about.
type Linkable<'a> = (ExecutionHeader, Vec<(u64, &'a Accepted)>);

impl Rollup {
    /// The most blocks that are opened or linked in one call.
    const MOST_LINKED: usize = 8;
    /// The most games of one block that are tried: L1 can vouch for a claim that no block fulfils.
    const MOST_TRIED: usize = 3;

    /// How much time may lie between two proofs, so that a claim reaches one of them. `None` where it does not matter: a claim has many
    /// roots, or the wallet does not ask for what counts after days.
    pub(crate) fn reach(&self) -> Option<Duration> {
        /// For the time that a request takes.
        const MARGIN: Duration = Duration::from_secs(60);
        let has_one_root = |code: &GameCode| !matches!(code.kind, GameKind::Multiproof { .. });
        let is_needed = self.env.policy.assurance == Level::L1Finalized
            && self.profile.game_codes().iter().any(has_one_root);
        let reach = Duration::from_secs(self.profile.block_time()?.saturating_mul(MOST_LINKS));
        is_needed.then(|| reach.saturating_sub(MARGIN).max(MARGIN))
    }

    /// Opens the newest block of the games `accepted`, and those above the blocks of pending proofs and of `remembered` readings. A block
    /// number names no address, so every provider may be asked. `trust` is the trust start of L1, and the games that are kept.
    pub(super) async fn open(
        &self,
        trust: (Generation, &[Address]),
        accepted: &[Accepted],
        remembered: Vec<ExecutionHeader>,
        proofs: &Proofs,
        deadline: Deadline,
    ) {
        let newest = accepted.iter().filter_map(|game| Some((self.last_of(game)?, game)));
        for (number, game) in newest.take(Self::MOST_TRIED) {
            if self.is_contradicted(game) {
                continue;
            }
            if self.head.holds(number)
                || self.open_block(number, (game, trust), proofs, deadline).await.is_some()
            {
                break;
            }
        }
        let linkable = self.linkable(accepted, remembered, proofs);
        let mut opened: BTreeMap<(u64, Address), Option<RollupAnchor>> = BTreeMap::new();
        for (header, roots) in linkable.into_iter().take(Self::MOST_LINKED) {
            if self.env.time_left(deadline).is_zero() {
                return;
            }
            for (number, game) in roots {
                let key = (number, game.game());
                // A contradiction can have come up since these games were chosen.
                if self.is_contradicted(game) {
                    continue;
                }
                let block = match opened.remove(&key) {
                    Some(known) => known,
                    None => self.open_block(number, (game, trust), proofs, deadline).await,
                };
                let is_open = block.is_some();
                if let Some(block) = &block {
                    self.link_pending(block, &header, trust, proofs, deadline).await;
                }
                opened.insert(key, block);
                if is_open {
                    break;
                }
            }
        }
    }

    /// The blocks that can be linked to roots of games, each with these, in the order in which they are linked: some of remembered
    /// readings, those of the newest proof of each holding, and the others.
    ///
    /// Pending proofs are dropped whose block is too far below all that L1 vouches for: it will not vouch for an earlier block than its
    /// oldest game.
    fn linkable<'a>(
        &self,
        accepted: &'a [Accepted],
        remembered: Vec<ExecutionHeader>,
        proofs: &Proofs,
    ) -> Vec<Linkable<'a>> {
        let untrusted = |header: &ExecutionHeader| !self.head.trusts_root(header.state_root());
        let pending = proofs.pending_headers().into_iter().filter(untrusted);
        let lowest = self.roots(accepted).map(|(root, _)| root).min();
        let is_out_of_reach = |header: &ExecutionHeader| {
            lowest.is_some_and(|lowest| lowest.saturating_sub(MOST_LINKS) > header.number())
        };
        let (lost, pending): (Vec<ExecutionHeader>, Vec<ExecutionHeader>) =
            pending.partition(is_out_of_reach);
        lost.iter().for_each(|header| proofs.drop_header(header));
        let with_roots = |header: ExecutionHeader| {
            let roots = self.roots_above(accepted, header.number());
            (!roots.is_empty()).then_some((header, roots))
        };
        let mut linkable: Vec<Linkable<'a>> = pending.into_iter().filter_map(with_roots).collect();
        let root = |header: &ExecutionHeader| header.state_root().get();
        let first = proofs.newest_pending_of_each(&linkable.iter().map(|(header, _)| root(header)).collect());
        linkable.sort_by_key(|(header, _)| !first.contains(&root(header)));
        // The others have room beside them.
        let room = Self::MOST_LINKED.div_ceil(2);
        let remembered = remembered.into_iter().filter(untrusted).filter_map(with_roots).take(room);
        remembered.chain(linkable).collect()
    }

    /// Links the block at which proofs were taken, or notes that it cannot be linked.
    async fn link_pending(
        &self,
        opened: &RollupAnchor,
        header: &ExecutionHeader,
        trust: (Generation, &[Address]),
        proofs: &Proofs,
        deadline: Deadline,
    ) {
        match self.link(opened, header, proofs, deadline).await {
            Some(Link::To(block)) => drop(self.accept(&block, trust)),
            Some(Link::Elsewhere) => proofs.drop_header(header),
            None => proofs.note_unlinked(header),
        }
    }

    /// The number of the block that the game's claim is about.
    fn last_of(&self, game: &Accepted) -> Option<u64> {
        game.block_number().or_else(|| self.profile.block_at(game.time()?))
    }

    /// The blocks that roots of games are about.
    fn roots<'a>(&self, accepted: &'a [Accepted]) -> impl Iterator<Item = (u64, &'a Accepted)> {
        accepted.iter().flat_map(|game| {
            let of_moment = game.block_number().is_none().then(|| self.last_of(game)).flatten();
            game.block_numbers().chain(of_moment).map(move |root| (root, game))
        })
    }

    /// The lowest blocks at or above `number` that roots of games are about, near enough to be linked.
    fn roots_above<'a>(&self, accepted: &'a [Accepted], number: u64) -> Vec<(u64, &'a Accepted)> {
        let roots = self.roots(accepted);
        let is_near = |root: u64| root.checked_sub(number).is_some_and(|links| links <= MOST_LINKS);
        let mut near: Vec<(u64, &Accepted)> = roots.filter(|(root, _)| is_near(*root)).collect();
        near.sort_by_key(|(root, _)| *root);
        near.truncate(Self::MOST_TRIED);
        near
    }

    async fn open_block(
        &self,
        number: u64,
        (game, trust): (&Accepted, (Generation, &[Address])),
        proofs: &Proofs,
        deadline: Deadline,
    ) -> Option<RollupAnchor> {
        let read = |header: &ExecutionHeader| game.open(header, None).ok();
        let opened = proofs.fetch_header_at(number, read, deadline).await?;
        self.accept(&opened, trust).then_some(opened)
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
