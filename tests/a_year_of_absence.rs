//! A wallet that was not opened for a long time. Within weak subjectivity it follows the committee updates. After
//! that the old committee proves nothing, and trust restarts where independent operators agree.

use std::time::Duration;

use saldo::{Reading, Voucher, Why};
use saldo_drill::{BeaconSource, Chain, Fault};
use saldo_tests::checkpoint_world::{CheckpointWorld, PrunedSource, agreed_by};
use saldo_tests::scene::BEFORE;

const DAY: Duration = Duration::from_secs(86_400);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// Asserts that the reading is unknown for the reason `code`, and still has the last proven amount.
#[track_caller]
fn assert_unknown(reading: &Reading, code: &str) {
    let Reading::Unknown(unknown) = reading else { panic!("not unknown: {reading:?}") };
    assert_eq!(unknown.why().code(), code, "{:?}", reading.attempts());
    assert_eq!(unknown.last().map(|last| last.amount().base_units()), Some(BEFORE));
}

#[test]
fn ten_days_are_bridged_by_committee_updates() {
    let world = CheckpointWorld::of_long_slots(1, 0);
    let client = world.client_with_checkpoint();
    world.assert_true(&world.read(&client));
    world.sleep_for(10 * DAY);
    let reading = world.read_until_proven(&client);
    assert_eq!(*world.assert_true(&reading).anchor().origin().voucher(), Voucher::Caller);
}

#[test]
fn three_months_and_a_year_need_a_new_agreement() {
    for (seed, absence) in [(2, 90 * DAY), (3, YEAR)] {
        let world = CheckpointWorld::of_long_slots(seed, 3);
        let client = world.client();
        let before = world.read(&client);
        let before = world.assert_true(&before).anchor().origin().clone();
        world.sleep_for(absence);
        let reading = world.read(&client);
        let origin = world.assert_true(&reading).anchor().origin().clone();
        assert_ne!(origin, before);
        assert!(origin.checkpoint().slot > before.checkpoint().slot);
        assert_eq!(agreed_by(world.assert_true(&reading)).len(), 3);
    }
}

/// The old committee updates are not needed, and most sources no longer have them.
#[test]
fn sources_without_old_updates_are_enough() {
    let world = CheckpointWorld::of_long_slots(4, 3);
    let client = world.client();
    world.assert_true(&world.read(&client));
    world.sleep_for(YEAR);
    let present = world.network.period_at(world.chain.slot());
    let source = world.sources[0].clone();
    world.replace_source(PrunedSource { source, oldest: present.saturating_sub(1) });
    world.assert_true(&world.read(&client));
}

/// Some servers answer HTTP 500 for a period that they do not have. Trust then restarts by agreement, as after a plain answer.
#[test]
fn an_error_for_a_missing_period_leads_to_a_new_agreement() {
    for (seed, fault) in (20..).zip([Fault::Status(404), Fault::Status(500)]) {
        let world = CheckpointWorld::of_long_slots(seed, 3);
        let client = world.client();
        let before = world.assert_true(&world.read(&client)).anchor().origin().clone();
        // The period of the present is then old enough to start in.
        world.sleep_for(11 * DAY);
        world.sources[0].set(fault.clone().on("updates"));
        let reading = world.read(&client);
        let origin = world.assert_true(&reading).anchor().origin().clone();
        assert!(origin.checkpoint().slot > before.checkpoint().slot, "{fault:?}");
    }
}

#[test]
fn an_expired_given_checkpoint_is_reported() {
    let world = CheckpointWorld::of_long_slots(5, 0);
    let client = world.client_with_checkpoint();
    world.assert_true(&world.read(&client));
    world.sleep_for(YEAR);
    let reading = world.read(&client);
    assert_unknown(&reading, "checkpoint_too_old");
    let Some(Why::CheckpointTooOld { age, limit }) = reading.why() else { panic!() };
    assert!(*age > YEAR && *age < YEAR + 4 * DAY, "{age:?}");
    assert_eq!(*limit, 14 * DAY);
    // The reason stays the same in later reads: the old committee is not followed step by step.
    assert_unknown(&world.read_until_proven(&client), "checkpoint_too_old");
}

#[test]
fn all_checkpoint_sources_down() {
    let world = CheckpointWorld::of_long_slots(6, 3);
    let client = world.client();
    world.assert_true(&world.read(&client));
    world.sleep_for(YEAR);
    world.checkpoint_sources.iter().for_each(|source| source.set(Fault::Refuse));
    let reading = world.read(&client);
    assert_unknown(&reading, "too_few_checkpoint_sources");
    assert_eq!(reading.why(), Some(&Why::TooFewCheckpointSources { answered: 0, needed: 3 }));
    world.checkpoint_sources.iter().for_each(BeaconSource::clear);
    world.assert_true(&world.read(&client));
}

#[test]
fn a_fresh_start_with_an_expired_checkpoint() {
    let world = CheckpointWorld::of_long_slots(7, 3);
    let expired = world.chain.checkpoint();
    world.sleep_for(90 * DAY);
    let alone = world.builder().checkpoint(expired).build().unwrap();
    assert_eq!(world.read(&alone).why().unwrap().code(), "checkpoint_too_old");
    // If its slot is not given, only its bootstrap shows that it is too old.
    for given in [expired, saldo::Checkpoint { slot: None, ..expired }] {
        let client = world.with_checkpoint_sources(world.builder()).checkpoint(given).build().unwrap();
        let reading = world.read(&client);
        assert_eq!(agreed_by(world.assert_true(&reading)).len(), 3);
    }
}

/// Trust cannot start from the network's own checkpoint once it has expired, and the reason says only that.
#[test]
fn a_fresh_start_with_the_networks_own_expired_checkpoint() {
    let mut world = CheckpointWorld::of_long_slots(8, 3);
    world.network = world.network.clone().with_checkpoint(world.chain.checkpoint());
    world.sleep_for(90 * DAY);
    let alone = world.builder().build().unwrap();
    assert_eq!(world.read(&alone).why().unwrap().code(), "checkpoint_too_old");
    assert_eq!(agreed_by(world.assert_true(&world.read(&world.client()))).len(), 3);
}

/// All operators agree on a chain that contradicts the wallet's final block. Whatever the cause, a vote must not
/// decide it.
#[test]
fn an_agreement_that_contradicts_finality_is_refused() {
    let world = CheckpointWorld::of_long_slots(9, 3);
    let other = world.chain.split();
    world.pass_slots(64);
    other.advance(64);
    let client = world.client();
    let held = world.read(&client);
    let held = world.assert_true(&held).anchor().origin().clone();
    world.sleep_for(30 * DAY);
    catch_up(&other, &world.chain);
    let lie = || Fault::OtherChain(other.clone());
    world.checkpoint_sources.iter().chain(&world.sources).for_each(|source| source.set(lie()));
    let reading = world.read(&client);
    assert_unknown(&reading, "checkpoint_sources_disagree");
    assert_eq!(*reading.latest_proven().unwrap().anchor().origin(), held);
}

fn catch_up(other: &Chain, chain: &Chain) {
    other.set_pace(32);
    other.advance(chain.slot().get().saturating_sub(64).saturating_sub(other.slot().get()));
    other.set_pace(1);
    other.advance(64);
}
