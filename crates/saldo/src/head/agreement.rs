//! What the checkpoint sources say together.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use saldo_source::Endpoint;

/// How many of the operators must name a block before their agreement counts for anything.
pub(crate) const LEAST_ANSWERS: usize = 3;

/// What the operators of all sources named, when they were asked for the block at one slot.
///
/// An operator is one voice, however many sources it runs; one that names two blocks has none. Names with one
/// [`Endpoint::operator_key_of`] are one operator.
#[derive(Debug, Default)]
pub(super) struct Voices {
    named: BTreeMap<String, Voice>,
}

#[derive(Debug)]
struct Voice {
    operator: String,
    roots: BTreeSet<B256>,
}

/// What follows from the voices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Enough operators named this block, and no other block was named by enough.
    Agreed {
        root: B256,
        /// Sorted, each once.
        operators: Vec<String>,
    },
    /// Enough operators answered, but no block was named by enough of them, or more than one.
    Disagreed,
    /// Too few operators answered for anything to follow.
    TooFew { answered: usize, needed: usize },
}

impl Voices {
    /// Counts that a source of `operator` named `root`.
    pub(super) fn hear(&mut self, operator: &str, root: B256) {
        let voice = self
            .named
            .entry(key(operator))
            .or_insert_with(|| Voice { operator: operator.to_owned(), roots: BTreeSet::new() });
        voice.roots.insert(root);
    }

    /// What follows, if `k` operators must name one block.
    pub(super) fn verdict(&self, k: usize) -> Verdict {
        let needed = needed(k);
        let answered = self.voices().count();
        if answered < needed {
            return Verdict::TooFew { answered, needed };
        }
        let roots: BTreeSet<B256> = self.voices().map(|(_, root)| root).collect();
        let mut reached = roots.into_iter().filter(|root| self.naming(*root).len() >= k);
        match (reached.next(), reached.next()) {
            (Some(root), None) => Verdict::Agreed { root, operators: self.naming(root) },
            _ => Verdict::Disagreed,
        }
    }

    /// Who named `root`, and nothing else; sorted.
    pub(super) fn naming(&self, root: B256) -> Vec<String> {
        let mut operators: Vec<String> = self
            .voices()
            .filter(|(_, named)| *named == root)
            .map(|(operator, _)| operator.to_owned())
            .collect();
        operators.sort();
        operators
    }

    /// Whether `k` operators named one and the same block that is not `root`.
    pub(super) fn contradict(&self, root: B256, k: usize) -> bool {
        self.voices().any(|(_, named)| named != root && self.naming(named).len() >= k)
    }

    fn voices(&self) -> impl Iterator<Item = (&str, B256)> {
        self.named.values().filter_map(|voice| {
            let mut roots = voice.roots.iter();
            match (roots.next(), roots.next()) {
                (Some(root), None) => Some((voice.operator.as_str(), *root)),
                _ => None,
            }
        })
    }
}

/// How many operators must answer if `k` of them must name one block.
pub(super) fn needed(k: usize) -> usize {
    LEAST_ANSWERS.max(k)
}

/// How many operators there are among these names.
pub(crate) fn distinct<'a>(operators: impl Iterator<Item = &'a str>) -> usize {
    operators.map(key).collect::<BTreeSet<_>>().len()
}

fn key(operator: &str) -> String {
    Endpoint::operator_key_of(operator)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: B256 = B256::repeat_byte(0xaa);
    const B: B256 = B256::repeat_byte(0xbb);

    fn verdict(k: usize, heard: &[(&str, B256)]) -> Verdict {
        let mut voices = Voices::default();
        heard.iter().for_each(|(operator, root)| voices.hear(operator, *root));
        voices.verdict(k)
    }

    fn agreed(root: B256, operators: &[&str]) -> Verdict {
        Verdict::Agreed { root, operators: operators.iter().map(|&operator| operator.to_owned()).collect() }
    }

    #[test]
    fn k_of_at_least_three_agree() {
        assert_eq!(verdict(2, &[("x", A), ("y", A), ("z", A)]), agreed(A, &["x", "y", "z"]));
        assert_eq!(verdict(2, &[("y", A), ("z", B), ("x", A)]), agreed(A, &["x", "y"]));
        assert_eq!(verdict(3, &[("x", A), ("y", A), ("z", B)]), Verdict::Disagreed);
    }

    #[test]
    fn a_host_written_in_two_ways_is_one_operator() {
        let heard = [("example.com", A), ("example.com.", A), ("www.example.com", A), ("y", A)];
        assert_eq!(verdict(2, &heard), Verdict::TooFew { answered: 2, needed: 3 });
    }

    #[test]
    fn two_answers_are_too_few_even_if_they_agree() {
        assert_eq!(verdict(2, &[("x", A), ("y", A)]), Verdict::TooFew { answered: 2, needed: 3 });
        assert_eq!(verdict(4, &[("x", A), ("y", A), ("z", A)]), Verdict::TooFew { answered: 3, needed: 4 });
        assert_eq!(verdict(2, &[]), Verdict::TooFew { answered: 0, needed: 3 });
    }

    #[test]
    fn two_blocks_with_enough_voices_each_are_a_disagreement() {
        assert_eq!(verdict(2, &[("w", A), ("x", A), ("y", B), ("z", B)]), Verdict::Disagreed);
        let c = B256::repeat_byte(0xcc);
        assert_eq!(verdict(2, &[("x", A), ("y", B), ("z", c)]), Verdict::Disagreed);
    }

    #[test]
    fn two_sources_of_one_operator_are_one_voice() {
        assert_eq!(verdict(2, &[("x", A), ("X ", A), ("y", A)]), Verdict::TooFew { answered: 2, needed: 3 });
        assert_eq!(verdict(2, &[("x", A), ("x", A), ("y", B), ("z", B)]), agreed(B, &["y", "z"]));
    }

    #[test]
    fn who_says_two_things_has_no_voice() {
        assert_eq!(verdict(2, &[("w", A), ("w", B), ("x", A), ("y", A), ("z", B)]), agreed(A, &["x", "y"]));
        assert_eq!(
            verdict(2, &[("w", A), ("w", B), ("x", A), ("y", A)]),
            Verdict::TooFew { answered: 2, needed: 3 }
        );
    }

    #[test]
    fn a_contradiction_needs_k_operators() {
        let mut voices = Voices::default();
        voices.hear("x", B);
        assert!(!voices.contradict(A, 2));
        voices.hear("y", B);
        assert!(voices.contradict(A, 2) && !voices.contradict(B, 2));
        assert_eq!(distinct(["x", "X", "y"].into_iter()), 2);
    }
}
