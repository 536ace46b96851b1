//! A slow device clock does not make an expired checkpoint valid again. Committee updates taken meanwhile do not
//! count, and trust starts where it would have started with a right clock.

use std::time::Duration;

use futures_util::future::join;
use saldo::{Clock, Voucher, Why};
use saldo_drill::Chain;
use saldo_tests::checkpoint_world::{CheckpointWorld, agreed_by, with_max_checkpoint_age};
use saldo_tests::scene::ALICE;

/// Weak subjectivity of three sync committee periods, in epochs.
const LIMIT: u64 = 24;

/// A world in which a checkpoint expires within hours.
fn short_lived(seed: u64, checkpoint_sources: usize) -> CheckpointWorld {
    let mut world = CheckpointWorld::new(seed, checkpoint_sources);
    world.network = with_max_checkpoint_age(&world.network, LIMIT);
    world
}

fn epoch(chain: &Chain) -> u64 {
    chain.slot().get() / chain.network().slots_per_epoch()
}

#[test]
fn nothing_is_handed_over_beyond_what_the_clock_shows() {
    for checkpoint_sources in [0, 3] {
        let world = short_lived(1, checkpoint_sources);
        let (expired, made) = (world.chain.checkpoint(), epoch(&world.chain));
        let builder = world.with_checkpoint_sources(world.builder().checkpoint(expired));
        let client = builder.build().unwrap();
        let slow = world.network.slot_duration() * 180;
        world.simulation.clock().set_behind(slow);
        world.pass_slots(240);
        for _ in 0..10 {
            assert_eq!(world.read(&client).why(), Some(&Why::ClockOff));
        }
        world.simulation.clock().set_behind(Duration::ZERO);
        assert!(epoch(&world.chain) - made > LIMIT);
        let reading = world.read(&client);
        if checkpoint_sources == 0 {
            assert_eq!(reading.why().map(Why::code), Some("checkpoint_too_old"), "{reading:?}");
        } else {
            assert_eq!(agreed_by(world.assert_true(&reading)).len(), 3);
        }
    }
}

/// The clock is corrected, as when a device finds a network, while committee updates are being fetched.
#[test]
fn committee_updates_requested_before_the_clock_was_set_do_not_count() {
    for checkpoint_sources in [0, 3] {
        let world = short_lived(2, checkpoint_sources);
        let clock = world.simulation.clock();
        let checkpoint = world.chain.checkpoint();
        let builder = world.with_checkpoint_sources(world.builder().checkpoint(checkpoint));
        let client = builder.build().unwrap();
        world.assert_true(&world.read(&client));
        // The device slept, so its monotonic clock did not advance.
        clock.sleep_device(world.network.slot_duration() * 300);
        clock.set_behind(world.network.slot_duration() * 130);
        let (reading, ()) = world.simulation.run(join(client.balance(ALICE), async {
            clock.sleep(Duration::from_millis(5)).await;
            clock.set_behind(Duration::ZERO);
        }));
        let log = world.simulation.internet().log();
        assert!(log.iter().any(|exchange| exchange.path.ends_with("/updates")), "hand-overs were log for");
        if checkpoint_sources == 0 {
            assert_eq!(reading.why().map(Why::code), Some("checkpoint_too_old"), "{reading:?}");
        } else {
            let origin = world.assert_true(&reading).anchor().origin().clone();
            assert!(matches!(origin.voucher(), Voucher::Agreement { .. }), "{origin:?}");
        }
    }
}
