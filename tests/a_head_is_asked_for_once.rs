//! For a part of each slot the newest signed head is one slot behind. Many reads in that time ask the sources once in a
//! sixth of a slot, and not each for itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alloy_primitives::{Address, U256};
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use saldo::{Activity, Change, Clock, Policy, Watch};
use saldo_drill::http::{HttpRequest, Reaction, Service};
use saldo_drill::{BeaconSource, Chain, Fault};
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BEFORE, Scene};
use saldo_tests::watched::SLOT;

fn scene(seed: u64) -> Scene {
    let chain = Chain::builder(seed).accounts([(ALICE, BEFORE)]).tip_lead(2).build();
    let policy = Policy { operators_per_address: 3, ..Policy::signed() };
    Scene::of(chain, seed, 3, 2, policy)
}

/// The number of requests for heads.
fn asked(scene: &Scene) -> usize {
    let log = scene.simulation.internet().log();
    log.iter().filter(|exchange| exchange.path.contains("light_client/optimistic_update")).count()
}

#[test]
fn many_reads_within_two_seconds_ask_for_a_head_once() {
    let scene = scene(1);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    let (clock, asked_before) = (scene.simulation.clock(), asked(&scene));
    let (began, mut reads) = (clock.monotonic(), 0_u8);
    while clock.monotonic() < began + Duration::from_secs(2) {
        let owner = Address::repeat_byte(reads);
        let readings = scene.simulation.run(scene.client.read(&[native(owner)]));
        assert_eq!(scene.assert_true(&readings[0], owner), U256::ZERO);
        reads += 1;
    }
    assert!(reads > 10, "{reads}");
    // One pause ends within the two seconds, and a hedge asks the second source.
    assert!(asked(&scene) - asked_before <= 2, "{} in {reads} reads", asked(&scene) - asked_before);
}

/// The pause is short: a head that is published is found by the first read after it.
#[test]
fn the_next_slot_is_asked_for_again() {
    let scene = scene(2);
    let number = || scene.balance(ALICE).proven().unwrap().anchor().number();
    let first = number();
    for slots in 1..6 {
        scene.pass_slots(1);
        assert_eq!(number(), first + slots);
    }
}

/// A beacon source that publishes the head of each slot at an offset of that slot.
#[derive(Clone)]
struct Publishing {
    chain: Chain,
    ahead: BeaconSource,
    behind: BeaconSource,
    offset: Arc<AtomicU64>,
}

impl Publishing {
    fn new(chain: &Chain, millis: u64) -> Self {
        let (ahead, behind) = (BeaconSource::honest(chain), BeaconSource::honest(chain).lag(1));
        Self { chain: chain.clone(), ahead, behind, offset: Arc::new(millis.into()) }
    }

    fn publish_at(&self, millis: u64) {
        self.offset.store(millis, Ordering::SeqCst);
    }
}

impl Service for Publishing {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        let offset = Duration::from_millis(self.offset.load(Ordering::SeqCst));
        let has_published = since_slot(&self.chain) >= offset;
        if has_published { self.ahead.answer(request) } else { self.behind.answer(request) }
    }

    fn refuses(&self) -> bool {
        self.ahead.refuses()
    }
}

/// The time since the present slot began.
fn since_slot(chain: &Chain) -> Duration {
    let (network, now) = (chain.network(), chain.now());
    now.saturating_sub(network.slot_start(network.slot_at(now).unwrap()))
}

/// A wallet that watches Alice's balance, and sources that publish at these offsets, in milliseconds.
struct Watched {
    scene: Scene,
    sources: Vec<Publishing>,
    watch: Watch,
}

/// What happened in some slots.
#[derive(Debug)]
struct Costs {
    /// The number of requests for heads to each source.
    requests: Vec<usize>,
    /// For each new head, the offset in its slot at which it came.
    heads: Vec<Duration>,
}

impl Watched {
    fn new(seed: u64, offsets: &[u64]) -> Self {
        let chain = Chain::builder(seed).accounts([(ALICE, BEFORE)]).build();
        let policy = Policy { operators_per_address: 3, ..Policy::signed() };
        let scene = Scene::of(chain, seed, 3, offsets.len(), policy);
        let publishing = |(number, millis): (usize, &u64)| {
            let source = Publishing::new(&scene.chain, *millis);
            scene.simulation.internet().register(&format!("http://source{number}.test"), source.clone());
            source
        };
        let sources = offsets.iter().enumerate().map(publishing).collect();
        let watch = scene.client.watch([native(ALICE)]);
        Self { scene, sources, watch }
    }

    fn pass(&mut self, slots: u32) -> Costs {
        let (clock, chain, client) = (self.scene.simulation.clock(), &self.scene.chain, &self.scene.client);
        let sent_before = self.scene.simulation.internet().log().len();
        let end = clock.monotonic() + SLOT * slots;
        let newest = || client.health().heads.and_then(|heads| heads.signed);
        let (mut heads, mut known) = (Vec::new(), newest());
        let watch = &mut self.watch;
        self.scene.simulation.run(async {
            let mut changes =
                async { while watch.next().await != Change::Activity(Activity::Offline) {} }.boxed();
            while clock.monotonic() < end {
                let step = clock.sleep(LOOK);
                changes = match select(step, changes).await {
                    Either::Left(((), changes)) => changes,
                    Either::Right(_) => panic!("the device is online"),
                };
                if newest() != known {
                    known = newest();
                    heads.push(since_slot(chain));
                }
            }
        });
        let log = self.scene.simulation.internet().log();
        let of = |number: usize| {
            let host = format!("source{number}.test");
            let sent = log.iter().skip(sent_before);
            sent.filter(|it| it.host == host && it.path.contains("light_client/optimistic_update")).count()
        };
        Costs { requests: (0..self.sources.len()).map(of).collect(), heads }
    }
}

/// How often the test looks for a new head.
const LOOK: Duration = Duration::from_millis(25);
/// A 48th of a slot, as exactly as the time is learned; and the way of a request and its answer.
const PROMPT: Duration = Duration::from_millis(250 + 160 + 25);

#[test]
fn a_watch_asks_when_the_source_publishes() {
    for publishes in [300, 1_500, 3_700] {
        let mut watched = Watched::new(publishes, &[publishes, publishes]);
        watched.pass(12);
        let steady = watched.pass(64);
        println!("{publishes} ms: {:?}, {:?}", steady.requests, steady.heads.iter().max());
        assert_eq!(steady.heads.len(), 64, "a head in each slot");
        let late = |at: &&Duration| **at > Duration::from_millis(publishes) + PROMPT;
        assert_eq!(steady.heads.iter().find(late), None, "{publishes} ms");
        // In one slot of 32 a second request looks whether it publishes earlier.
        assert!(
            steady.requests.iter().sum::<usize>() <= 64 + 64 / 32 + 1,
            "{publishes} ms: {:?}",
            steady.requests
        );
    }
}

#[test]
fn a_source_that_changes_its_time_is_learned_again() {
    let mut watched = Watched::new(3, &[1_000]);
    watched.pass(12);
    for publishes in [3_000, 500] {
        watched.sources[0].publish_at(publishes);
        watched.pass(45);
        let steady = watched.pass(20);
        let late = |at: &&Duration| **at > Duration::from_millis(publishes) + PROMPT;
        assert_eq!((steady.heads.len(), steady.heads.iter().find(late)), (20, None), "{publishes} ms");
        assert!(steady.requests[0] <= 21, "{publishes} ms: {:?}", steady.requests);
    }
}

/// When the first source fails, the second is asked at the time of the second.
#[test]
fn each_source_is_asked_at_its_own_time() {
    let mut watched = Watched::new(4, &[1_000, 3_000]);
    watched.pass(12);
    let first = watched.pass(10);
    assert_eq!((first.requests[0], first.requests[1]), (10, 0), "{first:?}");
    watched.sources[0].ahead.set(Fault::Refuse);
    watched.sources[0].behind.set(Fault::Refuse);
    watched.pass(12);
    let second = watched.pass(10);
    let late = |at: &&Duration| **at > Duration::from_millis(3_000) + PROMPT;
    assert_eq!((second.heads.len(), second.heads.iter().find(late)), (10, None), "{second:?}");
    assert!(second.requests[1] <= 11, "{second:?}");
}

/// A source that lags by one slot hides no head that another source has.
#[test]
fn a_source_that_is_late_hides_no_head() {
    // The first source never has the head of a slot within the slot.
    let mut watched = Watched::new(5, &[60_000, 1_000]);
    watched.pass(12);
    let steady = watched.pass(30);
    let late = |at: &&Duration| **at > Duration::from_millis(1_000) + PROMPT;
    assert_eq!((steady.heads.len(), steady.heads.iter().find(late)), (30, None), "{steady:?}");
    assert!(steady.requests.iter().sum::<usize>() <= 32, "{steady:?}");
}

/// One that publishes late, but not too late, delays a head by half a slot at most.
#[test]
fn a_late_source_costs_half_a_slot_at_most() {
    let mut watched = Watched::new(6, &[5_900, 1_000]);
    watched.pass(12);
    let steady = watched.pass(30);
    assert_eq!(steady.heads.len(), 30, "{steady:?}");
    assert!(steady.heads.iter().all(|at| *at <= SLOT / 2 + PROMPT), "{steady:?}");
}

/// Between two publications a read needs no request for heads.
#[test]
fn a_read_before_the_publication_asks_for_no_head() {
    let mut watched = Watched::new(7, &[3_000]);
    watched.pass(12);
    let scene = &watched.scene;
    // The watch is not polled, so that only reads ask.
    let mut reads = 0;
    let mut requests_of_a_read_at = |offset: u64| {
        scene.simulation.pass(SLOT - since_slot(&scene.chain) + Duration::from_millis(offset));
        let (before, owner) = (asked(scene), Address::repeat_byte(reads));
        reads += 1;
        scene.assert_true(&scene.balance(owner), owner);
        asked(scene) - before
    };
    for _ in 0..5 {
        assert_eq!(requests_of_a_read_at(3_700), 1);
        assert_eq!(requests_of_a_read_at(500), 0);
    }
}
