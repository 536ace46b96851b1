//! A connection on which every byte takes some time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex, split};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// How long a byte takes in each direction, in milliseconds. It may change at any time.
pub(super) type Latency = Arc<AtomicU64>;

fn present(latency: &Latency) -> Duration {
    Duration::from_millis(latency.load(Ordering::SeqCst))
}

/// Hands on what `stream` receives and sends after `latency`. What the client sends first takes a round trip more: the handshake
/// of TCP, which takes no time on loopback.
pub(super) fn delayed(stream: TcpStream, latency: &Latency) -> DuplexStream {
    let (near, far) = duplex(1 << 14);
    let (from_client, to_client) = stream.into_split();
    let (from_server, to_server) = split(far);
    tokio::spawn(carry(from_client, to_server, Arc::clone(latency), present(latency) * 2));
    tokio::spawn(carry(from_server, to_client, Arc::clone(latency), Duration::ZERO));
    near
}

async fn carry(
    mut from: impl AsyncRead + Unpin + Send + 'static,
    mut to: impl AsyncWrite + Unpin,
    latency: Latency,
    of_tcp: Duration,
) {
    let opened = Instant::now() + of_tcp;
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(16);
    tokio::spawn(async move {
        let mut bytes = vec![0; 1 << 12];
        while let Ok(length @ 1..) = from.read(&mut bytes).await {
            let arrival = Instant::now().max(opened) + present(&latency);
            if sender.send((arrival, bytes[..length].to_vec())).await.is_err() {
                return;
            }
        }
    });
    while let Some((arrival, bytes)) = receiver.recv().await {
        sleep_until(arrival).await;
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}
