//! An app's own transport. This one counts requests and bytes on top of saldo's default transport:
//! `cargo run -p saldo-examples --bin transport -- ADDRESS [NETWORK_FILE]`
//!
//! On a phone this would be the system's HTTP client. It must respect the request's `timeout` and `max_bytes`, must
//! not follow redirects, and must never log a URL: a URL may hold an API key.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use saldo::{Client, HttpTransport, Request, Response, Transport, TransportError};
use saldo_examples::{Failure, network};

struct Counting {
    inner: HttpTransport,
    requests: Arc<AtomicUsize>,
    bytes: Arc<AtomicUsize>,
}

impl Transport for Counting {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        async move {
            self.requests.fetch_add(1, Ordering::Relaxed);
            let response = self.inner.send(request).await?;
            self.bytes.fetch_add(response.body.len(), Ordering::Relaxed);
            Ok(response)
        }
        .boxed()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let owner = std::env::args().nth(1).ok_or("usage: transport ADDRESS [NETWORK_FILE]")?.parse()?;
    let (network, endpoints) = network(2)?;
    let (requests, bytes) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
    let inner = HttpTransport::new()?;
    let transport = Counting { inner, requests: Arc::clone(&requests), bytes: Arc::clone(&bytes) };
    let client = Client::builder(network).directory(&endpoints).transport(transport).build()?;
    let reading = client.balance(owner).await;
    let amount = reading.proven().map(|proven| proven.amount().format(18));
    println!("{}", amount.map_or("not proven".to_owned(), |amount| format!("{amount} ether")));
    let (requests, bytes) = (requests.load(Ordering::Relaxed), bytes.load(Ordering::Relaxed));
    println!("{requests} requests, {bytes} bytes of answers");
    Ok(())
}
