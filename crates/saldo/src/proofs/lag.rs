//! How far providers are behind the signed blocks, as they say themselves. It only decides which reason is given.

use saldo_reading::{Attempt, Failure, Outcome, ProviderId, Why};
use saldo_source::SortedMap;

/// A provider that does not have the newest signed block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lag {
    /// The number of the signed block that it did not have first.
    first: u64,
    /// The number of the signed block that it did not have last.
    last: u64,
    /// How many blocks it is behind, if it says so.
    blocks: Option<u64>,
}

impl Lag {
    /// A block travels to all nodes within its slot, so one block is no lag.
    const USUAL_BLOCKS: u64 = 1;
    /// A provider that still lacks the signed block after so many blocks will not have it in a slot or two.
    const PATIENCE: u64 = 2;

    fn is_of_many_blocks(&self) -> bool {
        self.blocks.is_some_and(|blocks| blocks > Self::USUAL_BLOCKS)
    }

    fn is_long(&self) -> bool {
        self.last.saturating_sub(self.first) > Self::PATIENCE
    }
}

/// The lags by provider.
#[derive(Default)]
pub(super) struct Lags(SortedMap<ProviderId, Lag>);

impl Lags {
    /// Records that `provider` does not have the signed block `head`, and that it is `blocks` behind, if it says so.
    pub(super) fn note(&mut self, provider: &ProviderId, head: u64, blocks: Option<u64>) {
        let first = self.0.get(provider).map_or(head, |lag| lag.first.min(head));
        self.0.insert(provider.clone(), Lag { first, last: head, blocks });
    }

    /// Records that `provider` has the newest signed block.
    pub(super) fn forget(&mut self, provider: &ProviderId) {
        self.0.remove(provider);
    }

    fn of(&self, provider: &ProviderId) -> Option<Lag> {
        self.0.get(provider).copied()
    }

    /// The reason `why` of a read with these `attempts`, or the lag of the providers, where that is the reason.
    ///
    /// If one provider that lacks the block may have it soon, or does not lag, the reason stays.
    pub(super) fn or_lag(&self, why: Why, attempts: &[Attempt]) -> Why {
        let is_of = |attempt: &&Attempt| match why {
            Why::UnsignedTip => attempt.outcome == Outcome::Pending,
            Why::ProvidersBehind { .. } => attempt.outcome.failure() == Some(&Failure::NotSynced),
            _ => false,
        };
        let lags: Vec<Option<Lag>> =
            attempts.iter().filter(is_of).map(|attempt| self.of(&attempt.provider)).collect();
        let lags_behind = |lag: &Option<Lag>| lag.is_some_and(|lag| lag.is_of_many_blocks() || lag.is_long());
        if lags.is_empty() || !lags.iter().all(lags_behind) {
            return why;
        }
        let said = lags.iter().flatten().filter(|lag| lag.is_of_many_blocks()).filter_map(|lag| lag.blocks);
        Why::ProvidersBehind { blocks: said.min() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lag_is_long_after_three_blocks_and_ends_when_the_provider_has_a_block() {
        let provider = ProviderId::new("a").unwrap();
        let mut lags = Lags::default();
        for (head, is_long) in [(100, false), (101, false), (102, false), (103, true)] {
            lags.note(&provider, head, None);
            assert_eq!(lags.of(&provider).unwrap().is_long(), is_long, "{head}");
        }
        lags.forget(&provider);
        assert_eq!(lags.of(&provider), None);
        lags.note(&provider, 104, None);
        assert!(!lags.of(&provider).unwrap().is_long());
    }

    #[test]
    fn one_block_is_no_lag() {
        let lag = |blocks| Lag { first: 7, last: 7, blocks };
        assert_eq!([None, Some(0), Some(1)].map(|blocks| lag(blocks).is_of_many_blocks()), [false; 3]);
        assert_eq!([Some(2), Some(283)].map(|blocks| lag(blocks).is_of_many_blocks()), [true; 2]);
    }
}
