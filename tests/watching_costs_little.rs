//! The cost of watching for an hour on a chain of mainnet's shape: the numbers of `docs/watch.md`.

use std::time::Duration;

use alloy_primitives::{Address, U256};
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use saldo::{Change, Client, Clock, Pace, Policy};
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Chain, Preset, Provider};
use saldo_tests::counted::{Bytes, Counted};
use saldo_tests::native;

const HOUR: Duration = Duration::from_secs(3_600);

fn owner(number: u64) -> Address {
    Address::from_slice(&alloy_primitives::keccak256(number.to_be_bytes())[..20])
}

/// Watches that many holdings for an hour. Returns the traffic of the provider and of the beacon source.
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
    let mut watch = client.watch((0..holdings).map(|number| native(owner(number))));
    client.set_pace(pace);
    let clock = simulation.clock();
    let proven = |until: Duration, watch: &mut saldo::Watch| {
        simulation.run(async {
            let mut proven = 0;
            loop {
                match select(watch.next().boxed(), clock.sleep(until.saturating_sub(clock.monotonic()))).await
                {
                    Either::Left((Change::Reading { reading, .. }, _)) => {
                        proven += u64::from(reading.proven().is_some());
                    }
                    Either::Left(_) => {}
                    Either::Right(_) => return proven,
                }
            }
        })
    };
    // The cost of the start is not counted.
    assert_eq!(proven(Duration::from_secs(10), &mut watch), holdings);
    counted.reset();
    let times = proven(clock.monotonic() + HOUR, &mut watch);
    let least = if pace == Pace::Foreground { 11 } else { 1 };
    assert!(times >= holdings * least, "{times} readings of {holdings} holdings");
    (counted.of("provider"), counted.of("source"))
}

/// The document's row for this pace and number of holdings, in bytes.
fn documented(pace: Pace, holdings: u64) -> (usize, usize) {
    let text = include_str!("../docs/watch.md");
    let begins = format!("| {} | {holdings} |", format!("{pace:?}").to_lowercase());
    let row = text.lines().find(|line| line.starts_with(&begins)).expect("the document has the row");
    let kilobytes = |place: usize| {
        let cell = row.split('|').nth(place).unwrap().trim().strip_suffix(" KB").unwrap();
        cell.replace(',', "").parse::<usize>().unwrap() * 1_000
    };
    (kilobytes(3), kilobytes(4))
}

/// Allows a tenth, or two kilobytes.
#[track_caller]
fn assert_documented(pace: Pace, holdings: u64) -> usize {
    let (provider, source) = hour(holdings, pace);
    println!("{pace:?} {holdings}: {provider:?}, light client {source:?}");
    let expected = documented(pace, holdings);
    for (got, expected) in [(provider.gzip, expected.0), (source.gzip, expected.1)] {
        assert!(
            got.abs_diff(expected) <= (expected / 10).max(2_000),
            "{pace:?} {holdings}: {got}, not {expected}"
        );
    }
    provider.gzip
}

#[test]
fn in_the_foreground() {
    assert_documented(Pace::Foreground, 1);
    assert!(assert_documented(Pace::Foreground, 10) <= 1_000_000);
    assert_documented(Pace::Foreground, 100);
}

#[test]
fn in_the_background() {
    [1, 10, 100].into_iter().for_each(|holdings| {
        assert_documented(Pace::Background, holdings);
    });
}
