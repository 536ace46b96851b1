//! The servers of a drill on loopback, and how a wallet reaches them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use saldo::{Address, Network, UnixTime};
use saldo_drill::http::Relay;
use saldo_drill::scenario::Role;
use saldo_drill::serve::Server;
use serde_json::json;

use super::browser::{ForBrowsers, Pages};
use crate::failure::CommandFailure;
use crate::network_file::{self, Entry, NetworkFile};
use crate::print;

/// Servers on consecutive ports. Dropping it stops the servers and deletes a temporary network file.
pub(super) struct Loopback {
    next: Option<SocketAddr>,
    running: Vec<Running>,
    out: Option<PathBuf>,
    pages: Pages,
    file: Option<NetworkFile>,
}

/// One server and what is known of its member.
struct Running {
    role: Role,
    name: String,
    operator: String,
    hosting: Option<String>,
    server: Server,
}

impl Loopback {
    /// The first server listens on `listen`; without it each server gets a free port.
    pub(super) fn new(listen: Option<SocketAddr>) -> Self {
        Self { next: listen, running: Vec::new(), out: None, pages: Pages::Any, file: None }
    }

    /// Lets only web pages of these origins use the servers.
    pub(super) fn only_for(mut self, origins: Vec<String>) -> Self {
        self.pages = Pages::Of(origins);
        self
    }

    /// Writes the network file to `out` instead of the temporary folder.
    pub(super) fn write_to(mut self, out: Option<PathBuf>) -> Self {
        self.out = out;
        self
    }

    /// Starts one more server.
    ///
    /// # Errors
    /// A [`CommandFailure`] if the port cannot be opened.
    pub(super) async fn serve(
        &mut self,
        role: Role,
        name: &str,
        relay: impl Relay + 'static,
    ) -> Result<(), CommandFailure> {
        let address = self.next.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
        let relay = ForBrowsers { relay, pages: self.pages.clone() };
        let server = Server::start_at(address, relay).await.map_err(|error| {
            let detail = format!("port {} of {} cannot be opened: {error}", address.port(), address.ip());
            CommandFailure::failed("port", detail, "Choose another with --listen, or leave it out.")
        })?;
        self.next = self.next.and_then(|address| {
            let port = address.port().checked_add(1).filter(|_| address.port() != 0);
            Some(SocketAddr::new(address.ip(), port.or(Some(0))?))
        });
        let (name, operator) = (name.to_owned(), name.to_owned());
        self.running.push(Running { role, name, operator, hosting: None, server });
        Ok(())
    }

    /// Declares the operator and the hosting of the server that was started last.
    pub(super) fn declare(&mut self, operator: &str, hosting: &str) {
        if let Some(last) = self.running.last_mut() {
            operator.clone_into(&mut last.operator);
            last.hosting = Some(hosting.to_owned());
        }
    }

    /// `NAME=URL` of the servers with that role.
    fn urls(&self, role: Role) -> Vec<String> {
        let of_role = self.running.iter().filter(|open| open.role == role);
        of_role.map(|open| format!("{}={}", open.name, open.server.url())).collect()
    }

    /// Prints the URL of every server.
    ///
    /// # Errors
    /// A [`CommandFailure`] if the output was closed.
    pub(super) fn print_urls(&self, as_json: bool) -> Result<(), CommandFailure> {
        let [rpc, beacon] = [Role::Provider, Role::Beacon].map(|role| self.urls(role));
        if as_json {
            let line = json!({ "schema": "saldo.drill/1", "rpc_urls": rpc, "beacon_urls": beacon });
            return print(&line.to_string());
        }
        rpc.iter().try_for_each(|url| print(&format!("  --rpc-url {url}")))?;
        beacon.iter().try_for_each(|url| print(&format!("  --beacon-url {url}")))?;
        print("")
    }

    /// Writes the network file with all servers in it, and prints how to use it.
    ///
    /// # Errors
    /// A [`CommandFailure`] if the file cannot be written.
    pub(super) fn write_network_file(
        &mut self,
        network: &Network,
        owner: Option<Address>,
        as_json: bool,
    ) -> Result<(), CommandFailure> {
        let file = NetworkFile::write(self.out.as_deref(), &self.network_file(network))?;
        let path = self.file.insert(file).path().to_owned();
        let checkpoint = network.checkpoint().map(ToString::to_string);
        let [rpc, beacon, checkpoints] =
            [Role::Provider, Role::Beacon, Role::Checkpoint].map(|role| self.urls(role));
        if as_json {
            let line = json!({
                "schema": "saldo.drill/1",
                "network_file": path,
                "chain_id": network.chain_id(),
                "checkpoint": checkpoint,
                "rpc_urls": rpc,
                "beacon_urls": beacon,
                "checkpoint_urls": checkpoints,
                "address": owner,
            });
            return print(&line.to_string());
        }
        print(&format!("network file  {}  (chain {})", path.display(), network.chain_id()))?;
        for (what, urls) in [("provider", rpc), ("beacon", beacon), ("checkpoint", checkpoints)] {
            for url in urls {
                print(&format!("{what:<14}{url}"))?;
            }
        }
        if let Some(checkpoint) = checkpoint {
            print(&format!("trust starts  {checkpoint}"))?;
        }
        let owner = owner.map_or_else(|| "ADDRESS".to_owned(), |owner| owner.to_string());
        print(&format!("\n  saldo balance {owner} --network {}\n", path.display()))
    }

    /// The text of the network file: the network and its endpoints.
    fn network_file(&self, network: &Network) -> String {
        let entries = self.running.iter().map(|running| Entry {
            table: match running.role {
                Role::Provider | Role::L1Provider => "rpc",
                Role::Beacon => "beacon",
                Role::Checkpoint => "checkpoint_source",
            },
            url: running.server.url(),
            name: &running.name,
            operator: &running.operator,
            hosting: running.hosting.as_deref(),
        });
        network_file::text(network, entries)
    }
}

/// The present time.
pub(super) fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
