//! The cost of watching a rollup of Base's pace for an hour, beside an L1 of mainnet's shape: the numbers of `docs/rollups.md`.

use std::time::Duration;

use alloy_primitives::{Address, U256};
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use saldo::{Change, Client, Clock, Holding, NetworkId, Pace, UnixTime, Watch};
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Chain, Preset, Provider, Rollup, RollupKind};
use saldo_tests::counted::{Bytes, Counted};

const MINUTE: Duration = Duration::from_secs(60);
/// A game each 20 minutes, with a root for each minute: as on Base.
const INTERVAL: u64 = 600;
const KIND: RollupKind = RollupKind::Multiproof { interval: INTERVAL, step: 30 };
const CHAIN_ID: u64 = 8_453;
const CLAIM_MINUTES: u64 = 20;

/// The traffic of an hour: of the rollup's provider, of L1's provider, and of the beacon source.
struct Hour {
    rollup: Bytes,
    l1: Bytes,
    source: Bytes,
}

fn owner(number: u64) -> Address {
    Address::from_slice(&alloy_primitives::keccak256(number.to_be_bytes())[..20])
}

/// A rollup whose state is as large as mainnet's, and whose first block is 30 minutes old.
fn rollup_on(l1: &Chain, holdings: u64) -> Rollup {
    let accounts: Vec<(Address, U256)> =
        (0..holdings).map(|number| (owner(number), U256::from(number + 1))).collect();
    let chain = Chain::builder(holdings)
        .chain_id(CHAIN_ID)
        .preset(Preset::Development)
        .mainnet_shape(true)
        .accounts(accounts)
        .slot_duration(Duration::from_secs(2))
        .genesis_time(UnixTime::from_secs(l1.now().as_secs() - 30 * 60))
        .history(0)
        .build();
    chain.set_signers(Some(0));
    chain.advance_to(l1.now());
    Rollup::with_chain(l1, &chain, KIND)
}

/// Watches that many coins of the rollup for an hour, once L1 vouches for them.
fn hour(holdings: u64, pace: Pace) -> Hour {
    let l1 = Chain::builder(holdings).preset(Preset::Mainnet).mainnet_shape(true).build();
    let rollup = rollup_on(&l1, holdings);
    let mut simulation = Simulation::new(holdings, &l1);
    simulation.follow(rollup.chain());
    let internet = simulation.internet();
    // As most providers: it proves at its newest blocks only.
    internet.register("http://rollup.test", Provider::honest(rollup.chain()).proof_window(8));
    internet.register("http://l1.test", Provider::honest(&l1));
    internet.register("http://source.test", BeaconSource::honest(&l1));
    let counted = Counted::new(simulation.internet(), simulation.clock(), Duration::ZERO);
    let client = Client::builder(l1.network())
        .checkpoint(l1.checkpoint())
        .rpc("http://l1.test")
        .beacon("http://source.test")
        .transport(counted.clone())
        .clock(simulation.clock())
        .and(Client::rollup(rollup.profile()).rpc("http://rollup.test"))
        .build()
        .unwrap();
    let coins = (0..holdings).map(|number| Holding::native(NetworkId::new(CHAIN_ID), owner(number)));
    let mut watch = client.watch(coins);
    client.set_pace(pace);
    // Claims are made meanwhile. The cost of the start is not counted.
    go_on(&simulation, &rollup, &mut watch, 80);
    counted.reset();
    let proven = go_on(&simulation, &rollup, &mut watch, 60);
    assert!(proven >= holdings, "{proven} readings of {holdings} coins");
    Hour { rollup: counted.of("rollup"), l1: counted.of("l1"), source: counted.of("source") }
}

/// Lets so many minutes pass, with a claim whenever one is due. Returns how many proven readings the watch told.
fn go_on(simulation: &Simulation, rollup: &Rollup, watch: &mut Watch, minutes: u64) -> u64 {
    let clock = simulation.clock();
    let mut proven = 0;
    for minute in 0..minutes {
        if minute % CLAIM_MINUTES == 0 {
            let tip = rollup.chain().tip().number;
            rollup.propose(tip - tip % INTERVAL);
        }
        let until = clock.monotonic() + MINUTE;
        proven += simulation.run(async {
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
        });
    }
    proven
}

/// The document's row for this pace and number of coins: requests and kilobytes of the rollup, of L1, and of the light client.
fn documented(pace: Pace, holdings: u64) -> Vec<usize> {
    let text = include_str!("../docs/rollups.md");
    let begins = format!("| {} | {holdings} |", format!("{pace:?}").to_lowercase());
    let row = text.lines().find(|line| line.starts_with(&begins)).expect("the document has the row");
    let number = |cell: &str| cell.trim().trim_end_matches(" KB").replace(',', "").parse::<usize>().ok();
    row.split('|').skip(3).filter_map(number).collect()
}

/// Allows a tenth, or two requests and kilobytes.
#[track_caller]
fn assert_documented(pace: Pace, holdings: u64) {
    let hour = hour(holdings, pace);
    let of = |bytes: Bytes| [bytes.requests, bytes.gzip.div_ceil(1_000)];
    let got = [of(hour.rollup), of(hour.l1), of(hour.source)].concat();
    println!("{pace:?} {holdings}: {got:?}");
    let expected = documented(pace, holdings);
    assert_eq!(got.len(), expected.len(), "{got:?}, not {expected:?}");
    for (one, other) in got.iter().zip(&expected) {
        assert!(
            one.abs_diff(*other) <= (other / 10).max(2),
            "{pace:?} {holdings}: {got:?}, not {expected:?}"
        );
    }
}

#[test]
fn in_the_foreground() {
    assert_documented(Pace::Foreground, 1);
    assert_documented(Pace::Foreground, 10);
}

#[test]
fn in_the_background() {
    assert_documented(Pace::Background, 1);
    assert_documented(Pace::Background, 10);
}
