//! Each example, run as a user runs it, against a small signed chain on loopback. The terminal wallet runs through an
//! outage, lies and a restart.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use alloy_primitives::{Address, U256};
use saldo::UnixTime;
use saldo_drill::serve::Server;
use saldo_drill::{BeaconSource, Chain, Fault, Provider, Rule};
use tokio::runtime::Runtime;

const ALICE: Address = Address::repeat_byte(0xa1);

/// A chain that adds a block every second, two providers, a source, and the network file that names them.
struct World {
    chain: Chain,
    providers: Vec<Provider>,
    source: BeaconSource,
    file: PathBuf,
    _servers: Vec<Server>,
    _runtime: Runtime,
}

fn now() -> UnixTime {
    UnixTime::from_secs(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())
}

impl World {
    fn new(name: &str) -> Self {
        let chain = Chain::builder(5)
            .slot_duration(Duration::from_secs(1))
            .genesis_time(UnixTime::from_secs(now().as_secs() - 40))
            .history(40)
            .accounts([(ALICE, U256::from(1_500_000_000_000_000_000_u64))])
            .build();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let growing = chain.clone();
        runtime.spawn(async move {
            loop {
                growing.advance_to(now());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let providers = vec![Provider::honest(&chain), Provider::honest(&chain)];
        let source = BeaconSource::honest(&chain);
        let start = |provider: &Provider| runtime.block_on(Server::start(provider.clone())).unwrap();
        let mut servers: Vec<Server> = providers.iter().map(start).collect();
        let mut file = chain.network().with_checkpoint(chain.checkpoint()).to_toml();
        for (name, server) in ["anna", "bert"].iter().zip(&servers) {
            file.push_str(&format!("\n[[rpc]]\nname = \"{name}\"\nurl = \"{}\"\n", server.url()));
        }
        servers.push(runtime.block_on(Server::start(source.clone())).unwrap());
        file.push_str(&format!("\n[[beacon]]\nname = \"north\"\nurl = \"{}\"\n", servers[2].url()));
        let path =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.toml", std::process::id()));
        std::fs::write(&path, file).unwrap();
        Self { chain, providers, source, file: path, _servers: servers, _runtime: runtime }
    }

    fn store(&self) -> PathBuf {
        self.file.with_extension("redb")
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.arg(ALICE.to_string()).args(arguments).arg(&self.file);
        command
    }

    fn output_of(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.run(program, arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// A running program and its output.
struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    /// Reads lines until one contains `part`, and returns all of them.
    #[track_caller]
    fn read_until(&mut self, part: &str) -> Vec<String> {
        let started = Instant::now();
        let mut lines = Vec::new();
        while started.elapsed() < Duration::from_secs(60) {
            let mut line = String::new();
            self.out.read_line(&mut line).unwrap();
            let is_last = line.contains(part);
            lines.push(line);
            if is_last {
                return lines;
            }
        }
        panic!("`{part}` was not printed: {lines:#?}");
    }

    fn end(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn balance_and_transport() {
    let world = World::new("balance");
    assert_eq!(world.output_of(env!("CARGO_BIN_EXE_balance"), &[]), "1.5 ether\n");
    let output = world.output_of(env!("CARGO_BIN_EXE_transport"), &[]);
    assert!(output.starts_with("1.5 ether\n") && output.contains(" requests, "), "{output}");
    world.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
    std::thread::sleep(Duration::from_millis(100));
    let output = world.output_of(env!("CARGO_BIN_EXE_balance"), &[]);
    assert_eq!(output, "not known (it is not 0): no provider could be reached\n");
}

#[test]
fn watch_through_faults_and_a_restart_and_offline_beside_it() {
    let world = World::new("watch");
    let store = world.store();
    let _ = std::fs::remove_file(&store);
    let store = store.to_str().unwrap();
    let watch = || Running::start(&mut world.run(env!("CARGO_BIN_EXE_watch"), &[store]));
    let mut first = watch();
    let mut all = first.read_until("1.5 ether; proven");
    assert!(all[0].contains("not known (it is not 0)"), "{all:?}");
    // The widget reads the same store while the wallet runs.
    assert!(world.output_of(env!("CARGO_BIN_EXE_offline"), &[store]).starts_with("1.5 ether at block "));
    first.end();

    // Both providers lie, then all servers are down. The wallet restarts in between.
    let lie = |provider: &Provider| {
        provider.add(Fault::ZeroBalance);
        provider.add(Rule::from(Fault::TruncatedProof { nodes: 1 }));
    };
    world.providers.iter().for_each(lie);
    let mut second = watch();
    all.extend(second.read_until("none of them proves anything"));
    world.providers.iter().for_each(|provider| provider.set(Fault::Refuse));
    world.source.set(Fault::Refuse);
    second.end();
    std::thread::sleep(Duration::from_millis(100));
    let mut third = watch();
    all.extend(third.read_until("could be reached"));
    assert!(world.output_of(env!("CARGO_BIN_EXE_offline"), &[store]).starts_with("1.5 ether at block "));

    world.chain.set_balance(ALICE, U256::from(2_250_000_000_000_000_000_u64));
    world.providers.iter().for_each(Provider::clear);
    world.source.clear();
    all.extend(third.read_until("2.25 ether; proven"));
    third.end();
    let words: Vec<&str> = all.iter().flat_map(|line| line.split_whitespace()).collect();
    let amounts: BTreeSet<&str> =
        words.windows(2).filter(|pair| pair[1].starts_with("ether")).map(|pair| pair[0]).collect();
    assert_eq!(amounts, ["1.5", "2.25"].into(), "{all:#?}");
}

/// The examples keep to the sizes that the documents state.
#[test]
fn the_examples_are_as_short_as_documented() {
    let lines = |name: &str| {
        let text = std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
        text.lines().count()
    };
    assert!(lines("watch.rs") < 60, "{}", lines("watch.rs"));
    let balance =
        std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("balance.rs")).unwrap();
    let body = balance.lines().skip_while(|line| !line.starts_with("async fn main")).skip(1);
    assert!(body.count() <= 12);
}
