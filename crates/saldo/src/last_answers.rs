//! The last proven answer to each question.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alloy_primitives::{B256, keccak256};
use saldo_chain::Anchor;

use crate::client::Client;

/// Keeps the last proven answer to each of a bounded number of questions. For layers that answer requests: where nothing is proven
/// now, they show it with its age.
///
/// At most 8,192 answers are kept, with 8 MiB of text, and none of more than 64 KiB. The oldest make room.
#[derive(Debug, Default)]
pub struct LastAnswers(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    answers: BTreeMap<B256, (Arc<str>, Anchor)>,
    /// The oldest is the first.
    order: VecDeque<B256>,
    bytes: usize,
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

    /// Keeps `answer`, which was proven at the block `anchor`, unless an answer of a newer block is kept.
    pub fn note(&self, question: &str, answer: &str, anchor: &Anchor) {
        if answer.len() > Self::LARGEST {
            return;
        }
        let key = keccak256(question);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.answers.get(&key).is_some_and(|(_, known)| known.number() > anchor.number()) {
            return;
        }
        kept.bytes = kept.bytes.saturating_add(answer.len());
        match kept.answers.insert(key, (answer.into(), anchor.clone())) {
            Some((former, _)) => kept.bytes = kept.bytes.saturating_sub(former.len()),
            None => kept.order.push_back(key),
        }
        while kept.order.len() > Self::MOST || kept.bytes > Self::MOST_BYTES {
            let Some(oldest) = kept.order.pop_front() else { break };
            let dropped = kept.answers.remove(&oldest).map_or(0, |(answer, _)| answer.len());
            kept.bytes = kept.bytes.saturating_sub(dropped);
        }
    }

    /// Returns the last proven answer to `question`; `None` if none is kept, or if the chain of `client` withdrew its block.
    pub fn last(&self, client: &Client, question: &str) -> Option<LastAnswer> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (answer, anchor) = kept.answers.get(&keccak256(question)).cloned()?;
        drop(kept);
        let age = client.now().age_of(anchor.timestamp());
        (!client.is_withdrawn(&anchor)).then_some(LastAnswer { answer, anchor, age })
    }
}

impl LastAnswer {
    /// Returns the answer as it was noted.
    pub fn answer(&self) -> &str {
        &self.answer
    }

    /// Returns the block at which it was proven.
    pub const fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// Returns how old the block was when the answer was asked for; `None` if the clock is behind it.
    pub const fn age(&self) -> Option<Duration> {
        self.age
    }
}

#[cfg(test)]
mod tests {
    use saldo_chain::Level;

    use super::*;
    use crate::made;

    fn held(lasts: &LastAnswers, question: &str) -> Option<(String, u64)> {
        let kept = lasts.0.lock().unwrap();
        kept.answers.get(&keccak256(question)).map(|(answer, anchor)| (answer.to_string(), anchor.number()))
    }

    fn at(number: u64) -> Anchor {
        made::block(number, number * 12, B256::ZERO, Level::Signed)
    }

    #[test]
    fn the_answer_of_the_newest_block_is_kept() {
        let lasts = LastAnswers::default();
        for (answer, number) in [("5", 7), ("4", 6), ("6", 8), ("66", 8)] {
            lasts.note("q", answer, &at(number));
        }
        assert_eq!(held(&lasts, "q"), Some(("66".to_owned(), 8)));
        assert_eq!(held(&lasts, "Q"), None);
        assert_eq!(lasts.0.lock().unwrap().bytes, 2);
    }

    #[test]
    fn the_oldest_make_room() {
        let lasts = LastAnswers::default();
        let anchor = at(1);
        for number in 0..=LastAnswers::MOST {
            lasts.note(&number.to_string(), "7", &anchor);
        }
        assert_eq!((held(&lasts, "0"), held(&lasts, "1")), (None, Some(("7".to_owned(), 1))));
        let large = "7".repeat(LastAnswers::LARGEST);
        for number in 0..=LastAnswers::MOST_BYTES / LastAnswers::LARGEST {
            lasts.note(&format!("large {number}"), &large, &anchor);
        }
        lasts.note("too large", &"7".repeat(LastAnswers::LARGEST + 1), &anchor);
        let kept = lasts.0.lock().unwrap();
        assert_eq!(kept.bytes, LastAnswers::MOST_BYTES);
        assert_eq!((kept.answers.len(), kept.order.len()), (128, 128));
    }
}
