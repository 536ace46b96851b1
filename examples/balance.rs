//! Prints the proven balance of an address: `cargo run -p saldo-examples --bin balance -- ADDRESS [NETWORK_FILE]`

use saldo::{Client, Reading};
use saldo_examples::{Failure, network};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let owner = std::env::args().nth(1).ok_or("usage: balance ADDRESS [NETWORK_FILE]")?.parse()?;
    let (network, endpoints) = network(2)?;
    let client = Client::builder(network).directory(&endpoints).build()?;
    match client.balance(owner).await {
        Reading::Proven(proven) => println!("{} ether", proven.amount().format(18)),
        Reading::Provisional(claim) => println!("not proven yet: {}", claim.why()),
        Reading::Unknown(unknown) => println!("not known (it is not 0): {}", unknown.why()),
    }
    Ok(())
}
