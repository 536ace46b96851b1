//! Pseudo-random choices, one after another from a seed.

use saldo_drill::Seed;

/// A sequence of pseudo-random choices: the same seed gives the same sequence.
#[derive(Clone, Debug)]
pub(super) struct Rng {
    seed: Seed,
    turn: u64,
}

impl Rng {
    pub(super) fn new(seed: u64, label: &str) -> Self {
        Self { seed: Seed::new(seed).child(label), turn: 0 }
    }

    /// A number below `bound`; 0 if that is 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.turn = self.turn.saturating_add(1);
        self.seed.below(bound, "dice", self.turn)
    }

    /// A number from `least` to `most`, both included.
    pub(super) fn between(&mut self, least: u64, most: u64) -> u64 {
        least.saturating_add(self.below(most.saturating_sub(least).saturating_add(1)))
    }

    /// True with this probability in percent.
    pub(super) fn chance(&mut self, of_hundred: u64) -> bool {
        self.below(100) < of_hundred
    }

    /// One of these.
    pub(super) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        let last = u64::try_from(of.len()).unwrap_or(u64::MAX);
        let place = usize::try_from(self.below(last)).unwrap_or(0);
        of.get(place).or(of.first()).cloned().expect("there is something to choose from")
    }

    /// One of these, each as often as its weight says.
    pub(super) fn weighted<T: Clone>(&mut self, of: &[(u64, T)]) -> T {
        let sum = of.iter().fold(0_u64, |sum, (weight, _)| sum.saturating_add(*weight));
        let mut left = self.below(sum);
        for (weight, item) in of {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return item.clone(),
            }
        }
        of.last().map(|(_, item)| item.clone()).expect("there is something to choose from")
    }
}
