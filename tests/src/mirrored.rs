//! A simulated network with a mirror: a chain, a beacon node as the mirror's source, and the mirror's files in a
//! folder and over HTTP.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use saldo::{Checkpoint, Client, Endpoint, Network, Policy, Reading};
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Chain, Provider};
use saldo_source::Io as Outside;
use saldo_source::mirror::{Keeper, Kept};

use crate::scene::{ALICE, BEFORE};

/// How long the requests of one refresh may take.
pub const REFRESH_TIMEOUT: Duration = Duration::from_secs(20);
/// The number of slots in a sync committee period of the chain.
pub const SLOTS_PER_PERIOD: u64 = 64;

/// A folder that no other test uses. Dropping it deletes the folder.
pub struct Folder(pub PathBuf);

impl Folder {
    /// Creates the folder.
    ///
    /// # Panics
    /// If the folder cannot be created.
    #[expect(clippy::new_without_default, reason = "it makes a folder")]
    pub fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("saldo-mirror-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a temporary folder can be created");
        Self(path)
    }

    /// The files, relative to the folder, sorted.
    pub fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        for folder in ["", "bootstrap", "updates"] {
            let Ok(entries) = std::fs::read_dir(self.0.join(folder)) else { continue };
            let files_of = entries.flatten().filter(|entry| entry.path().is_file());
            files.extend(files_of.map(|entry| {
                let name = entry.file_name().into_string().expect("the names are UTF-8");
                if folder.is_empty() { name } else { format!("{folder}/{name}") }
            }));
        }
        files.sort();
        files
    }

    /// The files whose names start with `stem`.
    pub fn named(&self, stem: &str) -> Vec<PathBuf> {
        let files = self.files();
        files.iter().filter(|name| name.starts_with(stem)).map(|name| self.0.join(name)).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The same files over HTTP, as any web server has them.
pub struct WebServer {
    /// The folder of the files.
    pub folder: PathBuf,
    /// The status of the answer for a missing file, and its content type.
    pub missing: (u16, &'static str),
}

impl Service for WebServer {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        let path = request.path.strip_prefix("/light/").expect("only below the mirror's own path");
        Reaction::Reply(match std::fs::read(self.folder.join(path)) {
            Ok(bytes) => Reply::new(200, "application/octet-stream", bytes),
            Err(_) => Reply::new(self.missing.0, self.missing.1, "<html>not here</html>"),
        })
    }

    fn refuses(&self) -> bool {
        false
    }
}

/// A chain, one provider of proofs, and a beacon node as the mirror's source.
pub struct World {
    /// The chain.
    pub chain: Chain,
    /// The simulated network, in virtual time.
    pub simulation: Simulation,
    /// The beacon node, at `http://node.test`.
    pub node: BeaconSource,
    /// The mirror's folder.
    pub folder: Folder,
    /// The keeper that writes the mirror.
    pub keeper: Keeper,
    /// The checkpoint from which trust starts.
    pub begin: Checkpoint,
}

impl World {
    /// A world around a chain with that seed.
    pub fn new(seed: u64) -> Self {
        Self::of(Chain::builder(seed).accounts([(ALICE, BEFORE)]).build())
    }

    /// A world around `chain`.
    pub fn of(chain: Chain) -> Self {
        let table = chain.network();
        Self::knowing(table, chain)
    }

    /// A world in which the keeper has the table `table` of the chain.
    pub fn knowing(table: Network, chain: Chain) -> Self {
        let simulation = Simulation::new(1, &chain);
        let internet = simulation.internet();
        internet.register("http://provider.test", Provider::honest(&chain));
        let node = BeaconSource::honest(&chain);
        internet.register("http://node.test", node.clone());
        let (folder, begin) = (Folder::new(), chain.checkpoint());
        let mirror = WebServer { folder: folder.0.clone(), missing: (404, "text/html") };
        internet.register("http://mirror.test", mirror);
        let outside = Outside::new(Arc::new(internet), Arc::new(simulation.clock()));
        let node_url = Endpoint::new("http://node.test").expect("a URL");
        let keeper = Keeper::new(outside, table, vec![node_url], begin, &folder.0);
        Self { chain, simulation, node, folder, keeper, begin }
    }

    /// Refreshes the mirror.
    ///
    /// # Panics
    /// If there is no source to start from, or the folder cannot be written.
    pub fn refresh(&mut self) -> Kept {
        self.simulation.run(self.keeper.refresh(REFRESH_TIMEOUT)).expect("a source to ask")
    }

    /// Lets slots pass without any request.
    pub fn pass_slots(&self, slots: u64) {
        let slot = self.chain.network().slot_duration();
        self.simulation.pass(slot * u32::try_from(slots).expect("few"));
    }

    /// A wallet without a beacon node.
    pub fn wallet(&self, mirrors: &[Endpoint]) -> Client {
        let builder = Client::builder(self.chain.network())
            .checkpoint(self.begin)
            .policy(Policy { operators_per_address: 1, ..Policy::signed() })
            .transport(self.simulation.internet())
            .clock(self.simulation.clock())
            .rpc("http://provider.test");
        mirrors
            .iter()
            .fold(builder, |builder, mirror| builder.beacon(mirror.clone()))
            .build()
            .expect("a complete configuration")
    }

    /// The mirror in its folder.
    pub fn in_folder(&self) -> Endpoint {
        Endpoint::folder(&self.folder.0).expect("a path")
    }

    /// A wallet's reading of Alice's balance.
    pub fn read(&self, wallet: &Client) -> Reading {
        self.simulation.run(wallet.balance(ALICE))
    }

    /// Asserts that the reading is proven, and that the amount is the chain's balance at its block.
    ///
    /// # Panics
    /// If it is not.
    #[track_caller]
    pub fn assert_proven(&self, reading: &Reading) {
        let proven =
            reading.proven().unwrap_or_else(|| panic!("{:?}, {:?}", reading.why(), reading.attempts()));
        let number = proven.anchor().number();
        assert_eq!(Some(proven.amount().base_units()), self.chain.balance_at(number, ALICE));
        assert_eq!(proven.anchor().hash(), self.chain.block(number).expect("a proven block exists").hash);
    }

    /// The number of HTTP requests to the mirror.
    pub fn requests(&self) -> usize {
        self.simulation.internet().log().iter().filter(|exchange| exchange.host == "mirror.test").count()
    }
}

/// The mirror over HTTP.
pub fn over_http() -> Endpoint {
    Endpoint::new("http://mirror.test/light").expect("a URL").mirror()
}
