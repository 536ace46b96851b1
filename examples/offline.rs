//! Prints what a wallet shows without a network: `cargo run -p saldo-examples --bin offline -- ADDRESS STORE
//! [NETWORK_FILE]`
//!
//! It only reads the store. So it may run, as a widget does, while the app writes to the same store.

use saldo::{Client, RedbStorage};
use saldo_examples::{Failure, network};

fn main() -> Result<(), Failure> {
    let usage = "usage: offline ADDRESS STORE [NETWORK_FILE]";
    let owner = std::env::args().nth(1).ok_or(usage)?.parse()?;
    let storage = RedbStorage::read_only(std::env::args().nth(2).ok_or(usage)?)?;
    let (network, endpoints) = network(3)?;
    let client = Client::builder(network).directory(&endpoints).storage(storage).build()?;
    match client.last(&client.native(owner)) {
        None => println!("not known (it is not 0)"),
        Some(last) => {
            let age = client.now().age_of(last.anchor().timestamp());
            let age = age.map_or("unknown".to_owned(), |age| format!("{} s", age.as_secs()));
            println!("{} ether at block {}, age {age}", last.amount().format(18), last.anchor().number());
        }
    }
    Ok(())
}
