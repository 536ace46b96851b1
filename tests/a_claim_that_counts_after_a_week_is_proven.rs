//! On OP Mainnet, Unichain and Ink L1 counts a claim seven days after it was made. A wallet takes proofs at the rollup's head, keeps those
//! that a claim reaches, and proves them a week later. The provider proves at its head alone, all the time, and the registry is never
//! anchored to a game.

use std::collections::BTreeMap;
use std::time::Duration;

use alloy_primitives::{Address, U256};
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use saldo::{
    Change, Client, Clock, Holding, Level, MemoryStorage, NetworkId, Pace, Policy, Reading, UnixTime,
};
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Chain, Preset, Provider, Rollup, RollupKind};
use saldo_tests::counted::Counted;
use saldo_tests::scene::{ALICE, BOB};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// How long a claim can be challenged, and how long the registry waits after that.
const CLOCK: u64 = 302_400;
/// A claim is made so long after its block.
const CLAIMS_AFTER: u64 = 20 * MINUTE;

/// An L1, a rollup with a claim each hour, and a screen that shows what the coins of the rollup are.
struct Weeks {
    l1: Chain,
    rollup: Rollup,
    simulation: Simulation,
    block_time: u64,
    /// The games that can still be challenged, with the time when that is over.
    open: Vec<(u64, Address)>,
    /// The newest reading of each owner.
    shown: BTreeMap<Address, Reading>,
}

impl Weeks {
    /// Alice and Bob have 100 wei each.
    fn new(block_time: u64) -> Self {
        let l1 = Chain::builder(1).preset(Preset::Development).build();
        let chain = Chain::builder(2)
            .chain_id(RollupKind::Fault.chain_id())
            .preset(Preset::Development)
            .slot_duration(Duration::from_secs(block_time))
            .genesis_time(UnixTime::from_secs(l1.now().as_secs() - HOUR))
            .history(0)
            .build();
        chain.set_signers(Some(0));
        chain.advance_to(l1.now());
        let rollup = Rollup::with_chain(&l1, &chain, RollupKind::Fault);
        [ALICE, BOB].iter().for_each(|owner| chain.set_balance(*owner, U256::from(100)));
        rollup.advance(32);
        // Weeks of L1 pass soon: it has a block in 10 minutes and not in 12 s.
        l1.set_pace(50);
        let mut simulation = Simulation::new(1, &l1);
        simulation.follow(&chain);
        let internet = simulation.internet();
        internet.register("http://l1.test", Provider::honest(&l1));
        internet.register("http://source.test", BeaconSource::honest(&l1));
        internet.register("http://l2.test", Provider::honest(&chain).proof_window(8));
        Self { l1, rollup, simulation, block_time, open: Vec::new(), shown: BTreeMap::new() }
    }

    /// Opens the app, which asks for what L1 counts as final.
    fn open(&self, transport: impl saldo::Transport + 'static, storage: &MemoryStorage) -> Client {
        let max_age = Duration::from_secs(8 * DAY);
        let policy = Policy { assurance: Level::L1Finalized, max_age, ..Policy::rollup() };
        let rollup = Client::rollup(self.rollup.profile()).rpc("l2=http://l2.test").policy(policy);
        let client = Client::builder(self.l1.network())
            .checkpoint(self.l1.checkpoint())
            .transport(transport)
            .clock(self.simulation.clock())
            .storage(storage.clone())
            .rpc("l1=http://l1.test")
            .beacon("source=http://source.test")
            .and(rollup)
            .build()
            .unwrap();
        client.set_pace(Pace::Background);
        client
    }

    /// Claims a block of the rollup, and ends the games that can no longer be challenged.
    fn claim(&mut self) {
        let now = self.l1.now().as_secs();
        let last = self.rollup.chain().tip().number - CLAIMS_AFTER / self.block_time;
        self.open.push((now + CLOCK, self.rollup.propose(last).game()));
        let is_over = |(until, _): &(u64, Address)| *until <= now;
        self.open.iter().filter(|open| is_over(open)).for_each(|(_, game)| self.rollup.resolve(*game, true));
        self.open.retain(|open| !is_over(open));
    }

    /// Watches for so many hours, and has `each` look at the screen after each hour.
    fn watch(&mut self, client: &Client, hours: u64, mut each: impl FnMut(&Self)) {
        let clock = self.simulation.clock();
        let network = NetworkId::new(RollupKind::Fault.chain_id());
        let mut watch = client.watch([ALICE, BOB].map(|owner| Holding::native(network, owner)));
        self.shown.clear();
        for _ in 0..hours {
            self.claim();
            let until = clock.monotonic() + Duration::from_secs(HOUR);
            self.simulation.run(async {
                loop {
                    let left = until.saturating_sub(clock.monotonic());
                    match select(watch.next().boxed(), clock.sleep(left)).await {
                        Either::Left((Change::Reading { holding, reading, .. }, _)) => {
                            self.shown.insert(holding.owner(), reading);
                        }
                        Either::Left(_) => {}
                        Either::Right(_) => return,
                    }
                }
            });
            each(self);
        }
    }

    /// The proven amount of an owner that the screen shows, and the earlier one if it shows none.
    fn amounts(&self, owner: Address) -> (Option<u64>, Option<u64>) {
        let Some(reading) = self.shown.get(&owner) else { return (None, None) };
        let of = |proven: Option<&saldo::Proven>| proven.map(|proven| proven.amount().base_units().to());
        let age = reading.proven().map(|proven| self.l1.now().saturating_sub(proven.anchor().timestamp()));
        assert!(age <= Some(Duration::from_secs(8 * DAY)), "{reading:?}");
        (of(reading.proven()), of(reading.latest_proven()))
    }
}

/// The app starts again on every third day.
#[test]
fn a_watch_of_two_weeks_proves_each_amount_in_its_eighth_day() {
    let mut weeks = Weeks::new(12);
    let storage = MemoryStorage::new();
    let mut client = weeks.open(weeks.simulation.internet(), &storage);
    let mut hour = 0;
    for day in 0..14 {
        if day == 3 {
            weeks.rollup.chain().set_balance(BOB, U256::from(7));
        }
        if day % 3 == 2 {
            drop(client);
            client = weeks.open(weeks.simulation.internet(), &storage);
        }
        weeks.watch(&client, 24, |weeks| {
            hour += 1;
            let (alice, bob) = (weeks.amounts(ALICE), weeks.amounts(BOB));
            let told = format!("hour {hour}: {alice:?} {bob:?}");
            match hour {
                ..=168 => assert_eq!((alice, bob), ((None, None), (None, None)), "{told}"),
                170.. => assert_eq!(alice, (Some(100), Some(100)), "{told}"),
                _ => {}
            }
            match hour {
                // A week after Bob's amount changed, the claims of up to 16 hours may have no proof.
                170..=240 => assert_eq!(bob, (None, Some(100)), "{told}"),
                258.. => assert_eq!(bob, (Some(7), Some(7)), "{told}"),
                _ => {}
            }
        });
    }
}

/// With blocks of two seconds a claim reaches proofs of eight minutes: a proof in ten minutes could always come between two claims.
#[test]
fn in_the_background_a_proof_is_taken_as_often_as_a_claim_reaches() {
    let mut weeks = Weeks::new(2);
    let counted = Counted::new(weeks.simulation.internet(), weeks.simulation.clock(), Duration::ZERO);
    let client = weeks.open(counted.clone(), &MemoryStorage::new());
    weeks.watch(&client, 1, |_| {});
    counted.reset();
    weeks.watch(&client, 4, |_| {});
    // Two requests each time: for the head, and for the proofs at it.
    let taken = counted.of("l2").requests / 2;
    assert!(taken >= 4 * 8, "{taken} times in four hours");
}
