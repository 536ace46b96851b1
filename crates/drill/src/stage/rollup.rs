//! The rollup of a scenario, and those who claim something about it on L1.

use alloy_primitives::{Address, B256, U256};
use saldo_beacon::unit::UnixTime;

use crate::scenario::{OnRollup, RollupPlan};
use crate::{Chain, Rollup, RollupKind};

/// The rollup of a scenario. Someone claims its blocks on L1, as long as nothing else is said; someone else may claim others.
#[derive(Debug)]
pub(super) struct Staged {
    pub(super) rollup: Rollup,
    plan: RollupPlan,
    /// The account that is read.
    owner: Address,
    /// The number of the last block that the next claim is about.
    next: u64,
    has_stopped: bool,
    are_claims_made: bool,
    /// All games, with the number of the last block that each is about.
    games: Vec<(Address, u64)>,
    /// The newest game with a true claim.
    newest: Option<Address>,
    /// The branch that false claims are about, while there are any.
    lie: Option<Chain>,
    /// The games with false claims that are not refuted.
    false_games: Vec<Address>,
    /// Branches of the rollup, with what the account holds there.
    branches: Vec<(U256, Chain)>,
}

impl Staged {
    /// A rollup without a claim, which stands where L1 stands.
    pub(super) fn new(l1: &Chain, plan: RollupPlan, owner: Address, accounts: [(Address, U256); 2]) -> Self {
        let rollup = Rollup::new(l1, plan.kind);
        for (account, wei) in accounts {
            rollup.chain().set_balance(account, wei);
        }
        let next = rollup.chain().tip().number.next_multiple_of(plan.interval());
        Self {
            rollup,
            plan,
            owner,
            next,
            has_stopped: false,
            are_claims_made: true,
            games: Vec::new(),
            newest: None,
            lie: None,
            false_games: Vec::new(),
            branches: Vec::new(),
        }
    }

    /// When the next claim is due; `None` while none is made.
    pub(super) fn next_claim_at(&self) -> Option<UnixTime> {
        let age = RollupPlan::BLOCK_TIME.as_secs().saturating_mul(self.next);
        let made_at = self.rollup.chain().network().genesis_time().as_secs().saturating_add(age);
        let due_at = made_at.saturating_add(self.plan.claims_after.as_secs());
        let is_made = !self.has_stopped && (self.are_claims_made || self.lie.is_some());
        is_made.then(|| UnixTime::from_secs(due_at))
    }

    /// Makes the claims that are due, which L1 has in its next block. The rollup has the block that they are about.
    pub(super) fn claim(&mut self) {
        let number = self.next;
        self.next = number.saturating_add(self.plan.interval());
        let own = self.rollup.chain();
        // Before the branch began it has the same blocks: nothing false can be said of them.
        let lie = self.lie.as_ref().filter(|branch| branch.block(number) != own.block(number));
        let false_game = lie.map(|branch| self.rollup.propose_of(branch, number).game());
        let true_game = self.are_claims_made.then(|| self.rollup.propose(number).game());
        self.games.extend([true_game, false_game].into_iter().flatten().map(|game| (game, number)));
        self.false_games.extend(false_game);
        self.newest = true_game.or(self.newest);
    }

    /// The branch of the rollup on which the account holds `wei`.
    ///
    /// It is made once: the provider that serves it and the proposer who claims it use the same branch.
    pub(super) fn branch(&mut self, wei: U256) -> Chain {
        if let Some((_, known)) = self.branches.iter().find(|(held, _)| *held == wei) {
            return known.clone();
        }
        let branch = self.rollup.chain().split();
        branch.set_balance(self.owner, wei);
        self.branches.push((wei, branch.clone()));
        branch
    }

    /// Lets `event` happen; returns the branch that false claims are about from now on.
    pub(super) fn apply(&mut self, event: OnRollup) -> Option<Chain> {
        match event {
            OnRollup::Stops | OnRollup::GoesOn => {
                self.has_stopped = event == OnRollup::Stops;
                self.rollup.chain().stop(self.has_stopped);
            }
            OnRollup::ClaimsStop | OnRollup::ClaimsGoOn => {
                self.are_claims_made = event == OnRollup::ClaimsGoOn;
            }
            OnRollup::FalseClaims(wei) => self.lie = Some(self.branch(wei)),
            OnRollup::FalseClaimsRefuted => self.refute(),
            OnRollup::NewestClaimBlacklisted => {
                self.newest.into_iter().for_each(|game| self.rollup.blacklist(game));
            }
            OnRollup::ClaimsRetired => self.rollup.retire(self.rollup.chain().now()),
            OnRollup::Paused(is_paused) => self.rollup.pause(is_paused),
        }
        self.lie.clone()
    }

    fn refute(&mut self) {
        self.lie = None;
        for game in self.false_games.drain(..) {
            match self.plan.kind {
                RollupKind::Multiproof { .. } => self.rollup.counter(game, 0),
                RollupKind::Fault => self.rollup.resolve(game, false),
            }
        }
    }

    /// Whether L1 accepted, at its block of that hash, the claim of that game, and that is about the block `number` or a later one.
    pub(super) fn accepts(&self, game: Address, l1: B256, number: u64) -> bool {
        let is_about = |(known, last): &(Address, u64)| *known == game && number <= *last;
        self.games.iter().any(is_about) && self.rollup.accepts(game, l1)
    }
}
