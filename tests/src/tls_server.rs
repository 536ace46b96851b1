//! A server on loopback that speaks TLS with HTTP/1.1 or HTTP/2, keeps its connections, and counts what happens on them.

mod message;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use saldo_drill::http::{HttpRequest, Reaction, Relay, Reply};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// How a server speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Speech {
    /// HTTP/1.1 alone.
    One,
    /// HTTP/1.1 alone. A connection is closed without an answer when its second request arrives.
    OneThenClose,
    /// HTTP/2, and HTTP/1.1 for those that do not know it.
    Two,
    /// HTTP/2. After that many answers the connection is silent, but stays open.
    TwoThenSilence(usize),
    /// Says that it speaks HTTP/2, and repeats the second bytes without an end after the first.
    Raw(Vec<u8>, Vec<u8>),
}

/// What the servers of a test have in common: how far the conversation is.
#[derive(Clone, Debug, Default)]
pub struct Rounds {
    depths: Arc<Mutex<Depths>>,
}

#[derive(Debug, Default)]
struct Depths {
    /// Counts the resets: what began before the last one does not count.
    reset: usize,
    answered: usize,
    deepest: usize,
}

impl Rounds {
    fn depths(&self) -> MutexGuard<'_, Depths> {
        self.depths.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of round trips that followed one another: a request comes after all answers that were sent before.
    pub fn deepest(&self) -> usize {
        self.depths().deepest
    }

    /// Counts from zero again.
    pub fn reset(&self) {
        let mut depths = self.depths();
        *depths = Depths { reset: depths.reset + 1, ..Depths::default() };
    }

    /// A request has come. Returns the count of resets, and its depth.
    fn ask(&self) -> (usize, usize) {
        let mut depths = self.depths();
        let depth = depths.answered + 1;
        depths.deepest = depths.deepest.max(depth);
        (depths.reset, depth)
    }

    /// An answer is sent. What follows from it arrives two ways later; what arrives earlier was sent before.
    fn answer(&self, (reset, depth): (usize, usize), latency: Duration) {
        let rounds = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(latency * 3 / 2).await;
            let mut depths = rounds.depths();
            if depths.reset == reset {
                depths.answered = depths.answered.max(depth);
            }
        });
    }
}

/// What happened on the connections of a server.
#[derive(Debug, Default)]
struct Counts {
    connections: AtomicUsize,
    handshakes: AtomicUsize,
    requests: AtomicUsize,
    open: AtomicUsize,
    /// The round trips before each handshake.
    before: Mutex<Vec<usize>>,
    written: AtomicUsize,
    /// The number of the connection, from 1 on, and the body of each request.
    bodies: Mutex<Vec<(usize, String)>>,
}

/// A server. Dropped, it stops.
#[derive(Debug)]
pub struct TlsServer {
    address: SocketAddr,
    counts: Arc<Counts>,
    latency: wire::Latency,
    task: JoinHandle<()>,
}

impl TlsServer {
    /// Starts a server whose answers come from `service`. Each byte takes `latency` in each direction.
    ///
    /// # Panics
    /// If no port can be opened.
    pub async fn start(
        service: impl Relay + 'static,
        speech: Speech,
        latency: Duration,
        rounds: &Rounds,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let counts: Arc<Counts> = Arc::default();
        let acceptor = acceptor(&speech);
        let latency: wire::Latency = Arc::new(millis(latency).into());
        let host = Host {
            service: Arc::new(service),
            speech,
            latency: latency.clone(),
            rounds: rounds.clone(),
            counts: Arc::clone(&counts),
        };
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (host, acceptor) = (host.clone(), acceptor.clone());
                let number = host.counts.connections.fetch_add(1, Ordering::SeqCst) + 1;
                let before = host.rounds.depths().answered;
                host.counts.before.lock().unwrap_or_else(PoisonError::into_inner).push(before);
                host.counts.open.fetch_add(1, Ordering::SeqCst);
                connections.spawn(async move {
                    let counts = Arc::clone(&host.counts);
                    let _ = host.converse(number, stream, acceptor).await;
                    counts.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, counts, latency, task }
    }

    /// From now on each byte takes `latency` in each direction.
    pub fn change_latency(&self, latency: Duration) {
        self.latency.store(millis(latency), Ordering::SeqCst);
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("https://localhost:{}/", self.address.port())
    }

    /// The number of TCP connections that it accepted.
    pub fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }

    /// The number of whole TLS handshakes.
    pub fn handshakes(&self) -> usize {
        self.counts.handshakes.load(Ordering::SeqCst)
    }

    /// The number of requests.
    pub fn requests(&self) -> usize {
        self.counts.requests.load(Ordering::SeqCst)
    }

    /// The connections, from 1 on, of the requests whose body has `text`.
    pub fn connections_of(&self, text: &str) -> Vec<usize> {
        let bodies = self.counts.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        bodies.iter().filter(|(_, body)| body.contains(text)).map(|(connection, _)| *connection).collect()
    }

    /// The number of connections that are open now.
    pub fn open(&self) -> usize {
        self.counts.open.load(Ordering::SeqCst)
    }

    /// The number of bytes of bodies that were handed to connections.
    pub fn written(&self) -> usize {
        self.counts.written.load(Ordering::SeqCst)
    }

    /// The number of round trips before the last connection was opened.
    pub fn round_trips_before(&self) -> usize {
        let before = self.counts.before.lock().unwrap_or_else(PoisonError::into_inner);
        before.last().copied().unwrap_or_default()
    }

    /// The number of round trips before the first connection was opened.
    pub fn round_trips_before_the_first(&self) -> usize {
        let before = self.counts.before.lock().unwrap_or_else(PoisonError::into_inner);
        before.first().copied().unwrap_or_default()
    }

    /// Waits until `open` connections are open; returns the time that this took.
    ///
    /// # Panics
    /// If it takes ten seconds.
    pub async fn until_open(&self, open: usize) -> Duration {
        let began = std::time::Instant::now();
        while self.open() != open {
            assert!(began.elapsed() < Duration::from_secs(10), "{} connections are open", self.open());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        began.elapsed()
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn millis(latency: Duration) -> u64 {
    u64::try_from(latency.as_millis()).expect("a short latency")
}

/// The path of a certificate for tests.
fn certificate_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates/cli/tests/testbed/certificates").join(name)
}

/// Runs `test` in a process in which the issuer of the servers is trusted. It is the present test in a process of its own,
/// because the environment of this one cannot be changed safely.
///
/// # Panics
/// If `test` fails.
pub fn trusting(test: impl FnOnce()) {
    let issuer = certificate_path("issuer.pem");
    if std::env::var_os("SSL_CERT_FILE").is_some_and(|file| file == issuer.as_os_str()) {
        return test();
    }
    let thread = std::thread::current();
    let name = thread.name().expect("a test's thread has its name");
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args([name, "--exact", "--nocapture"]).env("SSL_CERT_FILE", &issuer).env_remove("SSL_CERT_DIR");
    let output = again.output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
    println!("{told}");
}

fn acceptor(speech: &Speech) -> TlsAcceptor {
    let chain = vec![CertificateDer::from_pem_file(certificate_path("valid.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(certificate_path("server.key")).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = match speech {
        Speech::One | Speech::OneThenClose => vec![b"http/1.1".to_vec()],
        _ => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
    };
    TlsAcceptor::from(Arc::new(config))
}

/// What each connection of a server has.
#[derive(Clone)]
struct Host {
    service: Arc<dyn Relay>,
    speech: Speech,
    latency: wire::Latency,
    rounds: Rounds,
    counts: Arc<Counts>,
}

impl Host {
    async fn converse(
        self,
        number: usize,
        stream: tokio::net::TcpStream,
        acceptor: TlsAcceptor,
    ) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let stream = acceptor.accept(wire::delayed(stream, &self.latency)).await?;
        self.counts.handshakes.fetch_add(1, Ordering::SeqCst);
        let is_two = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        match self.speech.clone() {
            Speech::Raw(first, endless) => self.repeat(stream, &first, &endless).await,
            _ if is_two => self.two(number, stream).await,
            _ => self.one(number, stream).await,
        }
    }

    /// Takes a request. Returns what happens to it, and its depth.
    async fn take(&self, connection: usize, request: HttpRequest) -> (Reaction, (usize, usize)) {
        self.counts.requests.fetch_add(1, Ordering::SeqCst);
        let body = String::from_utf8_lossy(&request.body).into_owned();
        self.counts.bodies.lock().unwrap_or_else(PoisonError::into_inner).push((connection, body));
        let depth = self.rounds.ask();
        let reaction = self.service.relay(request).await;
        if let Reaction::Reply(reply) = &reaction {
            tokio::time::sleep(reply.delay).await;
        }
        (reaction, depth)
    }

    /// HTTP/1.1: one request after another.
    async fn one(self, connection: usize, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let mut bytes = Vec::new();
        for number in 1.. {
            let request = loop {
                if let Some((request, length)) = message::parse(&bytes) {
                    bytes.drain(..length);
                    break request;
                }
                if stream.read_buf(&mut bytes).await? == 0 {
                    return Ok(());
                }
            };
            if self.speech == Speech::OneThenClose && number == 2 {
                self.counts.requests.fetch_add(1, Ordering::SeqCst);
                return Ok(());
            }
            let (reaction, depth) = self.take(connection, request).await;
            match reaction {
                Reaction::Reply(reply) => {
                    self.rounds.answer(depth, Duration::from_millis(self.latency.load(Ordering::SeqCst)));
                    stream.write_all(&message::head(&reply)).await?;
                    self.write(&mut stream, &reply.body).await?;
                }
                Reaction::Trickle { reply, bytes_per_second } => {
                    stream.write_all(&message::head(&reply)).await?;
                    for byte in reply.body {
                        self.write(&mut stream, &[byte]).await?;
                        tokio::time::sleep(Duration::from_secs(1) / bytes_per_second).await;
                    }
                }
                // Ends when the client closes the connection.
                Reaction::Hang => return stream.read_to_end(&mut Vec::new()).await.map(drop),
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// Writes in small parts, and counts them.
    async fn write(&self, stream: &mut (impl AsyncWrite + Unpin), body: &[u8]) -> io::Result<()> {
        for part in body.chunks(4_096) {
            stream.write_all(part).await?;
            stream.flush().await?;
            self.counts.written.fetch_add(part.len(), Ordering::SeqCst);
        }
        Ok(())
    }

    /// HTTP/2: all requests at the same time.
    async fn two(self, this: usize, stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let mut connection = h2::server::handshake(stream).await.map_err(io::Error::other)?;
        let mut number = 0;
        while let Some(accepted) = connection.accept().await {
            let (request, respond) = accepted.map_err(io::Error::other)?;
            number += 1;
            if matches!(self.speech, Speech::TwoThenSilence(most) if number > most) {
                // The connection is no longer driven: pings are not answered, either.
                std::future::pending::<()>().await;
            }
            tokio::spawn(self.clone().respond(this, request, respond));
        }
        Ok(())
    }

    async fn respond(
        self,
        connection: usize,
        request: http::Request<h2::RecvStream>,
        mut respond: h2::server::SendResponse<bytes::Bytes>,
    ) -> Result<(), h2::Error> {
        let (parts, mut body) = request.into_parts();
        let mut bytes = Vec::new();
        while let Some(chunk) = body.data().await {
            let chunk = chunk?;
            body.flow_control().release_capacity(chunk.len())?;
            bytes.extend_from_slice(&chunk);
        }
        let (reaction, depth) = self.take(connection, message::of_parts(&parts, bytes)).await;
        let Reaction::Reply(Reply { status, headers, body, .. }) = reaction else {
            respond.send_reset(h2::Reason::INTERNAL_ERROR);
            return Ok(());
        };
        let mut response = http::Response::builder().status(status);
        for (name, value) in &headers {
            response = response.header(name, value);
        }
        self.rounds.answer(depth, Duration::from_millis(self.latency.load(Ordering::SeqCst)));
        let mut stream = respond.send_response(response.body(()).unwrap(), false)?;
        stream.send_data(body.into(), true)
    }

    async fn repeat(
        self,
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
        first: &[u8],
        endless: &[u8],
    ) -> io::Result<()> {
        // The preface and the first request have arrived.
        let _ = stream.read(&mut [0; 4_096]).await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        stream.write_all(first).await?;
        loop {
            self.write(&mut stream, endless).await?;
        }
    }
}
