//! A wallet's screen in a terminal. It continues through outages and lies, and after a restart it first shows the
//! stored readings:
//! `cargo run -p saldo-examples --bin watch -- ADDRESS STORE [NETWORK_FILE]`

use saldo::{Activity, Change, Client, Freshness, Proven, Reading, RedbStorage};
use saldo_examples::{Failure, network};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let usage = "usage: watch ADDRESS STORE [NETWORK_FILE]";
    let owner = std::env::args().nth(1).ok_or(usage)?.parse()?;
    let storage = RedbStorage::open(std::env::args().nth(2).ok_or(usage)?)?;
    let (network, endpoints) = network(3)?;
    let client = Client::builder(network).directory(&endpoints).storage(storage).build()?;
    for fault in client.storage_faults() {
        println!("(dropped from the store: {fault})");
    }
    let mut watch = client.watch([client.native(owner)]);
    loop {
        println!("{}", line(&watch.next().await));
    }
}

/// The text for a change. It contains an amount only if the amount was proven, and the amount's age if it is old.
fn line(change: &Change) -> String {
    match change {
        Change::Remembered { last, freshness, .. } => {
            shown(last.as_ref(), freshness.as_ref(), "not read yet")
        }
        Change::Reading { reading: reading @ Reading::Proven(_), freshness, .. } => {
            shown(reading.latest_proven(), freshness.as_ref(), "proven")
        }
        Change::Reading { reading, freshness, .. } => {
            let why = reading.why().map(ToString::to_string).unwrap_or_default();
            shown(reading.latest_proven(), freshness.as_ref(), &why)
        }
        Change::Withdrawn { last, freshness, .. } => {
            shown(last.as_ref(), freshness.as_ref(), "the chain took the last block back")
        }
        Change::Activity(Activity::Fetching) => "…".to_owned(),
        Change::Activity(activity) => format!("({activity:?})"),
        _ => String::new(),
    }
}

fn shown(last: Option<&Proven>, freshness: Option<&Freshness>, note: &str) -> String {
    let Some(last) = last else { return format!("not known (it is not 0); {note}") };
    let amount = format!("{} ether", last.amount().format(18));
    match freshness {
        Some(Freshness::Fresh(_)) => format!("{amount}; {note}"),
        Some(Freshness::Old(age)) => format!("{amount}, {} min ago; {note}", age.as_secs() / 60),
        _ => format!("{amount}, of unknown age: this device's clock is off; {note}"),
    }
}
