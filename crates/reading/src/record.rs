//! The merge rule: what replaces a proven reading, and what takes it back.

use saldo_chain::{Chain, Level, Standing};

use crate::reading::Proven;

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
        withdrawn: Box<Proven>,
    },
}

/// The proven readings of one holding: the newest, and the newest finalized one to fall back to.
///
/// **The rule.** A proven reading replaces another if its block is higher, or the same height with stronger
/// assurance. One exception: when the chain excludes its block, it is withdrawn, and the best finalized one returns.
/// Errors and silence have no way in.
#[derive(Clone, Debug, Default)]
pub struct Record {
    newest: Option<Proven>,
    finalized: Option<Proven>,
}

impl Record {
    /// A record without any reading yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The reading to show.
    pub fn last(&self) -> Option<&Proven> {
        self.newest.as_ref()
    }

    /// Takes `offered` if the rule lets it replace what is there.
    pub fn offer(&mut self, offered: Proven) -> Change {
        if offered.anchor.assurance().level() == Level::Finalized
            && supersedes(&offered, self.finalized.as_ref())
        {
            self.finalized = Some(offered.clone());
        }
        if supersedes(&offered, self.newest.as_ref()) {
            self.newest = Some(offered);
            Change::Replaced
        } else {
            Change::Kept
        }
    }

    /// Holds the reading against what `chain` knows now: surer if its block is, withdrawn if the chain excludes it.
    pub fn review(&mut self, chain: &Chain) -> Change {
        let Some(newest) = &self.newest else { return Change::Kept };
        if let Some(again) = chain.anchor_again(newest.anchor()).and_then(|anchor| newest.under(anchor)) {
            return self.offer(again);
        }
        // Nothing withdraws a finalized reading: a chain that excludes one is a consensus fault, not a reorg.
        if newest.anchor.assurance().level() == Level::Finalized
            || chain.standing(newest.anchor()) == Standing::Stands
        {
            return Change::Kept;
        }
        let fallback = self.finalized.clone();
        match std::mem::replace(&mut self.newest, fallback) {
            Some(withdrawn) => Change::Withdrawn { withdrawn: Box::new(withdrawn) },
            None => Change::Kept,
        }
    }
}

fn supersedes(offered: &Proven, held: Option<&Proven>) -> bool {
    held.is_none_or(|held| {
        let key = |proven: &Proven| (proven.anchor.number(), proven.anchor.assurance().level());
        key(offered) > key(held)
    })
}
