//! That a checkpoint is too old is known on the device: it is said first, also offline and whatever else fails.

use std::sync::Arc;
use std::time::Duration;

use saldo::{Checkpoint, Client, Endpoint, Why};
use saldo_doctor::{Doctor, Finding, Verdict};
use saldo_drill::{Fault, Provider};
use saldo_tests::checkpoint_world::CheckpointWorld;

/// Makes the servers of a world fail.
type Failing = fn(&CheckpointWorld);

const MONTHS: Duration = Duration::from_secs(90 * 86_400);

/// A world in which the checkpoint has expired, with other things that fail at the same time.
fn worlds(seed: u64) -> Vec<(&'static str, CheckpointWorld)> {
    let world = |failing: fn(&CheckpointWorld)| {
        let world = CheckpointWorld::of_long_slots(seed, 0);
        failing(&world);
        world
    };
    vec![
        ("nothing else", world(|_| {})),
        ("the device is offline", world(|world| world.simulation.internet().set_offline(true))),
        ("the source is gone", world(|world| world.sources[0].set(Fault::Refuse))),
        ("the source does not answer", world(|world| world.sources[0].set(Fault::Hang))),
        ("the source has no routes", world(|world| world.sources[0].set(Fault::NoRoute))),
        (
            "the source asks to wait",
            world(|world| world.sources[0].set(Fault::RateLimited { retry_after: None })),
        ),
        ("a log-in page answers", world(|world| set_all(world, &Fault::Html))),
        ("all servers are gone", world(|world| set_all(world, &Fault::Refuse))),
        ("no name resolves", world(|world| set_all(world, &Fault::Unresolvable))),
        ("no certificate is valid", world(|world| set_all(world, &Fault::BadCertificate))),
    ]
}

fn set_all(world: &CheckpointWorld, fault: &Fault) {
    world.sources[0].set(fault.clone());
    let provider = Provider::honest(&world.chain);
    provider.set(fault.clone());
    world.simulation.internet().register("http://provider.test", provider);
}

fn assert_too_old(world: &CheckpointWorld, client: &Client, case: &str) {
    let reading = world.read(client);
    let Some(Why::CheckpointTooOld { age, limit }) = reading.why() else {
        panic!("{case}: {:?}, {:?}", reading.why(), reading.attempts());
    };
    assert!(age > limit && *age > MONTHS / 2, "{case}: {age:?}, {limit:?}");
}

#[test]
fn before_the_first_start() {
    for (case, world) in worlds(1) {
        let expired = world.chain.checkpoint();
        world.sleep_for(MONTHS);
        let client = world.builder().checkpoint(expired).build().unwrap();
        assert_too_old(&world, &client, case);
        let log = world.simulation.internet().log();
        assert!(
            !log.iter().any(|exchange| exchange.host.starts_with("source")),
            "{case}: nothing to ask for"
        );
    }
}

/// The doctor knows it too, whatever else fails.
#[test]
fn the_doctor_says_it() {
    for (case, world) in worlds(5) {
        let expired = world.chain.checkpoint();
        world.sleep_for(MONTHS);
        let (internet, clock) = (world.simulation.internet(), world.simulation.clock());
        let doctor = Doctor::new(world.network.clone(), Arc::new(internet), Arc::new(clock))
            .checkpoint(Some(expired))
            .provider("http://provider.test".parse::<Endpoint>().unwrap())
            .source("http://source0.test".parse::<Endpoint>().unwrap());
        let report = world.simulation.run(doctor.examine(&|_| {}));
        assert_eq!(report.sources[0].findings[0], Finding::CheckpointTooOld, "{case}: {report:?}");
        assert_eq!(report.diagnosis.verdict, Verdict::NeedsAction, "{case}");
    }
}

#[test]
fn after_a_restart_by_hand() {
    for (case, world) in worlds(2) {
        let expired = world.chain.checkpoint();
        world.sleep_for(MONTHS);
        let client = world.builder().checkpoint(world.chain.checkpoint()).build().unwrap();
        client.start_again(expired);
        assert_too_old(&world, &client, case);
    }
}

/// The light client that was running has expired while the app was closed.
#[test]
fn after_a_long_absence() {
    let failing: [(&str, Failing); 6] = [
        ("the chain went on", |_| {}),
        ("the device is offline", |world| world.simulation.internet().set_offline(true)),
        ("all servers are gone", |world| set_all(world, &Fault::Refuse)),
        ("a log-in page answers", |world| set_all(world, &Fault::Html)),
        ("the source has no routes", |world| world.sources[0].set(Fault::NoRoute)),
        ("the source does not answer", |world| world.sources[0].set(Fault::Hang)),
    ];
    for (case, fail) in failing {
        let world = CheckpointWorld::of_long_slots(3, 0);
        let client = world.client_with_checkpoint();
        world.assert_true(&world.read(&client));
        world.sleep_for(MONTHS);
        fail(&world);
        assert_too_old(&world, &client, case);
    }
}

/// If the slot of a checkpoint is not given, only its bootstrap says how old it is.
#[test]
fn a_checkpoint_without_a_slot_must_be_fetched() {
    let world = CheckpointWorld::of_long_slots(4, 0);
    let expired = Checkpoint { slot: None, ..world.chain.checkpoint() };
    world.sleep_for(MONTHS);
    let client = world.builder().checkpoint(expired).build().unwrap();
    assert_too_old(&world, &client, "without a slot");
    world.simulation.internet().set_offline(true);
    let client = world.builder().checkpoint(expired).build().unwrap();
    assert_eq!(world.read(&client).why(), Some(&Why::DeviceOffline));
}

/// A checkpoint that is young enough is never called too old.
#[test]
fn a_young_checkpoint_is_not_too_old() {
    for (case, world) in worlds(5) {
        let client = world.client_with_checkpoint();
        let reading = world.read(&client);
        let code = reading.why().map(Why::code);
        assert_ne!(code, Some("checkpoint_too_old"), "{case}");
        assert_eq!(reading.proven().is_some(), case == "nothing else", "{case}: {code:?}");
    }
}
