//! A watch notices a reorganisation that takes what is shown away, however the balance is then, and says so.

use std::time::Duration;

use alloy_primitives::B256;
use saldo::{Change, Proven, Watch};
use saldo_drill::Fault;
use saldo_tests::heard::{ALICES, SLOT, hear, readings};
use saldo_tests::scene::{AFTER, ALICE, Scene};

/// A reorganisation takes the block away: that is said, and then what holds instead.
#[test]
fn a_withdrawal_is_told_as_such() {
    let scene = Scene::new(6, 1, 1);
    let mut watch = scene.client.watch([ALICES]);
    let first = hear(&scene, &mut watch, Duration::from_secs(6));
    let shown = readings(&first).last().unwrap().1.proven().unwrap().clone();
    scene.chain.set_balance(ALICE, AFTER);
    scene.chain.reorg(2);
    let heard = hear(&scene, &mut watch, SLOT * 6);
    let place =
        heard.iter().position(|(_, change)| matches!(change, Change::Withdrawn { .. })).expect("it was told");
    let Change::Withdrawn { holding, withdrawn, last, .. } = &heard[place].1 else { unreachable!() };
    assert_eq!((*holding, withdrawn.anchor().hash()), (ALICES, shown.anchor().hash()));
    assert_eq!(*last, None);
    let then = readings(&heard[place..]);
    assert_eq!(scene.assert_true(&then.last().unwrap().1, ALICE), AFTER);
    // Nothing in between shows the withdrawn one again.
    let again = heard[place + 1..].iter().filter_map(|(_, change)| change.latest_proven());
    assert!(again.into_iter().all(|proven| proven.anchor().hash() != shown.anchor().hash()));
}

/// What is shown some slots after the first head, and a reorganisation that takes it away although the balance is the same
/// there. The other branch has `beyond` blocks more between what is shown and the newest head than are fetched at once.
fn reorganised_below(seed: u64, slots: u32, beyond: u64) -> (Scene, Watch, Proven) {
    let scene = Scene::new(seed, 1, 1);
    let mut watch = scene.client.watch([ALICES]);
    let first = hear(&scene, &mut watch, SLOT * slots);
    let shown = readings(&first).last().unwrap().1.proven().unwrap().clone();
    let depth = scene.chain.tip().number - shown.anchor().number() + 1;
    // What is shown counts, and so does the first head of the other branch.
    assert_eq!(depth, 5 + beyond);
    scene.chain.reorg(depth);
    (scene, watch, shown)
}

fn headers(scene: &Scene) -> usize {
    let log = scene.simulation.internet().log();
    log.iter().filter(|it| String::from_utf8_lossy(&it.body).contains("eth_getBlockByHash")).count()
}

fn withdrawn(heard: &[(Duration, Change)]) -> Option<B256> {
    heard.iter().find_map(|(_, change)| match change {
        Change::Withdrawn { withdrawn, .. } => Some(withdrawn.anchor().hash()),
        _ => None,
    })
}

/// Up to four headers between the newest head and what is shown are looked for, at the first head of the other branch.
#[test]
fn a_deep_reorganisation_is_noticed_at_the_next_head() {
    let (scene, mut watch, shown) = reorganised_below(8, 3, 0);
    let heard = hear(&scene, &mut watch, SLOT * 2);
    assert_eq!(withdrawn(&heard), Some(shown.anchor().hash()), "{heard:?}");
    scene.assert_true(&readings(&heard).last().unwrap().1, ALICE);
}

/// At first the providers may be on the old branch still.
#[test]
fn a_header_that_nobody_has_yet_is_asked_for_again() {
    let (scene, mut watch, shown) = reorganised_below(8, 3, 0);
    scene.providers[0].add(Fault::NullResult.on("eth_getBlockByHash"));
    assert_eq!(withdrawn(&hear(&scene, &mut watch, SLOT * 2)), None);
    scene.providers[0].clear();
    let heard = hear(&scene, &mut watch, SLOT * 2);
    assert_eq!(withdrawn(&heard), Some(shown.anchor().hash()), "{heard:?}");
}

/// Where more is missing than is worth fetching, it is left to the next proof, and not fetched at head after head.
#[test]
fn a_deeper_one_is_noticed_by_the_next_proof() {
    let (scene, mut watch, shown) = reorganised_below(8, 7, 4);
    let before = headers(&scene);
    let heard = hear(&scene, &mut watch, SLOT * 6);
    assert_eq!((withdrawn(&heard), headers(&scene) - before), (None, 4));
    let heard = hear(&scene, &mut watch, Duration::from_secs(300));
    assert_eq!(withdrawn(&heard), Some(shown.anchor().hash()), "{heard:?}");
    scene.assert_true(&readings(&heard).last().unwrap().1, ALICE);
}
