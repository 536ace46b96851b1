//! Prints a balance that is proven: the program of `../plain` with one layer.

use alloy_primitives::Address;
use alloy_provider::{Provider, ProviderBuilder};
use saldo_alloy::ProvenLayer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (url, owner) = (arguments.next().ok_or("no URL")?, arguments.next().ok_or("no address")?);
    let layer = ProvenLayer::from_urls(saldo::Network::mainnet(), [url.as_str()], [])?;
    let provider = ProviderBuilder::new().layer(layer).connect_http(url.parse()?);
    println!("{}", provider.get_balance(owner.parse::<Address>()?).await?);
    Ok(())
}
