//! Who claims what on L1, and what becomes of the claims.

use alloy_primitives::Address;
use saldo_drill::{Chain, Rollup, RollupKind};

use super::judge::Judge;
use super::scale::Scale;
use super::script::Script;

/// How long after it was made a false claim is challenged, in seconds.
const CHALLENGED_AFTER: u64 = 6 * 60 * 60;

/// A game that has not ended.
#[derive(Clone, Copy)]
struct Open {
    game: Address,
    made_at: u64,
    is_false: bool,
}

/// Claims the blocks of a rollup.
pub(super) struct Proposer {
    rollup: Rollup,
    branch: Chain,
    scale: Scale,
    has_challenger: bool,
    is_anchored: bool,
    /// The last block of the next claim.
    next: u64,
    pub(super) is_on: bool,
    pub(super) is_lying: bool,
    pub(super) newest: Option<Address>,
    open: Vec<Open>,
    /// The games that ended for their claims and that the registry is not anchored to yet, oldest first, each with the time.
    ended: Vec<(u64, Address)>,
}

impl Proposer {
    pub(super) fn new(rollup: &Rollup, branch: &Chain, scale: Scale, script: &Script) -> Self {
        Self {
            rollup: rollup.clone(),
            branch: branch.clone(),
            scale,
            has_challenger: script.has_challenger,
            is_anchored: script.is_anchored,
            next: rollup.chain().tip().number.next_multiple_of(scale.interval),
            is_on: true,
            is_lying: false,
            newest: None,
            open: Vec::new(),
            ended: Vec::new(),
        }
    }

    /// Whether L1 may count a claim that is false.
    pub(super) fn may_lie(&self) -> bool {
        match self.scale.kind {
            RollupKind::Multiproof { .. } => self.is_lying,
            RollupKind::Fault => {
                !self.has_challenger && (self.is_lying || self.open.iter().any(|open| open.is_false))
            }
        }
    }

    /// Makes the claims that are due.
    pub(super) fn propose(&mut self, judge: &mut Judge) {
        while self.next <= self.rollup.chain().tip().number {
            let number = self.next;
            self.next = number.saturating_add(self.scale.interval);
            if self.is_lying {
                self.lie(number, judge);
            }
            if self.is_on {
                let game = self.rollup.propose(number).game();
                self.made(game, false);
                judge.claimed(game, number, self.rollup.chain());
            }
        }
    }

    /// Claims the branch's block; where the branch has no block of its own, no block at all.
    fn lie(&mut self, number: u64, judge: &mut Judge) {
        let own = self.rollup.chain().block(number).map(|block| block.hash);
        let game = match self.branch.block(number) {
            Some(block) if Some(block.hash) != own => {
                let game = self.rollup.propose_of(&self.branch, number).game();
                judge.claimed(game, number, &self.branch);
                game
            }
            None if self.scale.kind == RollupKind::Fault => self.rollup.propose_false(number).game(),
            _ => return,
        };
        self.made(game, true);
    }

    fn made(&mut self, game: Address, is_false: bool) {
        let made_at = self.rollup.chain().now().as_secs();
        self.newest = Some(game);
        if self.scale.kind == RollupKind::Fault {
            self.open.push(Open { game, made_at, is_false });
        }
    }

    /// Ends the games whose time is over, and anchors the registry to those that count.
    pub(super) fn end(&mut self, l1: &Chain) {
        let now = l1.now().as_secs();
        let age = |open: &Open| now.saturating_sub(open.made_at);
        let is_challenged = |open: &Open| open.is_false && self.has_challenger;
        let is_over =
            |open: &Open| age(open) >= if is_challenged(open) { CHALLENGED_AFTER } else { Scale::CLOCK };
        let (over, open): (Vec<Open>, Vec<Open>) = self.open.iter().copied().partition(is_over);
        for ended in &over {
            let is_won = !is_challenged(ended);
            self.rollup.resolve(ended.game, is_won);
            if is_won && self.is_anchored {
                self.ended.push((now, ended.game));
            }
        }
        self.open = open;
        while let Some((at, game)) = self.ended.first().copied() {
            if now.saturating_sub(at) <= Scale::CLOCK.saturating_add(self.scale.look) {
                break;
            }
            self.ended.remove(0);
            if self.rollup.accepts(game, l1.tip().hash) {
                self.rollup.anchor(game);
            }
        }
    }

    /// The newest claim turns out to be false, whether it is or not.
    pub(super) fn refute(&mut self) {
        let Some(game) = self.newest else { return };
        match self.scale.kind {
            RollupKind::Multiproof { .. } => self.rollup.counter(game, 0),
            RollupKind::Fault => {
                self.rollup.resolve(game, false);
                self.open.retain(|open| open.game != game);
            }
        }
    }

    /// The guardian takes back the newest claim; where claims count after days, the newest that ended too.
    pub(super) fn blacklist(&mut self) {
        let ended = self.ended.last().map(|(_, game)| *game);
        self.newest.into_iter().chain(ended).for_each(|game| self.rollup.blacklist(game));
    }
}
