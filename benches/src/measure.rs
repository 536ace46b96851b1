//! Interleaved rounds: the three sides take turns, so that a slow phase of the machine affects all of them.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::row::{Bound, Row, Side};

/// The least time that one side works in one round, so that the cost of reading the clock does not matter.
const LEAST: Duration = Duration::from_millis(2);

/// The result for one row. Times are medians over all rounds, in microseconds; ratios are medians of the ratios
/// within a round.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// The row's name.
    pub name: &'static str,
    /// What the row measures.
    pub what: String,
    /// The limit's time.
    pub limit: Option<f64>,
    /// The peer's time.
    pub peer: Option<f64>,
    /// Our time.
    pub ours: f64,
    /// Our time divided by the limit's.
    pub ratio_to_limit: Option<f64>,
    /// Our time divided by the peer's.
    pub ratio_to_peer: Option<f64>,
    /// The bound, as text.
    pub must_reach: String,
    /// Whether the bound is reached.
    pub reached: bool,
}

/// Measures a row over this many rounds, at least one.
///
/// # Errors
/// The side whose work gave a wrong result.
pub fn measure(name: &'static str, row: &mut Row, rounds: usize) -> Result<Measured, Side> {
    const SIDES: [Side; 3] = [Side::Limit, Side::Peer, Side::Ours];
    let mut repeats = [1_u32; 3];
    for (side, repeats) in SIDES.into_iter().zip(&mut repeats) {
        // This also warms up caches.
        while let Some(each) = time(row, side, *repeats)? {
            if each.saturating_mul(*repeats) >= LEAST {
                break;
            }
            *repeats = repeats.saturating_mul(2);
        }
    }
    let mut times: [Vec<f64>; 3] = Default::default();
    for _ in 0..rounds.max(1) {
        for ((side, repeats), times) in SIDES.into_iter().zip(repeats).zip(&mut times) {
            times.extend(time(row, side, repeats)?.map(|each| each.as_secs_f64() * 1e6));
        }
    }
    let [limit, peer, ours] = times;
    let ratio = |other: &[f64]| median(ours.iter().zip(other).map(|(ours, other)| ours / other).collect());
    let (ratio_to_limit, ratio_to_peer) = (ratio(&limit), ratio(&peer));
    let more = median(ours.iter().zip(&limit).map(|(ours, limit)| ours - limit).collect());
    let ours = median(ours.clone()).unwrap_or(f64::INFINITY);
    let (must_reach, reached) = match row.bound {
        Bound::TimesLimit(bound) => {
            (format!("{bound:.2} x limit"), ratio_to_limit.is_some_and(|ratio| ratio <= bound))
        }
        Bound::Microseconds(bound) => (format!("{bound:.0} us"), ours <= bound),
        Bound::MoreThanLimit(bound) => {
            (format!("limit + {bound:.0} us"), more.is_some_and(|more| more <= bound))
        }
    };
    let what = row.what.clone();
    let (limit, peer) = (median(limit), median(peer));
    Ok(Measured { name, what, limit, peer, ours, ratio_to_limit, ratio_to_peer, must_reach, reached })
}

/// The time of one call, averaged over `repeats` calls; `None` if the row has no such side.
fn time(row: &mut Row, side: Side, repeats: u32) -> Result<Option<Duration>, Side> {
    let Some(work) = row.side(side) else { return Ok(None) };
    let start = Instant::now();
    for _ in 0..repeats {
        if !work() {
            return Err(side);
        }
    }
    Ok(start.elapsed().checked_div(repeats))
}

fn median(mut times: Vec<f64>) -> Option<f64> {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}
