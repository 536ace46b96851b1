//! Trust starts where independent operators agree, and nowhere else: one that lies is outvoted and told of, two are too few,
//! and a disagreement is never settled by a count.

use std::time::Duration;

use alloy_primitives::hex;
use saldo::{BuildError, Client, EndpointError, Trust, Voucher, Why};
use saldo_drill::{Chain, Fault};
use saldo_tests::council::{Council, agreed_by, said};
use saldo_tests::scene::ALICE;

fn why(council: &Council, client: &Client) -> &'static str {
    let reading = council.read(client);
    assert!(reading.proven().is_none(), "{reading:?}");
    reading.why().unwrap().code()
}

/// How often the first checkpoint source was asked for anything.
fn requests(council: &Council) -> u64 {
    council.witnesses[0].requests().values().sum()
}

/// A chain that only a liar knows.
fn invented(seed: u64) -> Fault {
    Fault::OtherChain(Chain::new(seed))
}

#[test]
fn all_agree_and_every_reading_says_who_did() {
    let council = Council::new(1, 3);
    let reading = council.read(&council.client());
    let proven = council.assert_true(&reading);
    assert_eq!(agreed_by(proven), ["operator0", "operator1", "operator2"]);
    let origin = proven.anchor().origin();
    let slot = origin.checkpoint().slot.unwrap();
    assert_eq!(slot.get() % council.network.slots_per_epoch(), 0, "an epoch boundary");
    let Voucher::Agreement { slot: asked, .. } = origin.voucher() else { panic!() };
    assert_eq!(*asked, slot);
    let block = (0..).find_map(|number| council.chain.block(number).filter(|block| block.slot == slot));
    assert_eq!(origin.checkpoint().root, block.unwrap().beacon_root);
}

#[test]
fn one_liar_is_outvoted_and_shown() {
    let council = Council::new(2, 4);
    council.witnesses[1].set(Fault::OtherRoot);
    let reading = council.read(&council.client());
    assert_eq!(agreed_by(council.assert_true(&reading)), ["operator0", "operator2", "operator3"]);
    assert_eq!(said(&reading, "witness1"), "named");
}

/// One kind of server names roots alone, and another none by that route: both are heard.
#[test]
fn servers_of_all_kinds_are_heard() {
    let council = Council::new(17, 3);
    council.witnesses[0].set(Fault::Checkpointz);
    council.witnesses[1].set(Fault::Status(404).on("block_root"));
    council.witnesses[2].set(Fault::Status(500).on("block_root"));
    let reading = council.read(&council.client());
    assert_eq!(agreed_by(council.assert_true(&reading)).len(), 3);
    council.witnesses[0].add(Fault::OtherRoot);
    council.witnesses[1].add(Fault::Status(404).on("headers"));
    let reading = council.read(&council.client());
    assert_eq!(reading.why(), Some(&Why::TooFewCheckpointSources { answered: 2, needed: 3 }));
    assert_eq!(
        (said(&reading, "witness0"), said(&reading, "witness1")),
        ("named".into(), "not_served".into())
    );
}

#[test]
fn one_that_hangs_holds_nobody_up() {
    let council = Council::new(3, 4);
    council.witnesses[0].set(Fault::Hang);
    let reading = council.read(&council.client());
    assert_eq!(agreed_by(council.assert_true(&reading)), ["operator1", "operator2", "operator3"]);
    assert_eq!(said(&reading, "witness0"), "unfinished");
}

#[test]
fn two_against_two_is_a_disagreement() {
    let council = Council::new(4, 4);
    council.witnesses[0].set(invented(77));
    council.witnesses[3].set(invented(77));
    let reading = council.read(&council.client());
    assert_eq!(reading.why(), Some(&Why::CheckpointSourcesDisagree));
    for witness in ["witness0", "witness1", "witness2", "witness3"] {
        assert_eq!(said(&reading, witness), "named");
    }
}

#[test]
fn three_blocks_of_three_operators_are_a_disagreement() {
    let council = Council::new(5, 3);
    council.witnesses[0].set(invented(77));
    council.witnesses[1].set(invented(78));
    assert_eq!(why(&council, &council.client()), "checkpoint_sources_disagree");
}

#[test]
fn two_answers_are_too_few_until_a_third_comes() {
    let council = Council::new(6, 3);
    council.witnesses[2].set(Fault::Refuse);
    let client = council.client();
    let reading = council.read(&client);
    assert_eq!(reading.why(), Some(&Why::TooFewCheckpointSources { answered: 2, needed: 3 }));
    council.witnesses[2].clear();
    council.assert_true(&council.read(&client));
}

/// As long as nobody lacks the slot that was asked about, an earlier one would bring the same answers.
#[test]
fn who_does_not_answer_is_not_asked_again_and_again() {
    let council = Council::after(120, 17, 4);
    for silent in [Fault::Refuse, Fault::Status(503), Fault::Hang] {
        council.witnesses[1..3].iter().for_each(|witness| witness.set(silent.clone()));
        let before = requests(&council);
        assert_eq!(why(&council, &council.client()), "too_few_checkpoint_sources");
        assert_eq!(requests(&council) - before, 1, "{silent:?}");
    }
}

/// Nobody can name what is not final yet, and on a young chain nothing is.
#[test]
fn a_chain_too_young_for_anything_to_be_final_says_so() {
    let council = Council::after(20, 18, 3);
    let reading = council.read(&council.client());
    assert_eq!(reading.why(), Some(&Why::TooFewCheckpointSources { answered: 0, needed: 3 }));
    council.pass_slots(24);
    council.assert_true(&council.read(&council.client()));
}

/// Two liars who are quick do not decide before the honest ones are heard who are slow.
#[test]
fn those_who_come_late_still_break_an_agreement() {
    let council = Council::new(19, 5);
    council.witnesses[..2].iter().for_each(|witness| witness.set(invented(77)));
    council.witnesses[3..].iter().for_each(|witness| witness.set(Fault::Trickle { bytes_per_second: 150 }));
    let reading = council.read(&council.client());
    assert_eq!(reading.why(), Some(&Why::CheckpointSourcesDisagree), "{:?}", reading.attempts());
    assert_eq!(said(&reading, "witness4"), "named");
}

#[test]
fn nobody_answers() {
    let council = Council::new(7, 3);
    council.witnesses.iter().for_each(|witness| witness.set(Fault::Status(503)));
    let client = council.client();
    let reading = council.read(&client);
    assert_eq!(reading.why(), Some(&Why::TooFewCheckpointSources { answered: 0, needed: 3 }));
    council.simulation.internet().set_offline(true);
    assert_eq!(why(&council, &client), "device_offline");
}

/// Who wants more operators to agree gets no weaker agreement.
#[test]
fn k_operators_must_answer() {
    let council = Council::new(8, 4);
    council.witnesses[0].set(Fault::Refuse);
    let client = council.client_of(4);
    let reading = council.read(&client);
    assert_eq!(reading.why(), Some(&Why::TooFewCheckpointSources { answered: 3, needed: 4 }));
    council.witnesses[0].set(invented(77));
    assert_eq!(why(&council, &client), "checkpoint_sources_disagree");
    council.witnesses[0].clear();
    assert_eq!(agreed_by(council.assert_true(&council.read(&client))).len(), 4);
}

#[test]
fn what_is_not_final_is_no_answer() {
    let council = Council::new(9, 3);
    let client = council.client();
    let optimistic = r#"{"finalized":true,"execution_optimistic":true,"data":{"root":"0x00"}}"#;
    for doubt in [Fault::NotFinalized, Fault::Body(optimistic.to_owned())] {
        council.witnesses[0].set(doubt);
        let reading = council.read(&client);
        assert_eq!(reading.why(), Some(&Why::TooFewCheckpointSources { answered: 2, needed: 3 }));
        assert_eq!(said(&reading, "witness0"), "not_final");
    }
}

/// Nobody can name the block of a slot that has none: the epoch before it will do.
#[test]
fn an_empty_slot_sends_to_the_epoch_before() {
    let council = Council::new(10, 3);
    council.pass_slots(7);
    council.chain.skip_slot();
    council.pass_slots(36);
    let reading = council.read(&council.client());
    let proven = council.assert_true(&reading);
    assert_eq!(proven.anchor().origin().checkpoint().slot.unwrap().get(), 40);
    assert_eq!(agreed_by(proven).len(), 3);
}

#[test]
fn a_block_without_bootstrap_sends_to_the_epoch_before() {
    let council = Council::new(11, 3);
    council.pass_slots(16);
    let first = council.read(&council.client());
    let first = council.assert_true(&first).anchor().origin().checkpoint().slot.unwrap();
    council.sources[0].set(Fault::NoBootstrap.on("bootstrap").times(1));
    let second = council.read(&council.client());
    let second = council.assert_true(&second).anchor().origin().checkpoint().slot.unwrap();
    assert_eq!(second.get() + council.network.slots_per_epoch(), first.get());

    council.sources[0].set(Fault::NoBootstrap);
    assert_eq!(why(&council, &council.client()), "checkpoint_not_served");
}

/// Sources that stand on both sides of an epoch's end do not disagree: who is behind is not sure yet, and is asked for the
/// epoch before.
#[test]
fn sources_an_epoch_apart_agree_on_the_older_one() {
    let council = Council::after(83, 20, 3);
    let first = council.read(&council.client());
    let first = council.assert_true(&first).anchor().origin().checkpoint().slot.unwrap();
    let _ = council.witnesses[1].clone().lag(20);
    let reading = council.read(&council.client());
    let proven = council.assert_true(&reading);
    assert_eq!(agreed_by(proven).len(), 3);
    let slot = proven.anchor().origin().checkpoint().slot.unwrap();
    assert_eq!(slot.get() + council.network.slots_per_epoch(), first.get());
}

/// A clock far off makes all sources silent, and that reads as what it is.
#[test]
fn a_clock_that_is_off_is_no_disagreement() {
    let council = Council::new(12, 3);
    council.pass_slots(300);
    let client = council.client();
    for ahead in [Duration::from_secs(86_400), Duration::from_secs(400 * 86_400)] {
        council.simulation.clock().set_ahead(ahead);
        let before = requests(&council);
        assert_eq!(why(&council, &client), "clock_off", "{ahead:?} ahead");
        // By both routes for one slot, and for the time.
        assert_eq!(requests(&council) - before, 3, "earlier slots would be no help");
    }
    council.simulation.clock().set_behind(Duration::from_secs(86_400));
    assert_eq!(why(&council, &client), "clock_off");
    council.simulation.clock().set_ahead(Duration::from_secs(120));
    council.assert_true(&council.read(&client));
}

/// Finality that stands still makes the sources silent too, and it is not the clock that is blamed.
#[test]
fn a_chain_that_does_not_finalize_is_no_clock_that_is_off() {
    let council = Council::new(13, 3);
    council.chain.stall_finality(true);
    council.pass_slots(300);
    let reading = council.read(&council.client());
    assert_eq!(reading.why(), Some(&Why::TooFewCheckpointSources { answered: 0, needed: 3 }));
    assert_eq!(said(&reading, "witness0"), "not_final");
}

#[test]
fn nobody_who_is_asked_for_a_checkpoint_sees_an_address() {
    let council = Council::new(14, 3);
    council.assert_true(&council.read(&council.client()));
    let address = hex::encode(ALICE);
    let log = council.simulation.internet().log();
    let asked: Vec<_> = log.iter().filter(|exchange| exchange.host.starts_with("witness")).collect();
    assert!(!asked.is_empty());
    for exchange in asked {
        assert!(exchange.body.is_empty() && !exchange.path.to_lowercase().contains(&address));
    }
}

#[test]
fn what_cannot_be_an_agreement_is_refused_at_once() {
    let council = Council::new(15, 3);
    let refused = |builder: saldo::ClientBuilder| builder.build().unwrap_err();
    assert_eq!(refused(council.builder()), BuildError::NoCheckpoint);
    assert_eq!(
        refused(council.builder().checkpoint(Trust::agree(2))),
        BuildError::TooFewCheckpointOperators { operators: 0, needed: 3 }
    );
    let two = ["https://a.test", "b=https://a.test:81", "https://c.test"];
    let builder = two.into_iter().fold(council.builder(), saldo::ClientBuilder::checkpoint_source);
    assert_eq!(refused(builder), BuildError::TooFewCheckpointOperators { operators: 2, needed: 3 });
    for k in [0, 1, 4] {
        let builder = council.with_witnesses(council.builder()).checkpoint(Trust::agree(k));
        assert_eq!(refused(builder), BuildError::Agreement { k, operators: 3 });
    }
    assert!(matches!(
        refused(council.builder().checkpoint_source("ftp://a.test")),
        BuildError::CheckpointSource { position: 1, .. }
    ));
    let error = EndpointError::Unencrypted;
    let open = council.with_witnesses(council.builder()).checkpoint_source("http://open.test");
    assert_eq!(refused(open), BuildError::CheckpointSource { position: 4, error });
}

/// A given checkpoint comes before any agreement: nobody is asked.
#[test]
fn a_given_checkpoint_comes_first() {
    let council = Council::new(16, 3);
    let builder = council.with_witnesses(council.builder()).checkpoint(council.chain.checkpoint());
    let reading = council.read(&builder.build().unwrap());
    let origin = council.assert_true(&reading).anchor().origin().clone();
    assert_eq!(*origin.voucher(), Voucher::Caller);
    assert_eq!(*origin.checkpoint(), council.chain.checkpoint());
    assert!(council.witnesses.iter().all(|witness| witness.requests().is_empty()));
}
