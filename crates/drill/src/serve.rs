//! The same sources over loopback HTTP/1.1, for what needs a real socket.
//!
//! One request per connection, bounded in size. Needs a tokio runtime.

mod message;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::http::{HttpRequest, Reaction, Relay, Reply};

/// How often a server looks whether it should refuse connections.
const TICK: Duration = Duration::from_millis(5);
/// How long a client may take to send its request.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes of a request.
const MAX_REQUEST: usize = 1 << 20;

/// A source on a loopback port. Dropped, it stops.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts serving on a free port.
    ///
    /// # Errors
    /// If the port cannot be opened.
    pub async fn start(service: impl Relay + 'static) -> io::Result<Self> {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), service).await
    }

    /// Starts serving at `address`; on a free port of it if that is 0.
    ///
    /// # Errors
    /// If the port cannot be opened.
    pub async fn start_at(address: SocketAddr, service: impl Relay + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(serve(listener, address, Arc::new(service)));
        Ok(Self { address, task })
    }

    /// Where it is, for example `http://127.0.0.1:41234`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops serving and breaks all connections.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Accepts connections while the source does not refuse them. Ends, with all its connections, when aborted.
async fn serve(listener: TcpListener, address: SocketAddr, service: Arc<dyn Relay>) {
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        if service.refuses() {
            // Only a closed port refuses.
            listener = None;
            sleep(TICK).await;
            continue;
        }
        let Some(open) = &listener else {
            listener = TcpListener::bind(address).await.ok();
            if listener.is_none() {
                sleep(TICK).await;
            }
            continue;
        };
        if let Ok(Ok((stream, _))) = timeout(TICK, open.accept()).await {
            connections.spawn(converse(stream, Arc::clone(&service)));
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Reads one request and does what the source wants done. A broken connection is not an error here.
async fn converse(mut stream: TcpStream, service: Arc<dyn Relay>) {
    if let Ok(Some(request)) = timeout(READ_TIMEOUT, read(&mut stream)).await {
        let _ = react(&mut stream, service.relay(request).await).await;
    }
}

async fn read(stream: &mut TcpStream) -> Option<HttpRequest> {
    let mut bytes = Vec::new();
    loop {
        if let Some(request) = message::parse(&bytes) {
            return Some(request);
        }
        if bytes.len() > MAX_REQUEST || stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

async fn react(stream: &mut TcpStream, reaction: Reaction) -> io::Result<()> {
    match reaction {
        Reaction::Reply(reply) => {
            sleep(reply.delay).await;
            stream.write_all(&message::head(&reply)).await?;
            stream.write_all(&reply.body).await?;
            stream.shutdown().await
        }
        Reaction::Trickle { reply, bytes_per_second } => {
            sleep(reply.delay).await;
            stream.write_all(&message::head(&reply)).await?;
            let pause = Duration::from_secs(1).checked_div(bytes_per_second).unwrap_or_default();
            for byte in reply.body {
                stream.write_all(&[byte]).await?;
                stream.flush().await?;
                sleep(pause).await;
            }
            stream.shutdown().await
        }
        Reaction::Reset { reply, after } => {
            sleep(reply.delay).await;
            let Reply { body, .. } = &reply;
            stream.write_all(&message::head(&reply)).await?;
            stream.write_all(body.get(..after).unwrap_or(body)).await?;
            // Give what was written time to arrive: a reset overtakes it.
            sleep(TICK).await;
            stream.set_zero_linger()
        }
        Reaction::Hang => std::future::pending().await,
        Reaction::Refuse | Reaction::Unresolvable | Reaction::BadCertificate => stream.set_zero_linger(),
    }
}
