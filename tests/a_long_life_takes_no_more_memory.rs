//! Promise 7, for a wallet that runs for days: its memory does not grow with the reads, whatever providers send.

use allocation_counter::measure;
use saldo_beacon::Fork;
use saldo_worlds::{Behaviour, Bounds, Party, Step, Story, Variant, World, play};

/// The bytes that the simulation itself keeps per request: two log entries with the body.
const LOG_BYTES_PER_REQUEST: u64 = 2_000;

fn world(behaviour: Behaviour, reads: usize) -> World {
    let story = Story {
        seed: 6,
        fork: Fork::Fulu,
        next_fork: None,
        tip_lead: 1,
        history: 48,
        slots: 64,
        events: Vec::new(),
        stretch: None,
        twin: None,
    };
    let providers = vec![Party::always(behaviour); 5];
    let mut world = World::of_one_read(story, providers, vec![Party::always(Behaviour::Honest)]);
    // No provider is silent, so each read ends long before the next one.
    world.steps = (0..reads).flat_map(|_| [Step::Read(vec![0, 1, 2]), Step::Pass(2_000)]).collect();
    world
}

/// The peak number of bytes, and the number of requests, of that many reads.
fn life(behaviour: Behaviour, reads: usize) -> (u64, u64) {
    let world = world(behaviour, reads);
    let mut requests = 0;
    let allocated = measure(|| {
        let run = play(&world, &Variant::REAL, Bounds::USUAL, false);
        assert_eq!(run.violation, None, "{behaviour:?}");
        requests = run.requests;
    });
    (allocated.bytes_max, requests)
}

#[test]
fn memory_stays_bounded_whatever_providers_send() {
    for behaviour in [
        Behaviour::Honest,
        Behaviour::TipOnly,
        Behaviour::Lagging(1),
        Behaviour::InventedRiches,
        Behaviour::OtherAccount,
        Behaviour::Status(503),
    ] {
        let _films_are_made_once = life(behaviour, 1);
        let (short, few) = life(behaviour, 100);
        let (long, many) = life(behaviour, 300);
        assert!(many > few + 20, "{behaviour:?}: {few} and {many} requests");
        let each = long.saturating_sub(short) / (many - few);
        println!("{behaviour:?}: {each} bytes more for each request, {many} requests");
        assert!(each < LOG_BYTES_PER_REQUEST, "{behaviour:?}: {each} bytes more for each request");
    }
}
