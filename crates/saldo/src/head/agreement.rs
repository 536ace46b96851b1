//! The votes of the checkpoint sources, and the verdict that follows from them.

use alloy_primitives::B256;
use saldo_source::{Endpoint, SortedMap, SortedSet, sort_by};

/// The least number of operators that must answer before an agreement counts.
pub(crate) const LEAST_ANSWERS: usize = 3;

/// The votes of all operators on the block at one slot.
///
/// Each operator has one vote, however many sources it runs. An operator that names two blocks has no vote.
/// Names with the same [`Endpoint::operator_key_of`] are one operator.
#[derive(Debug, Default)]
pub(super) struct Votes {
    named: SortedMap<String, Vote>,
}

#[derive(Debug)]
struct Vote {
    operator: String,
    roots: SortedSet<B256>,
}

/// The result of the votes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Enough operators named this block, and no other block was named by enough.
    Agreed {
        root: B256,
        /// The operators that named it, sorted, each once.
        operators: Vec<String>,
    },
    /// Enough operators answered, but no block was named by enough of them, or more than one.
    Disagreed,
    /// Too few operators answered to decide.
    TooFew { answered: usize, needed: usize },
}

impl Votes {
    /// Adds the vote of a source of `operator` for `root`.
    pub(super) fn count(&mut self, operator: &str, root: B256) {
        let vote = self
            .named
            .entry(key(operator))
            .or_insert_with(|| Vote { operator: operator.to_owned(), roots: SortedSet::new() });
        vote.roots.insert(root);
    }

    /// The verdict, if `k` operators must name one block.
    pub(super) fn verdict(&self, k: usize) -> Verdict {
        let needed = needed(k);
        let answered = self.votes().count();
        if answered < needed {
            return Verdict::TooFew { answered, needed };
        }
        let roots: SortedSet<B256> = self.votes().map(|(_, root)| root).collect();
        let mut reached = roots.into_iter().filter(|root| self.naming(*root).len() >= k);
        match (reached.next(), reached.next()) {
            (Some(root), None) => Verdict::Agreed { root, operators: self.naming(root) },
            _ => Verdict::Disagreed,
        }
    }

    /// The operators that named `root` and no other block, sorted.
    pub(super) fn naming(&self, root: B256) -> Vec<String> {
        let mut operators: Vec<String> = self
            .votes()
            .filter(|(_, named)| *named == root)
            .map(|(operator, _)| operator.to_owned())
            .collect();
        sort_by(&mut operators, String::cmp);
        operators
    }

    /// Whether at least `k` operators named the same block, and that block is not `root`.
    pub(super) fn contradict(&self, root: B256, k: usize) -> bool {
        self.votes().any(|(_, named)| named != root && self.naming(named).len() >= k)
    }

    fn votes(&self) -> impl Iterator<Item = (&str, B256)> {
        self.named.values().filter_map(|vote| {
            let mut roots = vote.roots.iter();
            match (roots.next(), roots.next()) {
                (Some(root), None) => Some((vote.operator.as_str(), *root)),
                _ => None,
            }
        })
    }
}

/// The number of operators that must answer if `k` of them must name one block.
pub(super) fn needed(k: usize) -> usize {
    LEAST_ANSWERS.max(k)
}

/// The number of operators among these names.
pub(crate) fn distinct<'a>(operators: impl Iterator<Item = &'a str>) -> usize {
    operators.map(key).collect::<SortedSet<_>>().len()
}

fn key(operator: &str) -> String {
    Endpoint::operator_key_of(operator)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: B256 = B256::repeat_byte(0xaa);
    const B: B256 = B256::repeat_byte(0xbb);

    fn verdict(k: usize, named: &[(&str, B256)]) -> Verdict {
        let mut votes = Votes::default();
        named.iter().for_each(|(operator, root)| votes.count(operator, *root));
        votes.verdict(k)
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
        let named = [("example.com", A), ("example.com.", A), ("www.example.com", A), ("y", A)];
        assert_eq!(verdict(2, &named), Verdict::TooFew { answered: 2, needed: 3 });
    }

    #[test]
    fn two_answers_are_too_few_even_if_they_agree() {
        assert_eq!(verdict(2, &[("x", A), ("y", A)]), Verdict::TooFew { answered: 2, needed: 3 });
        assert_eq!(verdict(4, &[("x", A), ("y", A), ("z", A)]), Verdict::TooFew { answered: 3, needed: 4 });
        assert_eq!(verdict(2, &[]), Verdict::TooFew { answered: 0, needed: 3 });
    }

    #[test]
    fn two_blocks_with_enough_votes_each_are_a_disagreement() {
        assert_eq!(verdict(2, &[("w", A), ("x", A), ("y", B), ("z", B)]), Verdict::Disagreed);
        let c = B256::repeat_byte(0xcc);
        assert_eq!(verdict(2, &[("x", A), ("y", B), ("z", c)]), Verdict::Disagreed);
    }

    #[test]
    fn two_sources_of_one_operator_have_one_vote() {
        assert_eq!(verdict(2, &[("x", A), ("X ", A), ("y", A)]), Verdict::TooFew { answered: 2, needed: 3 });
        assert_eq!(verdict(2, &[("x", A), ("x", A), ("y", B), ("z", B)]), agreed(B, &["y", "z"]));
    }

    #[test]
    fn an_operator_that_names_two_blocks_has_no_vote() {
        assert_eq!(verdict(2, &[("w", A), ("w", B), ("x", A), ("y", A), ("z", B)]), agreed(A, &["x", "y"]));
        assert_eq!(
            verdict(2, &[("w", A), ("w", B), ("x", A), ("y", A)]),
            Verdict::TooFew { answered: 2, needed: 3 }
        );
    }

    #[test]
    fn a_contradiction_needs_k_operators() {
        let mut votes = Votes::default();
        votes.count("x", B);
        assert!(!votes.contradict(A, 2));
        votes.count("y", B);
        assert!(votes.contradict(A, 2) && !votes.contradict(B, 2));
        assert_eq!(distinct(["x", "X", "y"].into_iter()), 2);
    }
}
