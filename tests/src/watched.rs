//! Collects the changes of a watch.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use saldo::{Change, Clock, Freshness, Holding, Reading, Watch};

use crate::native;
use crate::scene::{ALICE, Scene};

/// Alice's native balance.
pub const ALICE_HOLDING: Holding = native(ALICE);
/// The length of a slot.
pub const SLOT: Duration = Duration::from_secs(12);

/// The changes of the watch within `duration`, with their times.
pub fn changes_within(scene: &Scene, watch: &mut Watch, duration: Duration) -> Vec<(Duration, Change)> {
    let clock = scene.simulation.clock();
    let (begin, end) = (clock.monotonic(), clock.monotonic() + duration);
    scene.simulation.run(async {
        let mut changes = Vec::new();
        loop {
            let over = clock.sleep(end.saturating_sub(clock.monotonic()));
            match select(watch.next().boxed(), over).await {
                Either::Left((change, _)) => changes.push((clock.monotonic() - begin, change)),
                Either::Right(_) => return changes,
            }
        }
    })
}

/// The readings among the changes, with their times and freshness.
pub fn readings(changes: &[(Duration, Change)]) -> Vec<(Duration, Reading, Option<Freshness>)> {
    let reading = |(at, change): &(Duration, Change)| match change {
        Change::Reading { reading, freshness, .. } => Some((*at, reading.clone(), *freshness)),
        _ => None,
    };
    changes.iter().filter_map(reading).collect()
}
