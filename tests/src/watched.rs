//! What a watch of a scene tells.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use saldo::{Asset, Change, Clock, Freshness, Holding, Reading, Watch};

use crate::scene::{ALICE, Scene};

/// What Alice holds.
pub const ALICES: Holding = Holding { owner: ALICE, asset: Asset::Native };
/// How long a slot is.
pub const SLOT: Duration = Duration::from_secs(12);

/// What the watch tells within `duration`, and when.
pub fn hear(scene: &Scene, watch: &mut Watch, duration: Duration) -> Vec<(Duration, Change)> {
    let clock = scene.simulation.clock();
    let (begin, end) = (clock.monotonic(), clock.monotonic() + duration);
    scene.simulation.run(async {
        let mut heard = Vec::new();
        loop {
            let over = clock.sleep(end.saturating_sub(clock.monotonic()));
            match select(watch.next().boxed(), over).await {
                Either::Left((change, _)) => heard.push((clock.monotonic() - begin, change)),
                Either::Right(_) => return heard,
            }
        }
    })
}

/// The readings among it, each with how fresh it was.
pub fn readings(heard: &[(Duration, Change)]) -> Vec<(Duration, Reading, Option<Freshness>)> {
    let reading = |(at, change): &(Duration, Change)| match change {
        Change::Reading { reading, freshness, .. } => Some((*at, reading.clone(), *freshness)),
        _ => None,
    };
    heard.iter().filter_map(reading).collect()
}
