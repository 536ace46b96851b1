//! Where checkpoint sources disagree, the hand-overs from an older checkpoint decide, as long as enough operators name what
//! they lead to. Neither an old checkpoint nor a majority decides alone.

use std::time::Duration;

use saldo::Why;
use saldo_drill::{Chain, Fault};
use saldo_tests::council::{Council, Forgetful, agreed_by, said};

const WEEKS: Duration = Duration::from_secs(28 * 86_400);

/// A chain that somebody made up, as long as the genuine one.
fn invented(seed: u64, chain: &Chain) -> Fault {
    Fault::OtherChain(Chain::builder(seed).history(chain.slot().get()).build())
}

/// Two operators of four name a block of a chain that was made up.
fn torn(seed: u64) -> Council {
    let mut council = Council::of_long_slots(seed, 4);
    let expired = council.chain.checkpoint();
    council.network = council.network.clone().with_checkpoint(expired);
    council.sleep_for(WEEKS);
    council.witnesses[0].set(invented(100, &council.chain));
    council.witnesses[2].set(invented(100, &council.chain));
    council
}

#[test]
fn an_expired_checkpoint_decides_by_its_hand_overs() {
    let council = torn(1);
    let reading = council.read_on(&council.client());
    let proven = council.assert_true(&reading);
    assert_eq!(agreed_by(proven), ["operator1", "operator3"]);
    let started = proven.anchor().origin().checkpoint().slot.unwrap();
    assert!(started > council.network.checkpoint().unwrap().slot.unwrap());
}

#[test]
fn a_light_client_that_slept_too_long_decides_too() {
    let council = Council::of_long_slots(3, 4);
    let client = council.client();
    council.assert_true(&council.read(&client));
    council.sleep_for(WEEKS);
    council.witnesses[0].set(invented(100, &council.chain));
    council.witnesses[2].set(invented(100, &council.chain));
    let reading = council.read_on(&client);
    assert_eq!(agreed_by(council.assert_true(&reading)), ["operator1", "operator3"]);
}

/// Those who signed once could sign another chain now: their hand-overs alone are not where trust starts.
#[test]
fn what_one_operator_alone_names_does_not_win() {
    let council = torn(5);
    council.witnesses[0].set(invented(101, &council.chain));
    council.witnesses[1].set(invented(102, &council.chain));
    let reading = council.read_on(&council.client());
    assert_eq!(reading.why(), Some(&Why::CheckpointSourcesDisagree));
    assert_eq!(said(&reading, "witness3"), "named");
}

#[test]
fn without_its_hand_overs_an_old_checkpoint_decides_nothing() {
    let council = torn(7);
    let present = council.network.period_at(council.chain.slot());
    let source = council.sources[0].clone();
    council.replace_source(Forgetful { source, oldest: present.saturating_sub(1) });
    let reading = council.read_on(&council.client());
    assert_eq!(reading.why(), Some(&Why::CheckpointSourcesDisagree));
}
