//! The drill over loopback: what a plain socket receives under each connection fault.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use saldo_drill::serve::Server;
use saldo_drill::{Chain, Fault, Provider};
use tokio::runtime::Runtime;

/// A provider behind a socket, with a runtime of its own.
struct Loopback {
    provider: Provider,
    server: Server,
    _runtime: Runtime,
}

impl Loopback {
    fn new(fault: impl Into<Option<Fault>>) -> Self {
        let provider = Provider::honest(&Chain::new(1));
        if let Some(fault) = fault.into() {
            provider.add(fault);
        }
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(Server::start(provider.clone())).unwrap();
        Self { provider, server, _runtime: runtime }
    }

    /// Sends a request, and reads until the connection ends or no data comes for 300 ms.
    fn ask(&self) -> (Vec<u8>, Option<ErrorKind>) {
        let address = self.server.url().strip_prefix("http://").unwrap().to_owned();
        let mut stream = match TcpStream::connect(address) {
            Ok(stream) => stream,
            Err(error) => return (Vec::new(), Some(error.kind())),
        };
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}"#;
        let head = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
        // If the port is just closing, the connection breaks while the request is written.
        if let Err(error) = stream.write_all((head + body).as_bytes()) {
            return (Vec::new(), Some(error.kind()));
        }
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return (answer, None),
                Ok(read) => answer.extend(&buffer[..read]),
                Err(error) => return (answer, Some(error.kind())),
            }
        }
    }
}

const BODY: &str = r#"{"id":1,"jsonrpc":"2.0","result":"0x7a69"}"#;

fn body(answer: &[u8]) -> String {
    let text = String::from_utf8(answer.to_vec()).unwrap();
    text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
}

#[test]
fn an_honest_provider_answers() {
    let (answer, error) = Loopback::new(None).ask();
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert_eq!((body(&answer).as_str(), error), (BODY, None));
}

#[test]
fn a_hanging_provider_accepts_and_says_nothing() {
    let (answer, error) = Loopback::new(Fault::Hang).ask();
    assert!(answer.is_empty());
    assert!(matches!(error, Some(ErrorKind::WouldBlock | ErrorKind::TimedOut)), "{error:?}");
}

#[test]
fn a_reset_happens_within_the_body() {
    let (answer, error) = Loopback::new(Fault::Reset { after: 9 }).ask();
    assert_eq!((body(&answer).as_str(), error), (&BODY[..9], Some(ErrorKind::ConnectionReset)));
}

#[test]
fn a_refusing_provider_has_no_open_port_until_it_recovers() {
    let loopback = Loopback::new(Fault::Refuse);
    let deadline = Instant::now() + Duration::from_secs(20);
    // The port closes shortly after the server has started.
    while loopback.ask().1 != Some(ErrorKind::ConnectionRefused) {
        assert!(Instant::now() < deadline, "never refused");
    }
    loopback.provider.clear();
    while body(&loopback.ask().0) != BODY {
        assert!(Instant::now() < deadline, "never recovered");
    }
}

#[test]
fn a_trickle_arrives_byte_by_byte() {
    let loopback = Loopback::new(Fault::Trickle { bytes_per_second: 200 });
    let start = Instant::now();
    let (answer, error) = loopback.ask();
    assert_eq!((body(&answer).as_str(), error), (BODY, None));
    let least = Duration::from_millis(5 * 41);
    assert!(start.elapsed() >= least, "{:?}", start.elapsed());
}

#[test]
fn a_bomb_is_small_on_the_wire() {
    let (answer, error) = Loopback::new(Fault::GzipBomb { bytes: 1 << 22 }).ask();
    assert_eq!(error, None);
    let head = String::from_utf8_lossy(&answer[..answer.len().min(300)]).into_owned();
    assert!(head.contains("content-encoding: gzip"), "{head}");
    assert!(answer.len() < 10_000, "{}", answer.len());
}

#[test]
fn a_stopped_server_is_unreachable() {
    let loopback = Loopback::new(None);
    let address = loopback.server.url().strip_prefix("http://").unwrap().to_owned();
    assert_eq!(body(&loopback.ask().0), BODY);
    let Loopback { server, _runtime: runtime, .. } = loopback;
    server.stop();
    drop(runtime);
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}
