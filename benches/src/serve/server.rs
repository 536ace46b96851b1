//! The servers that are measured.

use std::convert::Infallible;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use saldo::{Address, Client, U256, UnixTime};
use saldo_drill::serve::Server as DrillServer;
use saldo_drill::{BeaconSource, Chain, Provider};
use saldo_serve::{Route, Server, Settings};
use tokio::net::TcpListener;

use crate::Role;
use crate::load::ADDRESSES;

/// Serves until the process is killed. Prints its address first.
pub(crate) async fn run(role: Role) {
    match role {
        Role::Saldo => saldo().await,
        Role::Nothing => nothing().await,
    }
}

/// The time of the wall clock.
pub(crate) fn now() -> UnixTime {
    UnixTime::from_secs(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs())
}

async fn saldo() {
    const SLOT: u64 = 12;
    const HISTORY: u64 = 40;
    let accounts = (1..=ADDRESSES).map(|byte| (Address::repeat_byte(byte), U256::from(byte)));
    let chain = Chain::builder(77)
        .slot_duration(Duration::from_secs(SLOT))
        .genesis_time(UnixTime::from_secs(now().as_secs().saturating_sub(HISTORY * SLOT)))
        .accounts(accounts)
        .build();
    chain.advance_to(now());
    let provider = DrillServer::start(Provider::honest(&chain)).await.expect("a port on loopback");
    let source = DrillServer::start(BeaconSource::honest(&chain)).await.expect("a port on loopback");
    let client = Client::builder(chain.network())
        .checkpoint(chain.checkpoint())
        .rpc(provider.url())
        .beacon(source.url())
        .build()
        .expect("a complete configuration");
    tokio::spawn(async move {
        loop {
            chain.advance_to(now());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let mut settings = Settings::default();
    settings.max_connections = usize::MAX;
    // The idle connections that are measured send nothing at all.
    settings.read_timeout = Duration::from_secs(60);
    let loopback = ([127, 0, 0, 1], 0).into();
    let server = Server::bind(loopback, settings, vec![Route::new("/", client)]).await.expect("a port");
    println!("{}", server.local_addr().expect("it listens"));
    server.run(std::future::pending()).await;
}

/// A server with the same HTTP library that reads each body, and answers with one text.
async fn nothing() {
    const ANSWER: &[u8] = br#"{"jsonrpc":"2.0","id":1,"result":"0x64"}"#;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("{}", listener.local_addr().expect("it listens"));
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let service = service_fn(|request: Request<Incoming>| async {
            let _ = request.into_body().collect().await;
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(ANSWER))))
        });
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
