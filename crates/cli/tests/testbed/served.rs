//! `saldo serve` in a process of its own, and a caller that speaks HTTP by hand.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Services, network_file, saldo, test_chain};

/// A running `saldo serve`. Dropped, it is killed.
pub struct Served {
    child: Child,
    pub address: SocketAddr,
    /// What it printed for each network.
    pub lines: Vec<Value>,
}

/// The answer to one HTTP request.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    /// The head in small letters.
    pub head: String,
    pub body: String,
}

impl Reply {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| *key == name).map(|(_, value)| value.trim()).next()
    }
}

/// `saldo serve` for these services, on a free port.
pub fn serve(services: &Services, options: &[&str]) -> Command {
    serve_at("127.0.0.1:0", services, options)
}

/// `saldo serve` for these services at an address.
pub fn serve_at(address: &str, services: &Services, options: &[&str]) -> Command {
    let mut command = saldo(&["serve", "--json", "--listen", address, "--network"]);
    command.arg(network_file(&test_chain().network().to_toml()));
    for url in services.rpc_urls() {
        command.args(["--rpc-url", &url]);
    }
    for url in services.beacon_urls() {
        command.args(["--beacon-url", &url]);
    }
    command.args(options);
    command
}

impl Served {
    /// Starts it, and waits until it listens.
    pub fn new(services: &Services, options: &[&str]) -> Self {
        Self::start(&mut serve(services, options), 1)
    }

    /// Starts the command, and waits for so many networks.
    pub fn start(command: &mut Command, networks: usize) -> Self {
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the command runs");
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let lines = stdout.lines().take(networks).map(|line| serde_json::from_str(&line.unwrap()).unwrap());
        let lines: Vec<Value> = lines.collect();
        let url = lines[0]["url"].as_str().unwrap_or_else(|| panic!("it does not listen: {lines:?}"));
        let address = url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
        Self { child, address, lines }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A request with these lines as its head, and this body.
    pub fn raw(&self, head: &str, body: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        let head = head.replace('\n', "\r\n");
        // A server that refuses a body closes the connection while it is sent.
        let _ = stream.write_all(format!("{head}\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes());
        let _ = stream.write_all(body);
        read_reply(&mut stream)
    }

    /// A body for the network at `path`, with these header lines besides.
    pub fn post_with(&self, path: &str, headers: &str, body: &str) -> Reply {
        let head = format!(
            "POST {path} HTTP/1.1\nhost: {}\nconnection: close\ncontent-type: application/json{headers}",
            self.address
        );
        self.raw(&head, body.as_bytes())
    }

    pub fn post(&self, body: &str) -> Reply {
        self.post_with("/", "", body)
    }

    /// The answer to one call.
    #[track_caller]
    pub fn call(&self, method: &str, params: &Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let reply = self.post(&body.to_string());
        assert_eq!(reply.status, 200, "{reply:?}");
        let answer = reply.json();
        assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(1)));
        answer
    }

    /// The result of one call. Before the first head is signed, it waits.
    #[track_caller]
    pub fn result(&self, method: &str, params: &Value) -> Value {
        let started = Instant::now();
        loop {
            let answer = self.call(method, params);
            match answer.get("result") {
                Some(result) => return result.clone(),
                None if started.elapsed() < Duration::from_secs(20) => {
                    std::thread::sleep(Duration::from_millis(200));
                }
                None => panic!("{method}{params}: {answer}"),
            }
        }
    }

    /// The error of one call.
    #[track_caller]
    pub fn error(&self, method: &str, params: &Value) -> Value {
        let answer = self.call(method, params);
        assert_eq!(answer.get("result"), None, "{method}{params}: {answer}");
        answer["error"].clone()
    }

    /// Asks it to stop (SIGTERM).
    pub fn terminate(&self) {
        let status = Command::new("kill").arg(self.id().to_string()).status().expect("`kill` runs");
        assert!(status.success());
    }

    /// Waits until it has ended. Returns its exit status, and what it said on standard error.
    pub fn end(mut self) -> (i32, String) {
        let mut said = String::new();
        self.child.stderr.take().expect("it is piped").read_to_string(&mut said).expect("UTF-8");
        (self.child.wait().expect("it ends").code().expect("by itself"), said)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads one reply, until the connection ends.
pub fn read_reply(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::new();
    // A connection that is reset has sent what it had to say.
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let (head, body) = (head.to_ascii_lowercase(), body.to_owned());
    Reply { status, head, body }
}

/// A number as JSON-RPC writes it.
pub fn number(value: &Value) -> u64 {
    let digits = value.as_str().unwrap_or_else(|| panic!("no number: {value}")).trim_start_matches("0x");
    u64::from_str_radix(digits, 16).expect("a quantity")
}
