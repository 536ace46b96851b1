//! Callers that ask one question after another, each on a connection of its own.

use std::net::SocketAddr;
use std::time::Duration;

use saldo::Address;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// How many addresses are asked about.
pub(crate) const ADDRESSES: u8 = 100;

/// How long each answer took.
pub(crate) struct Measured {
    took: Vec<Duration>,
    pub(crate) failed: u32,
    length: Duration,
}

impl Measured {
    pub(crate) fn answered(&self) -> u32 {
        u32::try_from(self.took.len()).unwrap_or(u32::MAX)
    }

    /// Answers a second.
    pub(crate) fn rate(&self) -> f64 {
        f64::from(self.answered()) / self.length.as_secs_f64()
    }

    /// The time within which so many of a hundred were answered.
    pub(crate) fn percentile(&self, of_hundred: usize) -> Duration {
        let place = self.took.len().saturating_mul(of_hundred) / 100;
        self.took.get(place).or(self.took.last()).copied().unwrap_or_default()
    }
}

fn request(address: Address) -> Vec<u8> {
    let body =
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["{address:#x}","latest"]}}"#);
    post(&body)
}

/// A request with this body.
pub(crate) fn post(body: &str) -> Vec<u8> {
    format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Asks one question. Returns whether the answer is a result.
async fn ask(stream: &mut TcpStream, question: &[u8], buffer: &mut Vec<u8>) -> std::io::Result<bool> {
    Ok(exchange(stream, question, buffer).await?.contains(r#""result""#))
}

/// Sends one request, and returns the body of its answer.
pub(crate) async fn exchange(
    stream: &mut TcpStream,
    question: &[u8],
    buffer: &mut Vec<u8>,
) -> std::io::Result<String> {
    stream.write_all(question).await?;
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let text = String::from_utf8_lossy(buffer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if length.and_then(|length| length.parse().ok()) == Some(body.len()) {
            return Ok(body.to_owned());
        }
    }
}

/// Asks until everything is answered once.
pub(crate) async fn warm_up(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    for byte in 1..=ADDRESSES {
        let question = request(Address::repeat_byte(byte));
        while !ask(&mut stream, &question, &mut Vec::new()).await.expect("it answers") {
            sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Asks with so many callers, at `rate` a second or as often as they can.
pub(crate) async fn run(address: SocketAddr, callers: u32, rate: Option<u32>, length: Duration) -> Measured {
    let began = Instant::now();
    let seconds = |callers: u32, rate: u32| Duration::from_secs_f64(f64::from(callers) / f64::from(rate));
    let pause = rate.map(|rate| seconds(callers, rate));
    let mut running = JoinSet::new();
    for caller in 0..callers {
        running.spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("it listens");
            let (mut took, mut failed, mut buffer) = (Vec::new(), 0_u32, Vec::new());
            let first = pause.unwrap_or_default().mul_f64(f64::from(caller) / f64::from(callers));
            let addresses = (1..=ADDRESSES).cycle().step_by(7);
            let start = usize::try_from(caller).unwrap_or_default().checked_rem(usize::from(ADDRESSES));
            for (turn, byte) in (0_u32..).zip(addresses.skip(start.unwrap_or_default())) {
                if began.elapsed() >= length {
                    break;
                }
                let mut asked = Instant::now();
                if let Some(pause) = pause {
                    // Counted from when it should have been asked: a stalled server delays the next questions too.
                    let due = first.saturating_add(pause.saturating_mul(turn));
                    asked = began.checked_add(due).unwrap_or(asked);
                    sleep_until(asked).await;
                }
                let question = request(Address::repeat_byte(byte));
                let is_proven = ask(&mut stream, &question, &mut buffer).await.unwrap_or(false);
                took.push(asked.elapsed());
                failed = failed.saturating_add(u32::from(!is_proven));
            }
            (took, failed)
        });
    }
    let mut measured = Measured { took: Vec::new(), failed: 0, length };
    while let Some(done) = running.join_next().await {
        let (took, failed) = done.expect("a caller does not panic");
        measured.took.extend(took);
        measured.failed = measured.failed.saturating_add(failed);
    }
    measured.took.sort_unstable();
    measured
}
