//! Trust starts only where independent operators agree. A source that lies is outvoted and reported, two sources are
//! too few, and a count never settles a disagreement.

use std::time::Duration;

use alloy_primitives::hex;
use saldo::{BuildError, Client, EndpointError, Trust, Voucher, Why};
use saldo_drill::{Chain, Fault};
use saldo_tests::checkpoint_world::{CheckpointWorld, agreed_by, said};
use saldo_tests::scene::ALICE;

fn why(world: &CheckpointWorld, client: &Client) -> &'static str {
    let reading = world.read(client);
    assert!(reading.proven().is_none(), "{reading:?}");
    reading.why().unwrap().code()
}

/// How many requests the first checkpoint source received.
fn requests(world: &CheckpointWorld) -> u64 {
    world.checkpoint_sources[0].requests().values().sum()
}

/// A chain that only a lying source serves.
fn invented(seed: u64) -> Fault {
    Fault::OtherChain(Chain::new(seed))
}

#[test]
fn all_agree_and_every_reading_names_the_operators() {
    let world = CheckpointWorld::new(1, 3);
    let reading = world.read(&world.client());
    let proven = world.assert_true(&reading);
    assert_eq!(agreed_by(proven), ["operator0", "operator1", "operator2"]);
    let origin = proven.anchor().origin();
    let slot = origin.checkpoint().slot.unwrap();
    assert_eq!(slot.get() % world.network.slots_per_epoch(), 0, "an epoch boundary");
    let Voucher::Agreement { slot: requested, .. } = origin.voucher() else { panic!() };
    assert_eq!(*requested, slot);
    let block = (0..).find_map(|number| world.chain.block(number).filter(|block| block.slot == slot));
    assert_eq!(origin.checkpoint().root, block.unwrap().beacon_root);
}

#[test]
fn one_lying_source_is_outvoted_and_reported() {
    let world = CheckpointWorld::new(2, 4);
    world.checkpoint_sources[1].set(Fault::OtherRoot);
    let reading = world.read(&world.client());
    assert_eq!(agreed_by(world.assert_true(&reading)), ["operator0", "operator2", "operator3"]);
    assert_eq!(said(&reading, "checkpoint1"), "named");
}

/// One kind of server names only roots, and another kind has no route for that: both are used.
#[test]
fn servers_of_all_kinds_are_used() {
    let world = CheckpointWorld::new(17, 3);
    world.checkpoint_sources[0].set(Fault::Checkpointz);
    world.checkpoint_sources[1].set(Fault::Status(404).on("block_root"));
    world.checkpoint_sources[2].set(Fault::Status(500).on("block_root"));
    let reading = world.read(&world.client());
    assert_eq!(agreed_by(world.assert_true(&reading)).len(), 3);
    world.checkpoint_sources[0].add(Fault::OtherRoot);
    world.checkpoint_sources[1].add(Fault::Status(404).on("headers"));
    let reading = world.read(&world.client());
    assert_eq!(reading.why(), Some(&Why::TooFewCheckpointSources { answered: 2, needed: 3 }));
    assert_eq!(
        (said(&reading, "checkpoint0"), said(&reading, "checkpoint1")),
        ("named".into(), "not_served".into())
    );
}

#[test]
fn a_hanging_source_does_not_delay_the_agreement() {
    let world = CheckpointWorld::new(3, 4);
    world.checkpoint_sources[0].set(Fault::Hang);
    let reading = world.read(&world.client());
    assert_eq!(agreed_by(world.assert_true(&reading)), ["operator1", "operator2", "operator3"]);
    assert_eq!(said(&reading, "checkpoint0"), "unfinished");
}

#[test]
fn two_against_two_is_a_disagreement() {
    let world = CheckpointWorld::new(4, 4);
    world.checkpoint_sources[0].set(invented(77));
    world.checkpoint_sources[3].set(invented(77));
    let reading = world.read(&world.client());
    assert_eq!(reading.why(), Some(&Why::CheckpointSourcesDisagree));
    for source in ["checkpoint0", "checkpoint1", "checkpoint2", "checkpoint3"] {
        assert_eq!(said(&reading, source), "named");
    }
}

#[test]
fn three_blocks_of_three_operators_are_a_disagreement() {
    let world = CheckpointWorld::new(5, 3);
    world.checkpoint_sources[0].set(invented(77));
    world.checkpoint_sources[1].set(invented(78));
    assert_eq!(why(&world, &world.client()), "checkpoint_sources_disagree");
}

#[test]
fn two_answers_are_too_few_until_a_third_arrives() {
    let world = CheckpointWorld::new(6, 3);
    world.checkpoint_sources[2].set(Fault::Refuse);
    let client = world.client();
    let reading = world.read(&client);
    assert_eq!(reading.why(), Some(&Why::TooFewCheckpointSources { answered: 2, needed: 3 }));
    world.checkpoint_sources[2].clear();
    world.assert_true(&world.read(&client));
}

/// If no source lacks the requested slot, asking for an earlier slot would give the same answers.
#[test]
fn a_silent_source_is_not_asked_repeatedly() {
    let world = CheckpointWorld::after(120, 17, 4);
    for silent in [Fault::Refuse, Fault::Status(503), Fault::Hang] {
        world.checkpoint_sources[1..3].iter().for_each(|source| source.set(silent.clone()));
        let before = requests(&world);
        assert_eq!(why(&world, &world.client()), "too_few_checkpoint_sources");
        assert_eq!(requests(&world) - before, 1, "{silent:?}");
    }
}

/// A source can name only final blocks, and a young chain has none.
#[test]
fn a_chain_too_young_for_finality_says_so() {
    let world = CheckpointWorld::after(20, 18, 3);
    let reading = world.read(&world.client());
    assert_eq!(reading.why(), Some(&Why::TooFewCheckpointSources { answered: 0, needed: 3 }));
    world.pass_slots(24);
    world.assert_true(&world.read(&world.client()));
}

/// Two fast lying sources do not decide before the slow honest ones have answered.
#[test]
fn late_answers_still_break_an_agreement() {
    let world = CheckpointWorld::new(19, 5);
    world.checkpoint_sources[..2].iter().for_each(|source| source.set(invented(77)));
    world.checkpoint_sources[3..]
        .iter()
        .for_each(|source| source.set(Fault::Trickle { bytes_per_second: 150 }));
    let reading = world.read(&world.client());
    assert_eq!(reading.why(), Some(&Why::CheckpointSourcesDisagree), "{:?}", reading.attempts());
    assert_eq!(said(&reading, "checkpoint4"), "named");
}

#[test]
fn no_source_answers() {
    let world = CheckpointWorld::new(7, 3);
    world.checkpoint_sources.iter().for_each(|source| source.set(Fault::Status(503)));
    let client = world.client();
    let reading = world.read(&client);
    assert_eq!(reading.why(), Some(&Why::TooFewCheckpointSources { answered: 0, needed: 3 }));
    world.simulation.internet().set_offline(true);
    assert_eq!(why(&world, &client), "device_offline");
}

/// A wallet that requires more operators gets no weaker agreement.
/// What checkpoint sources answer in place of a block, and the reason if the poll lacks only these.
fn causes() -> Vec<(Fault, &'static str, &'static str)> {
    let limited = |pause: &str| Fault::RateLimited { retry_after: Some(pause.into()) };
    vec![
        (limited("20"), "rate_limited", "checkpoint sources"),
        (Fault::RateLimited { retry_after: None }, "rate_limited", "checkpoint sources"),
        (Fault::QuotaExhausted, "quota_exhausted", "checkpoint sources"),
        (Fault::Status(401), "denied", "Check the key"),
        (Fault::Forbidden, "denied", "Check the key"),
        (Fault::Html, "log_in_page", "Open a browser"),
        (Fault::Redirect("http://elsewhere.test/".into()), "moved", "new URL"),
    ]
}

#[test]
fn a_cause_that_the_silent_sources_share_is_named() {
    for (seed, (fault, code, step)) in (100..).zip(causes()) {
        // One vote is there and two are needed, or none is there.
        for answering in [1, 0] {
            let world = CheckpointWorld::new(seed, 3);
            world.checkpoint_sources[answering..].iter().for_each(|source| source.set(fault.clone()));
            let reading = world.read(&world.client());
            let why = reading.why().unwrap_or_else(|| panic!("{fault:?}: proven"));
            assert_eq!(why.code(), code, "{fault:?} {answering}: {:?}", reading.attempts());
            assert!(why.next_step().contains(step), "{fault:?}: {}", why.next_step());
        }
    }
}

/// One operator is lacking: the cause of one is enough. Two are lacking for different causes: none of the two is the reason.
#[test]
fn a_cause_is_named_only_where_the_poll_lacks_no_others() {
    let too_few = |answered| Why::TooFewCheckpointSources { answered, needed: 3 };
    for (seed, (fault, code, _)) in (200..).zip(causes()) {
        let world = CheckpointWorld::new(seed, 4);
        world.checkpoint_sources[2].set(Fault::Status(503));
        world.checkpoint_sources[3].set(fault.clone());
        assert_eq!(why(&world, &world.client()), code, "{fault:?}");
        world.checkpoint_sources[1].set(Fault::Refuse);
        let reading = world.read(&world.client());
        assert_eq!(reading.why(), Some(&too_few(1)), "{fault:?}: {:?}", reading.attempts());
    }
    let world = CheckpointWorld::new(300, 3);
    world.checkpoint_sources[1].set(Fault::Html);
    world.checkpoint_sources[2].set(Fault::QuotaExhausted);
    assert_eq!(world.read(&world.client()).why(), Some(&too_few(1)));
    // Errors of the servers have no remedy of their own.
    let world = CheckpointWorld::new(301, 3);
    world.checkpoint_sources.iter().for_each(|source| source.set(Fault::Status(503)));
    assert_eq!(world.read(&world.client()).why(), Some(&too_few(0)));
}

/// As soon as enough sources answer again, trust starts.
#[test]
fn a_rate_limit_of_checkpoint_sources_is_waited_for() {
    let world = CheckpointWorld::new(302, 3);
    let limited = || Fault::RateLimited { retry_after: Some("7".into()) };
    world.checkpoint_sources.iter().for_each(|source| source.set(limited().times(1)));
    let reading = world.read(&world.client());
    let Some(Why::RateLimited { retry_after, .. }) = reading.why() else { panic!("{:?}", reading.why()) };
    assert_eq!(*retry_after, Some(Duration::from_secs(7)));
    world.simulation.pass(Duration::from_secs(8));
    world.assert_true(&world.read(&world.client()));
}

#[test]
fn k_operators_must_answer() {
    let world = CheckpointWorld::new(8, 4);
    world.checkpoint_sources[0].set(Fault::Refuse);
    let client = world.client_of(4);
    let reading = world.read(&client);
    assert_eq!(reading.why(), Some(&Why::TooFewCheckpointSources { answered: 3, needed: 4 }));
    world.checkpoint_sources[0].set(invented(77));
    assert_eq!(why(&world, &client), "checkpoint_sources_disagree");
    world.checkpoint_sources[0].clear();
    assert_eq!(agreed_by(world.assert_true(&world.read(&client))).len(), 4);
}

#[test]
fn a_block_that_is_not_final_is_no_answer() {
    let world = CheckpointWorld::new(9, 3);
    let client = world.client();
    let optimistic = r#"{"finalized":true,"execution_optimistic":true,"data":{"root":"0x00"}}"#;
    for doubt in [Fault::NotFinalized, Fault::Body(optimistic.to_owned())] {
        world.checkpoint_sources[0].set(doubt);
        let reading = world.read(&client);
        assert_eq!(reading.why(), Some(&Why::TooFewCheckpointSources { answered: 2, needed: 3 }));
        assert_eq!(said(&reading, "checkpoint0"), "not_final");
    }
}

/// No source can name the block of an empty slot: the epoch before is used instead.
#[test]
fn an_empty_slot_leads_to_the_epoch_before() {
    let world = CheckpointWorld::new(10, 3);
    world.pass_slots(7);
    world.chain.skip_slot();
    world.pass_slots(36);
    let reading = world.read(&world.client());
    let proven = world.assert_true(&reading);
    assert_eq!(proven.anchor().origin().checkpoint().slot.unwrap().get(), 40);
    assert_eq!(agreed_by(proven).len(), 3);
}

#[test]
fn a_block_without_bootstrap_sends_to_the_epoch_before() {
    let world = CheckpointWorld::new(11, 3);
    world.pass_slots(16);
    let first = world.read(&world.client());
    let first = world.assert_true(&first).anchor().origin().checkpoint().slot.unwrap();
    // Some servers answer HTTP 500 for a block that they do not have. It is asked for three times.
    for (missing, times) in [(Fault::NoBootstrap, 1), (Fault::Status(500), 3)] {
        world.sources[0].set(missing.on("bootstrap").times(times));
        let second = world.read(&world.client());
        let second = world.assert_true(&second).anchor().origin().checkpoint().slot.unwrap();
        assert_eq!(second.get() + world.network.slots_per_epoch(), first.get());
    }

    world.sources[0].set(Fault::NoBootstrap);
    assert_eq!(why(&world, &world.client()), "checkpoint_not_served");
}

/// Sources on both sides of an epoch's end do not disagree: a source that is behind is not sure yet, and is asked for
/// the epoch before.
#[test]
fn sources_an_epoch_apart_agree_on_the_older_one() {
    let world = CheckpointWorld::after(83, 20, 3);
    let first = world.read(&world.client());
    let first = world.assert_true(&first).anchor().origin().checkpoint().slot.unwrap();
    world.checkpoint_sources[1].set_lag(20);
    let reading = world.read(&world.client());
    let proven = world.assert_true(&reading);
    assert_eq!(agreed_by(proven).len(), 3);
    let slot = proven.anchor().origin().checkpoint().slot.unwrap();
    assert_eq!(slot.get() + world.network.slots_per_epoch(), first.get());
}

/// With a clock that is far off all sources are silent, and the reason names the clock.
#[test]
fn a_wrong_clock_is_no_disagreement() {
    let world = CheckpointWorld::new(12, 3);
    world.pass_slots(300);
    let client = world.client();
    for ahead in [Duration::from_secs(86_400), Duration::from_secs(400 * 86_400)] {
        world.simulation.clock().set_ahead(ahead);
        let before = requests(&world);
        assert_eq!(why(&world, &client), "clock_off", "{ahead:?} ahead");
        // Two routes for one slot, and one request for the time.
        assert_eq!(requests(&world) - before, 3, "earlier slots are not requested");
    }
    world.simulation.clock().set_behind(Duration::from_secs(86_400));
    assert_eq!(why(&world, &client), "clock_off");
    world.simulation.clock().set_ahead(Duration::from_secs(120));
    world.assert_true(&world.read(&client));
}

/// Without finality the sources are silent too, and the reason does not name the clock.
#[test]
fn a_chain_without_finality_is_no_wrong_clock() {
    let world = CheckpointWorld::new(13, 3);
    world.chain.stall_finality(true);
    world.pass_slots(300);
    let reading = world.read(&world.client());
    assert_eq!(reading.why(), Some(&Why::TooFewCheckpointSources { answered: 0, needed: 3 }));
    assert_eq!(said(&reading, "checkpoint0"), "not_final");
}

#[test]
fn no_checkpoint_source_sees_an_address() {
    let world = CheckpointWorld::new(14, 3);
    world.assert_true(&world.read(&world.client()));
    let address = hex::encode(ALICE);
    let log = world.simulation.internet().log();
    let requests: Vec<_> = log.iter().filter(|exchange| exchange.host.starts_with("checkpoint")).collect();
    assert!(!requests.is_empty());
    for exchange in requests {
        assert!(exchange.body.is_empty() && !exchange.path.to_lowercase().contains(&address));
    }
}

#[test]
fn an_impossible_agreement_is_refused_at_build() {
    let world = CheckpointWorld::new(15, 3);
    let refused = |builder: saldo::ClientBuilder| builder.build().unwrap_err();
    assert_eq!(refused(world.builder()), BuildError::NoCheckpoint);
    assert_eq!(
        refused(world.builder().checkpoint(Trust::agree(2))),
        BuildError::TooFewCheckpointOperators { operators: 0, needed: 3 }
    );
    let two = ["https://a.test", "b=https://a.test:81", "https://c.test"];
    let builder = two.into_iter().fold(world.builder(), saldo::ClientBuilder::checkpoint_source);
    assert_eq!(refused(builder), BuildError::TooFewCheckpointOperators { operators: 2, needed: 3 });
    for k in [0, 1, 4] {
        let builder = world.with_checkpoint_sources(world.builder()).checkpoint(Trust::agree(k));
        assert_eq!(refused(builder), BuildError::Agreement { k, operators: 3 });
    }
    assert!(matches!(
        refused(world.builder().checkpoint_source("ftp://a.test")),
        BuildError::CheckpointSource { position: 1, .. }
    ));
    let error = EndpointError::Unencrypted;
    let open = world.with_checkpoint_sources(world.builder()).checkpoint_source("http://open.test");
    assert_eq!(refused(open), BuildError::CheckpointSource { position: 4, error });
}

/// A given checkpoint has priority: no source is asked.
#[test]
fn a_given_checkpoint_comes_first() {
    let world = CheckpointWorld::new(16, 3);
    let builder = world.with_checkpoint_sources(world.builder()).checkpoint(world.chain.checkpoint());
    let reading = world.read(&builder.build().unwrap());
    let origin = world.assert_true(&reading).anchor().origin().clone();
    assert_eq!(*origin.voucher(), Voucher::Caller);
    assert_eq!(*origin.checkpoint(), world.chain.checkpoint());
    assert!(world.checkpoint_sources.iter().all(|source| source.requests().is_empty()));
}
