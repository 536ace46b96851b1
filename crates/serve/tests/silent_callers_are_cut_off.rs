//! A connection that does nothing for longer than the settings allow is closed, also a WebSocket whose caller answers no ping.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use saldo_serve::{Route, Server, Settings};
use saldo_tests::scene::Scene;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

const IDLE: Duration = Duration::from_millis(1_000);
const ASKED: &str = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 52\r\n\r\n\
                     {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_accounts\"}    ";
const UPGRADE: &str = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
                       sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/// An empty pong, masked with zeros, as callers must mask. Source: RFC 6455, section 5.5.3.
const PONG: [u8; 6] = [0x8a, 0x80, 0, 0, 0, 0];

async fn serve() -> SocketAddr {
    let mut settings = Settings::default();
    settings.idle_timeout = IDLE;
    let client = Scene::new(1, 1, 1).client;
    let routes = vec![Route::new("/", client)];
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), settings, routes).await.unwrap();
    let address = server.local_addr().unwrap();
    tokio::spawn(server.run(std::future::pending()));
    address
}

/// Sends `request`, and reads until the connection is closed.
async fn read_to_end(stream: &mut TcpStream, request: &str) -> (Vec<u8>, Duration) {
    stream.write_all(request.as_bytes()).await.unwrap();
    let (mut all, began) = (Vec::new(), Instant::now());
    timeout(Duration::from_secs(20), stream.read_to_end(&mut all)).await.expect("it is closed").unwrap();
    (all, began.elapsed())
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let mut stream = TcpStream::connect(serve().await).await.unwrap();
    let (answer, took) = read_to_end(&mut stream, ASKED).await;
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
    assert!(took >= IDLE.mul_f64(0.9), "{took:?}");
}

#[tokio::test]
async fn a_websocket_without_pongs_is_closed() {
    let mut stream = TcpStream::connect(serve().await).await.unwrap();
    let (answer, took) = read_to_end(&mut stream, UPGRADE).await;
    assert!(answer.starts_with(b"HTTP/1.1 101"), "{answer:?}");
    assert!(answer.ends_with(&[0x89, 0]), "it was pinged: {answer:?}");
    assert!(took >= IDLE.mul_f64(0.7), "{took:?}");
}

#[tokio::test]
async fn a_websocket_with_pongs_stays_open() {
    let mut stream = TcpStream::connect(serve().await).await.unwrap();
    stream.write_all(UPGRADE.as_bytes()).await.unwrap();
    for _ in 0..15 {
        sleep(IDLE / 5).await;
        stream.write_all(&PONG).await.expect("it is open");
    }
    let mut bytes = [0; 4_096];
    let read = stream.read(&mut bytes).await.unwrap();
    assert!(read > 0);
    let still_open = timeout(Duration::from_millis(50), stream.read(&mut bytes)).await;
    assert!(!matches!(still_open, Ok(Ok(0) | Err(_))), "{still_open:?}");
}
