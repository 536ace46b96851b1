//! The two lines of the README, with alloy's recommended fillers and its own HTTP transport, and with servers on this machine.

#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy_primitives::{Address, U256};
use alloy_provider::{Provider, ProviderBuilder};
use saldo::UnixTime;
use saldo_alloy::{ProvenLayer, not_proven};
use saldo_drill::serve::Server;
use saldo_drill::{BeaconSource, Chain, Fault};

const OWNER: Address = Address::repeat_byte(7);

fn now() -> UnixTime {
    UnixTime::from_secs(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())
}

#[tokio::test]
async fn a_program_reads_what_is_proven() {
    // alloy's HTTP client wants one, also where it makes no TLS connection.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    let genesis = UnixTime::from_secs(now().as_secs().saturating_sub(160));
    let chain = Chain::builder(5)
        .slot_duration(Duration::from_secs(4))
        .genesis_time(genesis)
        .accounts([(OWNER, U256::from(41))])
        .build();
    chain.advance_to(now());
    let network = chain.network().with_checkpoint(chain.checkpoint());
    // The provider of the program lies: it would say that the balance is zero.
    let liar = Server::start(saldo_drill::Provider::honest(&chain).with(Fault::ZeroBalance)).await.unwrap();
    let (honest, source) = (saldo_drill::Provider::honest(&chain), BeaconSource::honest(&chain));
    let (own, beacon) =
        (Server::start(honest.clone()).await.unwrap(), Server::start(source.clone()).await.unwrap());

    let plain = ProviderBuilder::new().connect_http(liar.url().parse().unwrap());
    assert_eq!(plain.get_balance(OWNER).await.unwrap(), U256::ZERO);
    let layer = ProvenLayer::from_urls(network, [own.url().as_str()], [beacon.url().as_str()]).unwrap();
    let provider = ProviderBuilder::new().layer(layer).connect_http(liar.url().parse().unwrap());
    assert_eq!(provider.get_balance(OWNER).await.unwrap(), U256::from(41));
    assert_eq!(provider.get_chain_id().await.unwrap(), chain.network().chain_id());

    // Nothing can be reached any more. The liar is not asked in its place.
    honest.set(Fault::Refuse);
    let other = provider.get_balance(Address::repeat_byte(9)).await.unwrap_err();
    assert!(not_proven(&other).is_some(), "{other}");
}
