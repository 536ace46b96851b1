//! Prints a balance, as a program with alloy does.

use alloy_primitives::Address;
use alloy_provider::{Provider, ProviderBuilder};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (url, owner) = (arguments.next().ok_or("no URL")?, arguments.next().ok_or("no address")?);
    let provider = ProviderBuilder::new().connect_http(url.parse()?);
    println!("{}", provider.get_balance(owner.parse::<Address>()?).await?);
    Ok(())
}
