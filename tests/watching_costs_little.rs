//! What a watch costs in an hour on a chain of mainnet's shape: the numbers of `docs/watch.md`.

use std::time::Duration;

use alloy_primitives::{Address, U256};
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use saldo::{Change, Client, Clock, Holding, Pace, Policy};
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Chain, Preset, Provider};
use saldo_tests::counted::{Bytes, Counted};

const HOUR: Duration = Duration::from_secs(3_600);

fn owner(number: u64) -> Address {
    Address::from_slice(&alloy_primitives::keccak256(number.to_be_bytes())[..20])
}

/// An hour of watching so many holdings: what the provider and the beacon source sent and received.
fn hour(holdings: u64, pace: Pace) -> (Bytes, Bytes) {
    let accounts: Vec<(Address, U256)> =
        (0..holdings).map(|number| (owner(number), U256::from(number + 1))).collect();
    let chain =
        Chain::builder(holdings).preset(Preset::Mainnet).mainnet_shape(true).accounts(accounts).build();
    let simulation = Simulation::new(holdings, &chain);
    simulation.internet().register("http://provider.test", Provider::honest(&chain));
    simulation.internet().register("http://source.test", BeaconSource::honest(&chain));
    let counted = Counted::new(simulation.internet(), simulation.clock(), Duration::ZERO);
    let client = Client::builder(chain.network())
        .rpc("http://provider.test")
        .beacon("http://source.test")
        .checkpoint(chain.checkpoint())
        .policy(Policy::signed())
        .transport(counted.clone())
        .clock(simulation.clock())
        .build()
        .unwrap();
    let mut watch = client.watch((0..holdings).map(|number| Holding::native(owner(number))));
    client.set_pace(pace);
    let clock = simulation.clock();
    let proven = |until: Duration, watch: &mut saldo::Watch| {
        simulation.run(async {
            let mut proven = 0;
            loop {
                match select(watch.next().boxed(), clock.sleep(until.saturating_sub(clock.monotonic()))).await
                {
                    Either::Left((Change::Reading { reading, .. }, _)) => {
                        proven += u64::from(reading.proven().is_some())
                    }
                    Either::Left(_) => {}
                    Either::Right(_) => return proven,
                }
            }
        })
    };
    // The start is paid once.
    assert_eq!(proven(Duration::from_secs(10), &mut watch), holdings);
    counted.reset();
    let times = proven(clock.monotonic() + HOUR, &mut watch);
    let least = if pace == Pace::Foreground { 11 } else { 1 };
    assert!(times >= holdings * least, "{times} readings of {holdings} holdings");
    (counted.of("provider"), counted.of("source"))
}

fn tell(holdings: u64, pace: Pace, (provider, source): (Bytes, Bytes)) {
    let kilobytes = |bytes: usize| bytes / 1_000;
    println!(
        "{pace:?} {holdings}: {} KB ({} requests), light client {} KB ({} requests)",
        kilobytes(provider.gzip),
        provider.requests,
        kilobytes(source.gzip),
        source.requests
    );
}

#[test]
fn in_the_foreground() {
    for (holdings, most) in [(1, 200_000), (10, 1_000_000)] {
        let cost = hour(holdings, Pace::Foreground);
        tell(holdings, Pace::Foreground, cost);
        assert!(cost.0.gzip <= most, "{cost:?}");
    }
}

#[test]
fn in_the_background() {
    for (holdings, most) in [(1, 40_000), (10, 250_000)] {
        let cost = hour(holdings, Pace::Background);
        tell(holdings, Pace::Background, cost);
        assert!(cost.0.gzip <= most && cost.1.gzip < 40_000, "{cost:?}");
    }
}

/// By hand, for the documents.
#[test]
#[ignore = "for the table in docs/watch.md"]
fn a_hundred() {
    for pace in [Pace::Foreground, Pace::Background] {
        tell(100, pace, hour(100, pace));
    }
}
