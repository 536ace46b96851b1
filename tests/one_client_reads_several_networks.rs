//! One client reads several networks: calls about holdings take those of all of them, and what happens to one touches no other.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use saldo::{
    BuildError, Change, Claim, Client, ClientBuilder, Clock, Holding, MemoryStorage, NetworkId, Policy,
    Reading, StorageKey, Totals, U256, Verdict, Why,
};
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Chain, Fault, Provider};
use saldo_tests::scene::{ALICE, BEFORE, BOB};
use saldo_tests::stored::entries;

const HERE: u64 = 31_337;
const THERE: u64 = 100;

/// Two chains with other slots, each with a provider and a beacon source of its own.
struct World {
    chains: [Chain; 2],
    providers: [Provider; 2],
    sources: [BeaconSource; 2],
    simulation: Simulation,
}

impl World {
    fn new(seed: u64) -> Self {
        let here = Chain::builder(seed).accounts([(ALICE, BEFORE)]).build();
        let there = Chain::builder(seed.wrapping_add(1))
            .chain_id(THERE)
            .slot_duration(Duration::from_secs(5))
            .accounts([(ALICE, U256::from(100)), (BOB, U256::from(7))])
            .build();
        let mut simulation = Simulation::new(seed, &here);
        simulation.follow(&there);
        let chains = [here, there];
        let providers = chains.each_ref().map(Provider::honest);
        let sources = chains.each_ref().map(BeaconSource::honest);
        let internet = simulation.internet();
        for (place, (provider, source)) in providers.iter().zip(&sources).enumerate() {
            internet.register(&format!("http://provider{place}.test"), provider.clone());
            internet.register(&format!("http://source{place}.test"), source.clone());
        }
        Self { chains, providers, sources, simulation }
    }

    fn builder(&self, place: usize) -> ClientBuilder {
        let chain = &self.chains[place];
        Client::builder(chain.network())
            .checkpoint(chain.checkpoint())
            .policy(Policy::signed())
            .rpc(format!("provider{place}=http://provider{place}.test"))
            .beacon(format!("source{place}=http://source{place}.test"))
    }

    fn both(&self) -> ClientBuilder {
        let builder = self.builder(0).transport(self.simulation.internet()).clock(self.simulation.clock());
        builder.and(self.builder(1))
    }

    /// The changes of `holdings` within `duration`, all of them at the end of each batch.
    fn watch(&self, client: &Client, holdings: &[Holding], duration: Duration) -> Vec<Change> {
        let clock = self.simulation.clock();
        let mut watch = client.watch(holdings.iter().copied());
        self.simulation.run(async {
            let mut changes = Vec::new();
            let mut over = clock.sleep(duration);
            loop {
                match select(watch.next_all().boxed(), over).await {
                    Either::Left((batch, left)) => {
                        changes.extend(batch);
                        over = left;
                    }
                    Either::Right(_) => return changes,
                }
            }
        })
    }
}

fn holding(chain_id: u64, owner: saldo::Address) -> Holding {
    Holding::native(NetworkId::new(chain_id), owner)
}

/// In another order than that of the networks.
fn holdings() -> [Holding; 4] {
    [holding(THERE, BOB), holding(HERE, ALICE), holding(THERE, ALICE), holding(HERE, BOB)]
}

fn amounts(readings: &[Reading]) -> Vec<Option<u64>> {
    let amount =
        |reading: &Reading| reading.proven().map(|proven| proven.amount().base_units().saturating_to());
    readings.iter().map(amount).collect()
}

const AMOUNTS: [Option<u64>; 4] = [Some(7), Some(1_500_000_000_000_000_000), Some(100), Some(0)];

#[test]
fn readings_come_in_the_order_of_the_holdings() {
    let world = World::new(1);
    let client = world.both().build().unwrap();
    let holdings = holdings();
    let readings = world.simulation.run(client.read(&holdings));
    assert_eq!(amounts(&readings), AMOUNTS);
    for (holding, reading) in holdings.iter().zip(&readings) {
        assert_eq!(reading.proven().unwrap().holding(), holding);
        assert_eq!(client.last(holding).unwrap().anchor(), reading.proven().unwrap().anchor());
    }
    assert_eq!(amounts(&world.simulation.run(client.finalized(&holdings))), AMOUNTS);
    assert_eq!(amounts(&world.simulation.run(client.read_patiently(&holdings, Duration::ZERO))), AMOUNTS);
    let mut totals = Totals::new();
    for (holding, reading) in holdings.iter().zip(&readings) {
        totals.add(*holding, reading).unwrap();
    }
    assert_eq!(totals.iter().count(), 2, "coins of two networks are never added up");

    let nowhere = [holding(5, ALICE), holdings[0]];
    let readings = world.simulation.run(client.read(&nowhere));
    assert!(matches!(readings[0].why(), Some(Why::NetworkNotConfigured { .. })), "{readings:?}");
    assert_eq!(amounts(&readings), [None, Some(7)]);
}

#[test]
fn claims_are_checked_on_their_networks() {
    let world = World::new(2);
    let client = world.both().build().unwrap();
    let claim = |holding, amount: u64| Claim { holding, amount: U256::from(amount), block: None };
    let claims =
        [claim(holding(THERE, ALICE), 100), claim(holding(HERE, ALICE), 100), claim(holding(THERE, BOB), 8)];
    let verdicts = world.simulation.run(client.check_patiently(&claims, Duration::from_secs(60)));
    let codes: Vec<&str> = verdicts.iter().map(Verdict::code).collect();
    assert_eq!(codes, ["confirmed", "different", "different"]);
}

#[test]
fn what_happens_to_one_network_touches_no_other() {
    let world = World::new(3);
    let client = world.both().build().unwrap();
    world.providers[0].add(Fault::Refuse);
    world.sources[0].add(Fault::Refuse);
    let readings = world.simulation.run(client.read(&holdings()));
    assert_eq!(amounts(&readings), [Some(7), None, Some(100), None]);
    let there = client.on(NetworkId::new(THERE)).unwrap();
    assert!(there.health().heads.is_some() && client.health().heads.is_none());
    world.providers[0].clear();
    world.sources[0].clear();
    world.simulation.pass(Duration::from_secs(60));
    assert_eq!(amounts(&world.simulation.run(client.read(&holdings()))), AMOUNTS);

    // A new trust start of one of them drops what was proven of it, and nothing else.
    there.start_again(world.chains[1].checkpoint());
    assert_eq!(client.last(&holding(THERE, ALICE)), None);
    assert!(client.last(&holding(HERE, ALICE)).is_some());
    client.forget(&holding(HERE, ALICE));
    assert_eq!(client.last(&holding(HERE, ALICE)), None);
    assert!(client.last(&holding(HERE, BOB)).is_some());
}

#[test]
fn one_watch_tells_the_changes_of_all() {
    let world = World::new(4);
    let client = world.both().build().unwrap();
    world.chains[1].set_balance(BOB, U256::from(8));
    let changes = world.watch(&client, &holdings(), Duration::from_secs(120));
    for (wanted, amount) in holdings().iter().zip([8_u64, 1_500_000_000_000_000_000, 100, 0]) {
        let of_holding = changes.iter().filter(|change| change.holding() == Some(wanted));
        let newest = of_holding.filter_map(Change::latest_proven).next_back().expect("it is proven");
        assert_eq!(newest.amount().base_units(), U256::from(amount), "{wanted:?}");
    }
    let refreshed = world.simulation.run(client.refresh(Duration::from_secs(20)));
    assert_eq!(refreshed.len(), 4);
    assert!(refreshed.iter().all(|(_, reading)| reading.proven().is_some()));
}

/// A further network costs what it costs alone: neither asks more often because of the other.
#[test]
fn each_network_costs_what_it_costs_alone() {
    let minutes = Duration::from_secs(10 * 60);
    let requests = |holdings: &[Holding]| {
        let world = World::new(7);
        let client = world.both().build().unwrap();
        world.watch(&client, holdings, minutes);
        let log = world.simulation.internet().log();
        [0, 1].map(|place| log.iter().filter(|exchange| exchange.host.contains(&place.to_string())).count())
    };
    let (here, there) = (holding(HERE, ALICE), holding(THERE, ALICE));
    let [[first, none], [nothing, second]] = [requests(&[here]), requests(&[there])];
    assert_eq!((none, nothing), (0, 0), "a network without a holding is not asked");
    let both = requests(&[here, there]);
    for (alone, together) in [first, second].into_iter().zip(both) {
        assert!(together <= alone + alone / 20, "{alone} alone, and {together} beside the other");
    }
}

#[test]
fn one_storage_keeps_all_networks() {
    for key in [None, Some(StorageKey::new([7; 32]))] {
        let world = World::new(5);
        let storage = MemoryStorage::new();
        let kept = |builder: ClientBuilder| {
            let builder = builder.storage(storage.clone());
            if let Some(key) = &key { builder.storage_key(key.clone()) } else { builder }
        };
        // At first the wallet has one network.
        let alone =
            kept(world.builder(0).transport(world.simulation.internet()).clock(world.simulation.clock()));
        let client = alone.build().unwrap();
        assert!(world.simulation.run(client.balance(ALICE)).proven().is_some());
        drop(client);
        let client = kept(world.both()).build().unwrap();
        let last = client.last(&holding(HERE, ALICE)).expect("what was kept of the first network");
        assert!(last.is_restored());
        for _ in 0..3 {
            assert_eq!(amounts(&world.simulation.run(client.read(&holdings()))), AMOUNTS);
            world.simulation.pass(Duration::from_secs(30));
        }
        assert_eq!(client.storage_faults(), []);
        drop(client);
        let client = kept(world.both()).build().unwrap();
        assert_eq!(client.storage_faults(), []);
        for holding in holdings() {
            assert!(client.last(&holding).expect("it is kept").is_restored());
        }
        // What is kept of one network is nothing under the names of another.
        let moved: MemoryStorage = MemoryStorage::new();
        let own = |(name, _): &(String, Vec<u8>)| !name.starts_with("network/");
        let names: Vec<(String, Vec<u8>)> = entries(&storage).into_iter().filter(own).collect();
        let writes = names.into_iter().map(|(name, value)| saldo::Write {
            name: format!("network/{THERE}/{name}"),
            value: Some(value),
        });
        saldo_tests::stored::put(&moved, writes);
        let builder = world.both().storage(moved);
        let builder = if let Some(key) = &key { builder.storage_key(key.clone()) } else { builder };
        match (builder.build(), &key) {
            (Err(BuildError::Storage(_)), None) => {}
            (Ok(client), Some(_)) => {
                assert!(!client.storage_faults().is_empty());
                assert_eq!(client.last(&holding(HERE, ALICE)), None);
            }
            (other, _) => panic!("{:?}", other.map(|_| ())),
        }
    }
}

#[test]
fn two_networks_of_one_chain_id_are_refused() {
    let world = World::new(6);
    let error = world.both().and(world.builder(1)).build().map(|_| ()).unwrap_err();
    assert_eq!(error, BuildError::SameNetwork { chain_id: THERE });
    assert!(error.to_string().contains("100"));
    let client = world.both().build().unwrap();
    let ids: Vec<u64> = client.networks().iter().map(|it| it.network_id().chain_id()).collect();
    assert_eq!(ids, [HERE, THERE]);
    assert!(client.on(NetworkId::new(5)).is_none());
}
