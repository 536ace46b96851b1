//! A wallet that was not opened for a long time: within weak subjectivity it follows the hand-overs, beyond it the old
//! committee proves nothing any more, and trust starts again where independent operators agree.

use std::time::Duration;

use saldo::{Reading, Voucher, Why};
use saldo_drill::{BeaconSource, Chain, Fault};
use saldo_tests::council::{Council, Forgetful, agreed_by};
use saldo_tests::scene::BEFORE;

const DAY: Duration = Duration::from_secs(86_400);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// Not proven for the reason `code`, and the amount that was proven before is still there to show.
#[track_caller]
fn assert_unknown(reading: &Reading, code: &str) {
    let Reading::Unknown(unknown) = reading else { panic!("not unknown: {reading:?}") };
    assert_eq!(unknown.why().code(), code, "{:?}", reading.attempts());
    assert_eq!(unknown.last().map(|last| last.amount().base_units()), Some(BEFORE));
}

#[test]
fn ten_days_are_followed_by_hand_overs_alone() {
    let council = Council::of_long_slots(1, 0);
    let client = council.given();
    council.assert_true(&council.read(&client));
    council.sleep_for(10 * DAY);
    let reading = council.read_on(&client);
    assert_eq!(*council.assert_true(&reading).anchor().origin().voucher(), Voucher::Caller);
}

#[test]
fn three_months_and_a_year_end_in_a_new_agreement() {
    for (seed, absence) in [(2, 90 * DAY), (3, YEAR)] {
        let council = Council::of_long_slots(seed, 3);
        let client = council.client();
        let before = council.read(&client);
        let before = council.assert_true(&before).anchor().origin().clone();
        council.sleep_for(absence);
        let reading = council.read(&client);
        let origin = council.assert_true(&reading).anchor().origin().clone();
        assert_ne!(origin, before);
        assert!(origin.checkpoint().slot > before.checkpoint().slot);
        assert_eq!(agreed_by(council.assert_true(&reading)).len(), 3);
    }
}

/// The hand-overs of the time between are not needed, and mostly not to be had.
#[test]
fn sources_without_old_updates_will_do() {
    let council = Council::of_long_slots(4, 3);
    let client = council.client();
    council.assert_true(&council.read(&client));
    council.sleep_for(YEAR);
    let present = council.network.period_at(council.chain.slot());
    let source = council.sources[0].clone();
    council.replace_source(Forgetful { source, oldest: present.saturating_sub(1) });
    council.assert_true(&council.read(&client));
}

#[test]
fn with_a_given_checkpoint_alone_its_age_is_told() {
    let council = Council::of_long_slots(5, 0);
    let client = council.given();
    council.assert_true(&council.read(&client));
    council.sleep_for(YEAR);
    let reading = council.read(&client);
    assert_unknown(&reading, "checkpoint_too_old");
    let Some(Why::CheckpointTooOld { age, limit }) = reading.why() else { panic!() };
    assert!(*age > YEAR && *age < YEAR + 4 * DAY, "{age:?}");
    assert_eq!(*limit, 14 * DAY);
    // It stays so, however often it is asked: the old committee is not followed bit by bit.
    assert_unknown(&council.read_on(&client), "checkpoint_too_old");
}

#[test]
fn all_checkpoint_sources_down() {
    let council = Council::of_long_slots(6, 3);
    let client = council.client();
    council.assert_true(&council.read(&client));
    council.sleep_for(YEAR);
    council.witnesses.iter().for_each(|witness| witness.set(Fault::Refuse));
    let reading = council.read(&client);
    assert_unknown(&reading, "too_few_checkpoint_sources");
    assert_eq!(reading.why(), Some(&Why::TooFewCheckpointSources { answered: 0, needed: 3 }));
    council.witnesses.iter().for_each(BeaconSource::clear);
    council.assert_true(&council.read(&client));
}

#[test]
fn a_fresh_start_with_an_expired_checkpoint() {
    let council = Council::of_long_slots(7, 3);
    let expired = council.chain.checkpoint();
    council.sleep_for(90 * DAY);
    let alone = council.builder().checkpoint(expired).build().unwrap();
    assert_eq!(council.read(&alone).why().unwrap().code(), "checkpoint_too_old");
    // Where its slot is not said, only its bootstrap tells that it is too old.
    for given in [expired, saldo::Checkpoint { slot: None, ..expired }] {
        let client = council.with_witnesses(council.builder()).checkpoint(given).build().unwrap();
        let reading = council.read(&client);
        assert_eq!(agreed_by(council.assert_true(&reading)).len(), 3);
    }
}

/// The checkpoint that comes with a network is expired as a place to start from, and that is all that is said of it.
#[test]
fn a_fresh_start_with_the_networks_own_expired_checkpoint() {
    let mut council = Council::of_long_slots(8, 3);
    council.network = council.network.clone().with_checkpoint(council.chain.checkpoint());
    council.sleep_for(90 * DAY);
    let alone = council.builder().build().unwrap();
    assert_eq!(council.read(&alone).why().unwrap().code(), "checkpoint_too_old");
    assert_eq!(agreed_by(council.assert_true(&council.read(&council.client()))).len(), 3);
}

/// All operators agree on a chain that leaves the one behind which the wallet held as final. Whatever became of the world,
/// it is not for a count of votes to decide.
#[test]
fn an_agreement_that_contradicts_what_was_final_is_none() {
    let council = Council::of_long_slots(9, 3);
    let other = council.chain.split();
    council.pass_slots(64);
    other.advance(64);
    let client = council.client();
    let held = council.read(&client);
    let held = council.assert_true(&held).anchor().origin().clone();
    council.sleep_for(30 * DAY);
    catch_up(&other, &council.chain);
    let lie = || Fault::OtherChain(other.clone());
    council.witnesses.iter().chain(&council.sources).for_each(|source| source.set(lie()));
    let reading = council.read(&client);
    assert_unknown(&reading, "checkpoint_sources_disagree");
    assert_eq!(*reading.latest_proven().unwrap().anchor().origin(), held);
}

fn catch_up(other: &Chain, chain: &Chain) {
    other.set_pace(32);
    other.advance(chain.slot().get().saturating_sub(64).saturating_sub(other.slot().get()));
    other.set_pace(1);
    other.advance(64);
}
