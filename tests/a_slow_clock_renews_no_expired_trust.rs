//! A checkpoint that has expired does not become young again because the device's clock was slow for a while: what was handed
//! over meanwhile does not count, and trust starts where it would have started with a clock that was right.

use std::time::Duration;

use futures_util::future::join;
use saldo::{Clock, Voucher, Why};
use saldo_drill::Chain;
use saldo_tests::council::{Council, agreed_by, with_max_checkpoint_age};
use saldo_tests::scene::ALICE;

/// Weak subjectivity of three sync committee periods, in epochs.
const LIMIT: u64 = 24;

/// A world in which a checkpoint expires within hours.
fn short_lived(seed: u64, witnesses: usize) -> Council {
    let mut council = Council::new(seed, witnesses);
    council.network = with_max_checkpoint_age(&council.network, LIMIT);
    council
}

fn epoch(chain: &Chain) -> u64 {
    chain.slot().get() / chain.network().slots_per_epoch()
}

#[test]
fn nothing_is_handed_over_beyond_what_the_clock_shows() {
    for witnesses in [0, 3] {
        let council = short_lived(1, witnesses);
        let (expired, made) = (council.chain.checkpoint(), epoch(&council.chain));
        let builder = council.with_witnesses(council.builder().checkpoint(expired));
        let client = builder.build().unwrap();
        let slow = council.network.slot_duration() * 180;
        council.simulation.clock().set_behind(slow);
        council.pass_slots(240);
        for _ in 0..10 {
            assert_eq!(council.read(&client).why(), Some(&Why::ClockOff));
        }
        council.simulation.clock().set_behind(Duration::ZERO);
        assert!(epoch(&council.chain) - made > LIMIT);
        let reading = council.read(&client);
        if witnesses == 0 {
            assert_eq!(reading.why().map(Why::code), Some("checkpoint_too_old"), "{reading:?}");
        } else {
            assert_eq!(agreed_by(council.assert_true(&reading)).len(), 3);
        }
    }
}

/// The clock is set, as it is when a device finds a network, while the hand-overs are under way that it had asked for.
#[test]
fn hand_overs_asked_for_before_the_clock_was_set_do_not_count() {
    for witnesses in [0, 3] {
        let council = short_lived(2, witnesses);
        let clock = council.simulation.clock();
        let checkpoint = council.chain.checkpoint();
        let builder = council.with_witnesses(council.builder().checkpoint(checkpoint));
        let client = builder.build().unwrap();
        council.assert_true(&council.read(&client));
        // The device slept, so that its monotonic clock knows nothing of it.
        clock.sleep_device(council.network.slot_duration() * 300);
        clock.set_behind(council.network.slot_duration() * 130);
        let (reading, ()) = council.simulation.run(join(client.balance(ALICE), async {
            clock.sleep(Duration::from_millis(5)).await;
            clock.set_behind(Duration::ZERO);
        }));
        let asked = council.simulation.internet().log();
        assert!(asked.iter().any(|asked| asked.path.ends_with("/updates")), "hand-overs were asked for");
        if witnesses == 0 {
            assert_eq!(reading.why().map(Why::code), Some("checkpoint_too_old"), "{reading:?}");
        } else {
            let origin = council.assert_true(&reading).anchor().origin().clone();
            assert!(matches!(origin.voucher(), Voucher::Agreement { .. }), "{origin:?}");
        }
    }
}
