//! How many operators name the block of a claim.

use std::fmt;

/// Several independent operators name the block of a claim.
///
/// It is a label of a reading that is not proven, and no level: a [`Policy`](crate::Policy) cannot ask for it in place of one. Its words
/// say what one trusts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    operators: usize,
}

impl Quorum {
    /// The label of a block that so many operators name; `None` for fewer than two.
    pub fn of(operators: usize) -> Option<Self> {
        (operators >= 2).then_some(Self { operators })
    }

    /// Returns how many operators name the block.
    pub fn operators(&self) -> usize {
        self.operators
    }
}

/// What is known, and what one trusts, in a sentence.
impl fmt::Display for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} operators name the same block; that proves nothing: one trusts that they do not lie together, and do not have it from one source",
            self.operators
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_operator_is_no_quorum() {
        assert_eq!([0, 1].map(Quorum::of), [None, None]);
        let quorum = Quorum::of(3).unwrap();
        assert_eq!(quorum.operators(), 3);
        assert!(quorum.to_string().starts_with("3 operators name the same block; that proves nothing"));
    }
}
