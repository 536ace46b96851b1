//! A small chain on loopback that follows the wall clock, and the command as a user runs it.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

pub mod rollup_world;
pub mod schema;
pub mod served;
pub mod token;
pub mod token_runs;

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy_primitives::U256;
use saldo::{Address, Network, UnixTime};
use saldo_drill::http::Service;
use saldo_drill::serve::Server;
use saldo_drill::{BeaconSource, Chain, Provider};
use serde_json::Value;
use tokio::runtime::Runtime;

/// An address that holds 1.5 ether.
pub const ALICE: Address = Address::repeat_byte(0xa1);
/// An address that holds 0.7 ether.
pub const BOB: Address = Address::repeat_byte(0xb0);
/// An address that never held anything.
pub const UNUSED: Address = Address::repeat_byte(0x0b);
/// Alice's balance in wei.
pub const ALICE_WEI: &str = "1500000000000000000";
/// How many slots the chain has at the start. Some of them are final.
const HISTORY: u64 = 40;
/// How many of them have the tokens.
const WITH_TOKENS: u64 = 30;

/// The environment variables that the command reads, and those that change its output.
const VARIABLES: [&str; 19] = [
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SALDO_NETWORK",
    "ETH_RPC_URL",
    "SALDO_L1_RPC_URL",
    "SALDO_RELAY_URL",
    "SALDO_BEACON_URL",
    "SALDO_CHECKPOINT",
    "NO_COLOR",
    "RUST_LOG",
    "RUST_BACKTRACE",
];

/// The chain that all tests of a file share, and its runtime.
pub struct TestChain {
    pub chain: Chain,
    network: Network,
    runtime: Runtime,
}

/// The shared test chain, created on first use.
pub fn test_chain() -> &'static TestChain {
    static TEST_CHAIN: OnceLock<TestChain> = OnceLock::new();
    TEST_CHAIN.get_or_init(TestChain::start)
}

impl TestChain {
    fn start() -> Self {
        let genesis = now().as_secs().saturating_sub(HISTORY);
        let chain = Chain::builder(77)
            .slot_duration(Duration::from_secs(1))
            .genesis_time(UnixTime::from_secs(genesis))
            .history(HISTORY - WITH_TOKENS)
            .accounts([
                (ALICE, U256::from(1_500_000_000_000_000_000_u64)),
                (BOB, U256::from(700_000_000_000_000_000_u64)),
            ])
            .build();
        token::deploy(&chain);
        chain.advance_to(now());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let growing = chain.clone();
        runtime.spawn(async move {
            loop {
                growing.advance_to(now());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let network = chain.network().with_checkpoint(chain.checkpoint());
        Self { chain, network, runtime }
    }

    /// Starts a server for `service` on a loopback port.
    pub fn serve(&self, service: impl Service + 'static) -> Server {
        self.runtime.block_on(Server::start(service)).expect("a port on loopback")
    }

    /// The runtime of the servers.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// The network, with the newest checkpoint of the moment in which the chain was created. It does not follow the
    /// chain: what a mirror keeps for one checkpoint does not start a client from the next one.
    pub fn network(&self) -> Network {
        self.network.clone()
    }
}

fn now() -> UnixTime {
    UnixTime::from_secs(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs())
}

/// The providers (`anna`, `bert`, …) and sources (`north`, `south`) of one test.
pub struct Services {
    pub providers: Vec<Provider>,
    pub sources: Vec<BeaconSource>,
    provider_servers: Vec<Server>,
    source_servers: Vec<Server>,
}

impl Services {
    const PROVIDER_NAMES: [&'static str; 3] = ["anna", "bert", "cleo"];
    const SOURCE_NAMES: [&'static str; 2] = ["north", "south"];

    /// Starts that many honest providers and sources.
    pub fn new(providers: usize, sources: usize) -> Self {
        let test_chain = test_chain();
        let providers: Vec<Provider> = (0..providers).map(|_| Provider::honest(&test_chain.chain)).collect();
        let sources: Vec<BeaconSource> =
            (0..sources).map(|_| BeaconSource::honest(&test_chain.chain)).collect();
        let provider_servers = providers.iter().map(|provider| test_chain.serve(provider.clone())).collect();
        let source_servers = sources.iter().map(|source| test_chain.serve(source.clone())).collect();
        Self { providers, sources, provider_servers, source_servers }
    }

    /// `NAME=URL` of each provider.
    pub fn rpc_urls(&self) -> Vec<String> {
        named(&Self::PROVIDER_NAMES, &self.provider_servers)
    }

    /// `NAME=URL` of each source.
    pub fn beacon_urls(&self) -> Vec<String> {
        named(&Self::SOURCE_NAMES, &self.source_servers)
    }

    /// `saldo balance` with a network file and all URLs. The caller adds addresses and options.
    pub fn balance(&self) -> Command {
        self.command("balance")
    }

    /// The command `saldo NAME` with a network file and all URLs.
    pub fn command(&self, name: &str) -> Command {
        let mut command = saldo(&[name, "--network"]);
        command.arg(network_file(&test_chain().network().to_toml()));
        for url in self.rpc_urls() {
            command.args(["--rpc-url", &url]);
        }
        for url in self.beacon_urls() {
            command.args(["--beacon-url", &url]);
        }
        command
    }

    /// Runs `saldo balance` with these additional arguments.
    pub fn run(&self, arguments: &[&str]) -> Run {
        run(self.balance().args(arguments))
    }

    /// Runs `saldo balance` for one address.
    pub fn run_for(&self, owner: Address, options: &[&str]) -> Run {
        run(self.balance().arg(owner.to_string()).args(options))
    }

    /// Makes all servers refuse connections from now on.
    pub fn refuse_all_connections(&self) {
        self.providers.iter().for_each(|provider| provider.set(saldo_drill::Fault::Refuse));
        self.sources.iter().for_each(|source| source.set(saldo_drill::Fault::Refuse));
        // A port closes only a moment later.
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn named(names: &[&str], servers: &[Server]) -> Vec<String> {
    names.iter().zip(servers).map(|(name, server)| format!("{name}={}", server.url())).collect()
}

/// The command without this process's own settings.
pub fn saldo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_saldo"));
    VARIABLES.iter().for_each(|variable| {
        command.env_remove(variable);
    });
    command.args(arguments).stdin(Stdio::null());
    command
}

/// The output of the command, and its exit status.
#[derive(Debug)]
pub struct Run {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    /// Standard output and standard error.
    pub fn all(&self) -> String {
        format!("{}\n{}", self.out, self.err)
    }

    /// Each line of standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        let parsed = self.out.lines().map(serde_json::from_str);
        parsed.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The only line of standard output as JSON.
    #[track_caller]
    pub fn only(&self) -> Value {
        let mut lines = self.json();
        assert_eq!(lines.len(), 1, "{self:?}");
        lines.remove(0)
    }
}

/// Runs a command until it ends.
pub fn run(command: &mut Command) -> Run {
    let Output { status, stdout, stderr } = command.output().expect("the command runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Run { status: status.code().expect("it ended by itself"), out: text(stdout), err: text(stderr) }
}

/// Writes a network file that no other test uses.
pub fn network_file(content: &str) -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("network-{}-{number}.toml", std::process::id());
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).expect("the folder for tests can be written to");
    path
}

/// A running `saldo balance`, with its standard input and output.
pub struct Conversation {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Conversation {
    /// Starts the command.
    pub fn start(command: &mut Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = piped.spawn().expect("the command runs");
        let stdin = child.stdin.take().expect("it is piped");
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, stdin, stdout }
    }

    /// Writes a line to its input, and does not wait for an answer.
    pub fn send_line(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").expect("the command reads its input");
    }

    /// Reads the next line of its output.
    pub fn read_line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("the command prints a line");
        line.trim_end().to_owned()
    }

    /// Sends the command a signal, such as `HUP`.
    pub fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        let status = kill.arg(format!("-{name}")).arg(self.child.id().to_string()).status().expect("it runs");
        assert!(status.success());
    }

    /// Kills the command, without a chance to tidy up.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ended");
    }

    /// Closes the input. Returns the exit status and the remaining output.
    pub fn end(self) -> (i32, String) {
        let Self { mut child, stdin, mut stdout } = self;
        drop(stdin);
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut stdout, &mut rest).expect("UTF-8");
        (child.wait().expect("it ends").code().expect("by itself"), rest)
    }
}
