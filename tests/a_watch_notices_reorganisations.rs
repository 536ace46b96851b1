//! A watch notices a reorganisation that removes the shown block, even if the balance stays the same, and reports it.

use std::time::Duration;

use alloy_primitives::B256;
use futures_util::FutureExt;
use futures_util::future::{join, select};
use saldo::{Change, Clock, Pace, Proven, Watch};
use saldo_drill::Fault;
use saldo_tests::scene::{AFTER, ALICE, BOB, Scene};
use saldo_tests::watched::{ALICE_HOLDING, SLOT, changes_within, readings};

/// A reorganisation removes the block. The watch reports the withdrawal, and then the reading that holds instead.
#[test]
fn a_withdrawal_is_reported_as_such() {
    let scene = Scene::new(6, 1, 1);
    let mut watch = scene.client.watch([ALICE_HOLDING]);
    let first = changes_within(&scene, &mut watch, Duration::from_secs(6));
    let shown = readings(&first).last().unwrap().1.proven().unwrap().clone();
    scene.chain.set_balance(ALICE, AFTER);
    scene.chain.reorg(2);
    let changes = changes_within(&scene, &mut watch, SLOT * 6);
    let place = changes
        .iter()
        .position(|(_, change)| matches!(change, Change::Withdrawn { .. }))
        .expect("a withdrawal");
    let Change::Withdrawn { holding, withdrawn, last, .. } = &changes[place].1 else { unreachable!() };
    assert_eq!((*holding, withdrawn.anchor().hash()), (ALICE_HOLDING, shown.anchor().hash()));
    assert_eq!(*last, None);
    let then = readings(&changes[place..]);
    assert_eq!(scene.assert_true(&then.last().unwrap().1, ALICE), AFTER);
    // No later change shows the withdrawn reading again.
    let again = changes[place + 1..].iter().filter_map(|(_, change)| change.latest_proven());
    assert!(again.into_iter().all(|proven| proven.anchor().hash() != shown.anchor().hash()));
}

/// Shows a reading some slots after the first head, then a reorganisation that removes its block but keeps the
/// balance. Between that block and the newest head, the other branch has `more` blocks more than are fetched at
/// once.
fn reorganised_below(seed: u64, slots: u32, more: u64) -> (Scene, Watch, Proven) {
    let scene = Scene::new(seed, 1, 1);
    let mut watch = scene.client.watch([ALICE_HOLDING]);
    let first = changes_within(&scene, &mut watch, SLOT * slots);
    let shown = readings(&first).last().unwrap().1.proven().unwrap().clone();
    let depth = scene.chain.tip().number - shown.anchor().number() + 1;
    // The shown block counts, and so does the first head of the other branch.
    assert_eq!(depth, 5 + more);
    scene.chain.reorg(depth);
    (scene, watch, shown)
}

fn headers(scene: &Scene) -> usize {
    let log = scene.simulation.internet().log();
    log.iter().filter(|it| String::from_utf8_lossy(&it.body).contains("eth_getBlockByHash")).count()
}

fn withdrawn(changes: &[(Duration, Change)]) -> Option<B256> {
    changes.iter().find_map(|(_, change)| match change {
        Change::Withdrawn { withdrawn, .. } => Some(withdrawn.anchor().hash()),
        _ => None,
    })
}

/// At the first head of the other branch, up to four headers between the newest head and the shown block are fetched.
#[test]
fn a_deep_reorganisation_is_noticed_at_the_next_head() {
    let (scene, mut watch, shown) = reorganised_below(8, 3, 0);
    let changes = changes_within(&scene, &mut watch, SLOT * 2);
    assert_eq!(withdrawn(&changes), Some(shown.anchor().hash()), "{changes:?}");
    scene.assert_true(&readings(&changes).last().unwrap().1, ALICE);
}

/// At first the providers may still be on the old branch.
#[test]
fn a_header_that_no_provider_has_yet_is_requested_again() {
    let (scene, mut watch, shown) = reorganised_below(8, 3, 0);
    scene.providers[0].add(Fault::NullResult.on("eth_getBlockByHash"));
    assert_eq!(withdrawn(&changes_within(&scene, &mut watch, SLOT * 2)), None);
    scene.providers[0].clear();
    let changes = changes_within(&scene, &mut watch, SLOT * 2);
    assert_eq!(withdrawn(&changes), Some(shown.anchor().hash()), "{changes:?}");
}

/// If too many headers are missing, they are not fetched at every head: the next proof decides.
#[test]
fn a_deeper_one_is_noticed_by_the_next_proof() {
    let (scene, mut watch, shown) = reorganised_below(8, 7, 4);
    let before = headers(&scene);
    let changes = changes_within(&scene, &mut watch, SLOT * 6);
    assert_eq!((withdrawn(&changes), headers(&scene) - before), (None, 4));
    let changes = changes_within(&scene, &mut watch, Duration::from_secs(300));
    assert_eq!(withdrawn(&changes), Some(shown.anchor().hash()), "{changes:?}");
    scene.assert_true(&readings(&changes).last().unwrap().1, ALICE);
}

/// In the background a watch asks no source by itself. It reports what another call learns, and does not wait until it
/// looks again by itself.
#[test]
fn a_withdrawal_that_another_call_learns_of_is_reported_at_once() {
    let scene = Scene::new(9, 1, 1);
    scene.client.set_pace(Pace::Background);
    let mut watch = scene.client.watch([ALICE_HOLDING]);
    let first = changes_within(&scene, &mut watch, Duration::from_secs(6));
    let shown = readings(&first).last().unwrap().1.proven().unwrap().clone();
    scene.chain.reorg(2);
    scene.providers[0].set(Fault::Hang);
    let clock = scene.simulation.clock();
    // The app drops the call as soon as the client knows that the block is gone.
    let learn = async {
        clock.sleep(Duration::from_secs(13)).await;
        let is_known = async {
            while scene.client.withdrawn(&ALICE_HOLDING).is_none() {
                clock.sleep(Duration::from_millis(1)).await;
            }
        };
        let _ = select(scene.client.balance(BOB).boxed(), is_known.boxed()).await;
        clock.monotonic()
    };
    let report = async {
        loop {
            if let Change::Withdrawn { withdrawn, .. } = watch.next().await {
                return (withdrawn.anchor().hash(), clock.monotonic());
            }
        }
    };
    let (learned, (gone, reported)) = scene.simulation.run(join(learn, report));
    assert_eq!(gone, shown.anchor().hash());
    let late = reported.saturating_sub(learned);
    assert!(late < Duration::from_millis(5), "{late:?}");
}
