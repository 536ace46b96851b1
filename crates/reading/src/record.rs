//! The merge rule: what replaces a proven reading, and what withdraws it.

use std::sync::Arc;

use saldo_chain::{Chain, Level, Standing};

use crate::candidate::Candidate;

/// The effect of an offer or a review on the record of a holding.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A newer reading, or one with more assurance, took its place.
    Replaced,
    /// The offered reading is older or weaker. Nothing changed.
    Kept,
    /// The chain no longer has its block.
    Withdrawn {
        /// The withdrawn reading.
        withdrawn: Box<Candidate>,
    },
}

/// The proven readings of one holding: the newest, the newest finalized one (of a rollup: one that L1 counts as final) as the fallback, and a few signed ones whose
/// blocks may become final.
///
/// **The rule.** A proven reading replaces another if its block is higher. At the same height it replaces one with less
/// assurance, or one that was restored from storage. One exception: if the chain excludes the block of the newest reading,
/// that reading is withdrawn, and the newest finalized one returns. Errors and silence never change a record.
#[derive(Clone, Debug, Default)]
pub struct Record {
    newest: Option<Arc<Candidate>>,
    finalized: Option<Arc<Candidate>>,
    /// The signed readings whose blocks are not final yet, lowest block first.
    awaiting: Vec<Arc<Candidate>>,
    /// The number of the newest block at which it was proven that there is no amount.
    without_amount_at: Option<u64>,
}

impl Record {
    /// How many signed readings are kept until their blocks are final.
    const AWAITING: usize = 16;

    /// Makes a record without readings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the newest reading, which is the one to show.
    pub fn last(&self) -> Option<&Candidate> {
        self.newest.as_deref()
    }

    /// Returns the newest reading at a finalized block.
    pub fn finalized(&self) -> Option<&Candidate> {
        self.finalized.as_deref()
    }

    /// Returns the signed readings whose blocks may become final, lowest block first.
    pub fn awaiting_finality(&self) -> &[Arc<Candidate>] {
        &self.awaiting
    }

    /// Returns the newest reading whose block has at least the assurance `level`.
    pub fn newest_at(&self, level: Level) -> Option<&Candidate> {
        let is_enough = |held: &&Candidate| held.anchor.assurance().level().meets(level);
        self.last().filter(is_enough).or(self.finalized())
    }

    /// Returns the mark of the newest reading at `level`.
    pub fn mark_at(&self, level: Level) -> Mark {
        self.newest_at(level).map(Mark::of).unwrap_or_default()
    }

    /// Notes that it was proven at the block of this number that there is no amount.
    pub fn note_without_amount(&mut self, number: u64) {
        self.without_amount_at = self.without_amount_at.max(Some(number));
    }

    /// Returns the number of the newest block at which that was proven.
    pub fn without_amount_at(&self) -> Option<u64> {
        self.without_amount_at
    }

    /// Takes `offered` if the rule lets it replace the present reading.
    pub fn offer(&mut self, offered: Candidate) -> Change {
        // All places share one copy, because a client can have very many records.
        let offered = Arc::new(offered);
        if is_strongest(&offered) && supersedes(&offered, self.finalized()) {
            self.finalized = Some(Arc::clone(&offered));
        }
        if !is_strongest(&offered) {
            self.keep_until_final(Arc::clone(&offered));
        }
        if supersedes(&offered, self.last()) {
            self.newest = Some(offered);
            Change::Replaced
        } else {
            Change::Kept
        }
    }

    /// Compares the readings with the present `chain`: raises their assurance, or withdraws what the chain excludes.
    pub fn review(&mut self, chain: &Chain) -> Change {
        self.review_awaiting(chain);
        self.forget_what_is_contradicted(chain);
        // L1 can take back even what counted as final on a rollup, and what was remembered.
        self.finalized.take_if(|held| chain.is_taken_back(held.anchor()));
        self.awaiting.retain(|held| !chain.is_taken_back(held.anchor()));
        let Some(newest) = &self.newest else { return Change::Kept };
        if let Some(again) = chain.anchor_again(newest.anchor()).and_then(|anchor| newest.under(anchor)) {
            // No copy is made if nothing changed.
            return if Mark::of(&again) == Mark::of(newest) { Change::Kept } else { self.offer(again) };
        }
        // Nothing withdraws a finalized reading: a chain that excludes one is a consensus fault, not a reorg.
        let is_final = newest.anchor.assurance().level() == Level::Finalized && !newest.restored;
        let is_ahead = newest.is_ahead_of(chain) && !chain.is_taken_back(newest.anchor());
        if is_final || chain.standing(newest.anchor()) == Standing::Stands || is_ahead {
            return Change::Kept;
        }
        let fallback = self.finalized.clone();
        match std::mem::replace(&mut self.newest, fallback) {
            Some(withdrawn) => Change::Withdrawn { withdrawn: Box::new(Arc::unwrap_or_clone(withdrawn)) },
            None => Change::Kept,
        }
    }

    /// Drops restored readings that contradict the chain about their block, or whose finalized block is not in the chain.
    /// They were never proven.
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
            // Drops the one nearest above another, so that the others stay spread out.
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
            let risen = again.filter(is_strongest);
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

/// The age and the assurance of a reading, in the order of the merge rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(Option<(u64, bool, bool)>);

impl Mark {
    /// Returns the highest mark of the block with this number.
    pub(crate) const fn at_block(number: u64) -> Self {
        Self(Some((number, true, true)))
    }

    /// Returns the mark of `held`: its block's number and level, and whether a provider proved it since the start.
    pub fn of(held: &Candidate) -> Self {
        Self(Some((held.anchor.number(), is_strongest(held), !held.restored)))
    }
}

/// Whether its block has the strongest assurance of its family.
fn is_strongest(held: &Candidate) -> bool {
    held.anchor.assurance().level().is_strongest()
}

fn supersedes(offered: &Candidate, held: Option<&Candidate>) -> bool {
    held.is_none_or(|held| Mark::of(offered) > Mark::of(held))
}
