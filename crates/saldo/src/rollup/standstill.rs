//! Tells a rollup that makes no new blocks from providers that lag behind it.

use std::time::Duration;

use saldo_beacon::unit::UnixTime;
use saldo_source::SortedSet;

use crate::rollup_health::RollupHealth;

/// How far the heads of two operators may differ to be the same standstill.
const SAME: Duration = Duration::from_secs(60);
/// How many operators must stand at it. One alone may lag.
const LEAST_OPERATORS: usize = 2;

/// Whether a head of this time is so old that the rollup may stand still.
pub(super) fn is_doubtful(head: UnixTime, now: UnixTime) -> bool {
    now.saturating_sub(head) >= RollupHealth::STANDSTILL
}

/// The time of the newest block, if the rollup stands still: the heads of several operators are old, and the same. `heads` has the
/// operator and the time of each.
pub(super) fn since(heads: &[(String, UnixTime)], now: UnixTime) -> Option<UnixTime> {
    let newest = heads.iter().map(|(_, time)| *time).max()?;
    let there = heads.iter().filter(|(_, time)| newest.saturating_sub(*time) <= SAME);
    let operators: SortedSet<&str> = there.map(|(operator, _)| operator.as_str()).collect();
    (is_doubtful(newest, now) && operators.len() >= LEAST_OPERATORS).then_some(newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_operators_stand_at_one_old_block() {
        let now = UnixTime::from_secs(10_000);
        let heads = |heads: &[(&str, u64)]| -> Vec<(String, UnixTime)> {
            heads
                .iter()
                .map(|(operator, time)| ((*operator).to_owned(), UnixTime::from_secs(*time)))
                .collect()
        };
        let stands = |of: &[(&str, u64)]| since(&heads(of), now).map(UnixTime::as_secs);
        assert_eq!(stands(&[("anna", 9_700), ("bert", 9_690)]), Some(9_700));
        assert_eq!(stands(&[("anna", 9_701), ("bert", 9_701)]), None, "not old enough");
        assert_eq!(stands(&[("anna", 9_000), ("anna", 9_000)]), None, "one operator");
        assert_eq!(stands(&[("anna", 9_700), ("bert", 9_600)]), None, "one of them lags");
        assert_eq!(stands(&[("anna", 9_000), ("bert", 9_000), ("carl", 9_990)]), None, "two of them lag");
        assert_eq!(stands(&[]), None);
    }
}
