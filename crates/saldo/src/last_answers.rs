//! The last proven answer to each question.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::{B256, keccak256};
use saldo_chain::{Anchor, Standing};
use saldo_reading::Generation;

use crate::head::{Head, HeadView};

/// Keeps the last proven answer to each of a bounded number of questions.
#[derive(Debug, Default)]
pub(crate) struct LastAnswers(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    answers: BTreeMap<B256, Noted>,
    /// The questions in the order in which they were answered last.
    order: BTreeMap<u64, B256>,
    next: u64,
    bytes: usize,
    /// The revision of the chain that the answers were reviewed against.
    reviewed: u64,
}

#[derive(Debug)]
struct Noted {
    answer: Arc<str>,
    anchor: Anchor,
    /// The trust start that it follows from.
    generation: Generation,
    place: u64,
}

/// An answer that was proven once.
#[derive(Clone, Debug)]
pub struct LastAnswer {
    answer: Arc<str>,
    anchor: Anchor,
    age: Option<Duration>,
}

impl LastAnswers {
    const MOST: usize = 8_192;
    const MOST_BYTES: usize = 8 << 20;
    const LARGEST: usize = 64 << 10;

    /// Keeps `answer`, which was proven at the block `anchor`, unless the chain does not hold that block now, or an answer at a newer
    /// one is kept.
    pub(crate) fn keep(&self, head: &Head, question: &str, answer: &str, anchor: &Anchor) {
        let held = |view: &HeadView<'_>| view.chain.anchor_again(anchor).map(|_| view.generation);
        if let Some(generation) = head.look(held) {
            self.review(head);
            self.kept().keep(question, answer, anchor, generation);
        }
    }

    /// The last answer to `question`; `None` if there is none that may be shown.
    pub(crate) fn last(&self, head: &Head, question: &str) -> Option<LastAnswer> {
        self.review(head);
        let (generation, is_of_chain) = head.look(|view| (view.generation, view.wrong_chain_id.is_none()));
        let kept = self.kept();
        let noted = kept.answers.get(&keccak256(question));
        let Noted { answer, anchor, .. } =
            noted.filter(|noted| noted.generation == generation && is_of_chain)?;
        let (answer, anchor) = (Arc::clone(answer), anchor.clone());
        drop(kept);
        let age = head.now().age_of(anchor.timestamp());
        Some(LastAnswer { answer, anchor, age })
    }

    /// Drops what the chain withdrew, and what follows from an earlier trust start.
    pub(crate) fn review(&self, head: &Head) {
        head.look(|view| {
            let mut kept = self.kept();
            if std::mem::replace(&mut kept.reviewed, view.revision) != view.revision {
                let stands = |noted: &Noted| {
                    noted.generation == view.generation
                        && view.chain.standing(&noted.anchor) != Standing::Withdrawn
                };
                kept.retain(stands);
            }
        });
    }

    /// Drops all.
    pub(crate) fn clear(&self) {
        *self.kept() = Kept::default();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn keep(&mut self, question: &str, answer: &str, anchor: &Anchor, generation: Generation) {
        let key = keccak256(question);
        let is_newer =
            |noted: &Noted| noted.generation == generation && noted.anchor.number() > anchor.number();
        if answer.len() > LastAnswers::LARGEST || self.answers.get(&key).is_some_and(is_newer) {
            return;
        }
        self.remove(key);
        let place = self.next;
        self.next = place.wrapping_add(1);
        self.order.insert(place, key);
        self.bytes = self.bytes.saturating_add(answer.len());
        self.answers.insert(key, Noted { answer: answer.into(), anchor: anchor.clone(), generation, place });
        while self.answers.len() > LastAnswers::MOST || self.bytes > LastAnswers::MOST_BYTES {
            let Some((_, oldest)) = self.order.first_key_value() else { break };
            self.remove(*oldest);
        }
    }

    fn remove(&mut self, key: B256) {
        if let Some(noted) = self.answers.remove(&key) {
            self.order.remove(&noted.place);
            self.bytes = self.bytes.saturating_sub(noted.answer.len());
        }
    }

    fn retain(&mut self, stands: impl Fn(&Noted) -> bool) {
        let gone = self.answers.iter().filter(|(_, noted)| !stands(noted)).map(|(key, _)| *key);
        for key in gone.collect::<Vec<_>>() {
            self.remove(key);
        }
    }
}

impl LastAnswer {
    /// Returns the answer as it was kept.
    pub fn answer(&self) -> &str {
        &self.answer
    }

    /// Returns the block at which it was proven.
    pub const fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// Returns how old the block was when the answer was asked for; `None` if the clock is wrong.
    pub const fn age(&self) -> Option<Duration> {
        self.age
    }
}

#[cfg(test)]
mod tests {
    use saldo_chain::Level;

    use super::*;
    use crate::made;

    fn held(kept: &Kept, question: &str) -> Option<(String, u64)> {
        kept.answers.get(&keccak256(question)).map(|noted| (noted.answer.to_string(), noted.anchor.number()))
    }

    fn at(number: u64) -> Anchor {
        made::block(number, number.saturating_mul(12), B256::ZERO, Level::Signed)
    }

    #[test]
    fn the_answer_of_the_newest_block_is_kept() {
        let mut kept = Kept::default();
        for (answer, number) in [("5", 7), ("4", 6), ("6", 8), ("66", 8)] {
            kept.keep("q", answer, &at(number), Generation::FIRST);
        }
        assert_eq!(held(&kept, "q"), Some(("66".to_owned(), 8)));
        assert_eq!((held(&kept, "Q"), kept.bytes), (None, 2));
        // Blocks of an earlier trust start can have any number.
        kept.keep("q", "7", &at(2), Generation::FIRST.next());
        assert_eq!(held(&kept, "q"), Some(("7".to_owned(), 2)));
        kept.retain(|noted| noted.generation == Generation::FIRST);
        assert_eq!((kept.answers.len(), kept.order.len(), kept.bytes), (0, 0, 0));
    }

    #[test]
    fn what_was_answered_longest_ago_is_evicted() {
        let mut kept = Kept::default();
        let anchor = at(1);
        for number in 0..LastAnswers::MOST {
            kept.keep(&number.to_string(), "7", &anchor, Generation::FIRST);
        }
        kept.keep("0", "8", &anchor, Generation::FIRST);
        kept.keep("another", "9", &anchor, Generation::FIRST);
        assert_eq!((held(&kept, "0"), held(&kept, "1")), (Some(("8".to_owned(), 1)), None));
        let large = "7".repeat(LastAnswers::LARGEST);
        for number in 0..=LastAnswers::MOST_BYTES / LastAnswers::LARGEST {
            kept.keep(&format!("large {number}"), &large, &anchor, Generation::FIRST);
        }
        kept.keep("too large", &"7".repeat(LastAnswers::LARGEST + 1), &anchor, Generation::FIRST);
        assert_eq!(kept.bytes, LastAnswers::MOST_BYTES);
        assert_eq!((kept.answers.len(), kept.order.len()), (128, 128));
    }
}
