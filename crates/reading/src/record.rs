//! The merge rule: what replaces a proven reading, and what takes it back.

use std::sync::Arc;

use saldo_chain::{Chain, Level, Standing};

use crate::candidate::Candidate;

/// What happened to the proven reading of a holding.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A newer or surer one took its place.
    Replaced,
    /// The offered one is older or weaker; nothing changed.
    Kept,
    /// The chain no longer has its block.
    Withdrawn {
        /// The reading that no longer holds.
        withdrawn: Box<Candidate>,
    },
}

/// The proven readings of one holding: the newest, the newest finalized one to fall back to, and a few in between whose
/// blocks are signed and may become final.
///
/// **The rule.** A proven reading replaces another if its block is higher, or the same height with stronger
/// assurance, or the same block proven anew instead of restored from storage. One exception: when the chain excludes its
/// block, it is withdrawn, and the best finalized one returns. Errors and silence have no way in.
#[derive(Clone, Debug, Default)]
pub struct Record {
    newest: Option<Arc<Candidate>>,
    finalized: Option<Arc<Candidate>>,
    /// Not final yet, lowest block first.
    awaiting: Vec<Arc<Candidate>>,
}

impl Record {
    /// How many signed readings are kept until their blocks are final, spread over the blocks that are not.
    const AWAITING: usize = 16;

    /// A record without any reading yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The reading to show.
    pub fn last(&self) -> Option<&Candidate> {
        self.newest.as_deref()
    }

    /// The newest reading at a finalized block.
    pub fn finalized(&self) -> Option<&Candidate> {
        self.finalized.as_deref()
    }

    /// The signed readings whose blocks may become final, lowest block first.
    pub fn awaiting_finality(&self) -> &[Arc<Candidate>] {
        &self.awaiting
    }

    /// The newest reading whose block is at least as sure as `level`.
    pub fn newest_at(&self, level: Level) -> Option<&Candidate> {
        let is_enough = |held: &&Candidate| held.anchor.assurance().level() >= level;
        self.last().filter(is_enough).or(self.finalized())
    }

    /// How new and how sure the newest reading at `level` is.
    pub fn mark_at(&self, level: Level) -> Mark {
        self.newest_at(level).map(Mark::of).unwrap_or_default()
    }

    /// Takes `offered` if the rule lets it replace what is there.
    pub fn offer(&mut self, offered: Candidate) -> Change {
        // One copy for all places: a client can have very many records.
        let offered = Arc::new(offered);
        if offered.anchor.assurance().level() == Level::Finalized && supersedes(&offered, self.finalized()) {
            self.finalized = Some(Arc::clone(&offered));
        }
        if offered.anchor.assurance().level() < Level::Finalized {
            self.keep_until_final(Arc::clone(&offered));
        }
        if supersedes(&offered, self.last()) {
            self.newest = Some(offered);
            Change::Replaced
        } else {
            Change::Kept
        }
    }

    /// Holds the reading against what `chain` knows now: surer if its block is, withdrawn if the chain excludes it.
    pub fn review(&mut self, chain: &Chain) -> Change {
        self.review_awaiting(chain);
        self.forget_what_is_contradicted(chain);
        let Some(newest) = &self.newest else { return Change::Kept };
        if let Some(again) = chain.anchor_again(newest.anchor()).and_then(|anchor| newest.under(anchor)) {
            // The same as before: nothing is copied.
            return if Mark::of(&again) == Mark::of(newest) { Change::Kept } else { self.offer(again) };
        }
        // Nothing withdraws a finalized reading: a chain that excludes one is a consensus fault, not a reorg.
        let is_final = newest.anchor.assurance().level() == Level::Finalized && !newest.restored;
        if is_final || chain.standing(newest.anchor()) == Standing::Stands || newest.is_ahead_of(chain) {
            return Change::Kept;
        }
        let fallback = self.finalized.clone();
        match std::mem::replace(&mut self.newest, fallback) {
            Some(withdrawn) => Change::Withdrawn { withdrawn: Box::new(Arc::unwrap_or_clone(withdrawn)) },
            None => Change::Kept,
        }
    }

    /// Gives up what was restored and says something else of its block than the chain does, or is final and nowhere in it:
    /// it was never proven.
    fn forget_what_is_contradicted(&mut self, chain: &Chain) {
        let is_false = |held: &Candidate| held.restored && chain.agrees(held.anchor()) == Some(false);
        let is_nowhere = |held: &Candidate| {
            held.restored && chain.standing(held.anchor()) == Standing::Withdrawn && !held.is_ahead_of(chain)
        };
        self.finalized.take_if(|held| is_false(held) || is_nowhere(held));
        self.awaiting.retain(|held| !is_false(held));
        if self.newest.take_if(|held| is_false(held)).is_some() {
            self.newest = self.finalized.clone();
        }
    }

    fn keep_until_final(&mut self, signed: Arc<Candidate>) {
        let number = signed.anchor.number();
        let is_below_final = self.finalized.as_ref().is_some_and(|held| held.anchor.number() >= number);
        if is_below_final {
            return;
        }
        self.awaiting.retain(|held| held.anchor.number() != number);
        let place = self.awaiting.partition_point(|held| held.anchor.number() < number);
        self.awaiting.insert(place, signed);
        if self.awaiting.len() > Self::AWAITING {
            // The one that is missed least: the one nearest above another.
            let numbers = self.awaiting.iter().map(|held| held.anchor.number());
            let gaps = numbers.clone().skip(1).zip(numbers).map(|(above, below)| above.saturating_sub(below));
            if let Some((nearest, _)) = gaps.enumerate().min_by_key(|(_, gap)| *gap) {
                self.awaiting.remove(nearest);
            }
        }
    }

    fn review_awaiting(&mut self, chain: &Chain) {
        for held in std::mem::take(&mut self.awaiting) {
            let again = chain.anchor_again(&held.anchor).and_then(|anchor| held.under(anchor));
            let risen = again.filter(|again| again.anchor.assurance().level() == Level::Finalized);
            if let Some(risen) = risen {
                if supersedes(&risen, self.finalized()) {
                    self.finalized = Some(Arc::new(risen));
                }
            } else if chain.standing(&held.anchor) == Standing::Stands || held.is_ahead_of(chain) {
                self.awaiting.push(held);
            }
        }
        let finalized = self.finalized.as_ref().map(|held| held.anchor.number());
        self.awaiting.retain(|held| Some(held.anchor.number()) > finalized);
    }
}

/// How new and how sure a reading is: what the merge rule compares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(Option<(u64, Level, bool)>);

impl Mark {
    /// The mark of `held`: its block's number and level, and that a provider proved it since the start.
    pub fn of(held: &Candidate) -> Self {
        Self(Some((held.anchor.number(), held.anchor.assurance().level(), !held.restored)))
    }
}

fn supersedes(offered: &Candidate, held: Option<&Candidate>) -> bool {
    held.is_none_or(|held| Mark::of(offered) > Mark::of(held))
}
