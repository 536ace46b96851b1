//! An app that has a client of `reqwest` gives it to saldo: its proxy and its headers are used, and no other connection is made.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use reqwest::header::{HeaderMap, HeaderValue};
use saldo::{Client, Clock, Policy, Reading, UnixTime};
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_drill::serve::Server;
use saldo_drill::{BeaconSource, Chain, Provider};
use saldo_source::HttpTransport;
use saldo_tests::scene::{ALICE, BEFORE};
use tokio_rustls::rustls::crypto::ring;

const HEADER: &str = "x-app-token";
const TOKEN: &str = "of-the-app";

/// A clock whose wall clock follows a chain, and whose timer is real.
#[derive(Clone)]
struct ChainClock {
    chain: Chain,
    started: Instant,
}

impl Clock for ChainClock {
    fn wall(&self) -> UnixTime {
        self.chain.now()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A proxy that leads to a provider and a beacon source, for requests that have the app's token.
struct Proxy {
    provider: Provider,
    source: BeaconSource,
    asked: Arc<AtomicUsize>,
}

impl Service for Proxy {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if request.header(HEADER) != TOKEN {
            return Reaction::Reply(Reply::new(403, "text/plain", "no token"));
        }
        match request.path.starts_with("/eth/") {
            true => self.source.answer(request),
            false => self.provider.answer(request),
        }
    }

    fn refuses(&self) -> bool {
        false
    }
}

/// Reads Alice's balance with the client that `made` makes, which is given the proxy's URL. Returns the number of requests too.
async fn read(made: impl FnOnce(reqwest::ClientBuilder, &str) -> reqwest::ClientBuilder) -> (Reading, usize) {
    // An app installs its own provider of cryptography.
    let _ = ring::default_provider().install_default();
    let chain = Chain::builder(1).accounts([(ALICE, BEFORE)]).build();
    let checkpoint = chain.checkpoint();
    chain.advance(40);
    let asked: Arc<AtomicUsize> = Arc::default();
    let (provider, source) = (Provider::honest(&chain), BeaconSource::honest(&chain));
    let proxy = Server::start(Proxy { provider, source, asked: Arc::clone(&asked) }).await.unwrap();
    let own = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    let own = made(own, &proxy.url()).build().unwrap();
    // No name and no address leads to these but through the proxy.
    let client = Client::builder(chain.network())
        .rpc("http://provider.invalid/key")
        .beacon("http://source.invalid")
        .checkpoint(checkpoint)
        .policy(Policy { deadline: Duration::from_secs(5), ..Policy::signed() })
        .transport(HttpTransport::from_client(own))
        .clock(ChainClock { chain, started: Instant::now() })
        .build()
        .unwrap();
    (client.balance(ALICE).await, asked.load(Ordering::SeqCst))
}

fn token() -> HeaderMap {
    HeaderMap::from_iter([(HEADER.parse().unwrap(), HeaderValue::from_static(TOKEN))])
}

#[tokio::test]
async fn its_proxy_and_its_headers_are_used() {
    let (reading, asked) =
        read(|own, proxy| own.proxy(reqwest::Proxy::all(proxy).unwrap()).default_headers(token())).await;
    let proven = reading.proven().unwrap_or_else(|| panic!("{:?} {:?}", reading.why(), reading.attempts()));
    assert_eq!(proven.amount().base_units(), BEFORE);
    assert!(asked >= 3, "{asked}: a bootstrap, a head and a proof");
}

#[tokio::test]
async fn without_its_header_the_proxy_refuses() {
    let (reading, asked) = read(|own, proxy| own.proxy(reqwest::Proxy::all(proxy).unwrap())).await;
    assert_eq!(reading.why().map(saldo::Why::code), Some("denied"), "{:?}", reading.attempts());
    assert!(asked > 0);
}

#[tokio::test]
async fn without_its_proxy_no_server_is_reached() {
    let (reading, asked) = read(|own, _| own.default_headers(token())).await;
    assert_eq!(asked, 0);
    assert!(reading.proven().is_none());
    assert_eq!(reading.why().map(saldo::Why::code), Some("device_offline"), "{:?}", reading.attempts());
}
