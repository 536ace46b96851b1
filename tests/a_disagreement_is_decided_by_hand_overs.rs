//! If checkpoint sources disagree, the committee updates from an older checkpoint decide, if enough operators name
//! the block to which they lead. Neither an old checkpoint nor a majority decides alone.

use std::time::Duration;

use saldo::Why;
use saldo_drill::{Chain, Fault};
use saldo_tests::checkpoint_world::{CheckpointWorld, PrunedSource, agreed_by, said};

const WEEKS: Duration = Duration::from_secs(28 * 86_400);

/// An invented chain, as long as the genuine one.
fn invented(seed: u64, chain: &Chain) -> Fault {
    Fault::OtherChain(Chain::builder(seed).history(chain.slot().get()).build())
}

/// Two operators of four name a block of an invented chain.
fn split(seed: u64) -> CheckpointWorld {
    let mut world = CheckpointWorld::of_long_slots(seed, 4);
    let expired = world.chain.checkpoint();
    world.network = world.network.clone().with_checkpoint(expired);
    world.sleep_for(WEEKS);
    world.checkpoint_sources[0].set(invented(100, &world.chain));
    world.checkpoint_sources[2].set(invented(100, &world.chain));
    world
}

#[test]
fn an_expired_checkpoint_decides_by_its_committee_updates() {
    let world = split(1);
    let reading = world.read_until_proven(&world.client());
    let proven = world.assert_true(&reading);
    assert_eq!(agreed_by(proven), ["operator1", "operator3"]);
    let started = proven.anchor().origin().checkpoint().slot.unwrap();
    assert!(started > world.network.checkpoint().unwrap().slot.unwrap());
}

#[test]
fn an_expired_light_client_decides_too() {
    let world = CheckpointWorld::of_long_slots(3, 4);
    let client = world.client();
    world.assert_true(&world.read(&client));
    world.sleep_for(WEEKS);
    world.checkpoint_sources[0].set(invented(100, &world.chain));
    world.checkpoint_sources[2].set(invented(100, &world.chain));
    let reading = world.read_until_proven(&client);
    assert_eq!(agreed_by(world.assert_true(&reading)), ["operator1", "operator3"]);
}

/// Former committee members could sign another chain today. So their committee updates alone do not restart trust.
#[test]
fn what_one_operator_alone_names_does_not_win() {
    let world = split(5);
    world.checkpoint_sources[0].set(invented(101, &world.chain));
    world.checkpoint_sources[1].set(invented(102, &world.chain));
    let reading = world.read_until_proven(&world.client());
    assert_eq!(reading.why(), Some(&Why::CheckpointSourcesDisagree));
    assert_eq!(said(&reading, "checkpoint3"), "named");
}

#[test]
fn without_committee_updates_an_old_checkpoint_decides_nothing() {
    let world = split(7);
    let present = world.network.period_at(world.chain.slot());
    let source = world.sources[0].clone();
    world.replace_source(PrunedSource { source, oldest: present.saturating_sub(1) });
    let reading = world.read_until_proven(&world.client());
    assert_eq!(reading.why(), Some(&Why::CheckpointSourcesDisagree));
}
