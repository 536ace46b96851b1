//! The servers of a drill on loopback, and how a wallet reaches them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use saldo::{Address, Network, Profile, UnixTime};
use saldo_drill::http::Relay;
use saldo_drill::scenario::Role;
use saldo_drill::serve::Server;
use serde_json::{Value, json};

use super::browser::{ForBrowsers, Pages};
use crate::failure::CommandFailure;
use crate::network_file::{self, Entry, NetworkFile};
use crate::print;

/// Servers on consecutive ports. Dropping it stops the servers and deletes temporary network files.
pub(super) struct Loopback {
    next: Option<SocketAddr>,
    running: Vec<Running>,
    out: Option<PathBuf>,
    pages: Pages,
    files: Vec<NetworkFile>,
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
        Self { next: listen, running: Vec::new(), out: None, pages: Pages::Any, files: Vec::new() }
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

    /// Writes the network file with all servers in it, and prints how to use it. With a rollup it is that of its L1, and the file of the
    /// profile is written beside it.
    ///
    /// # Errors
    /// A [`CommandFailure`] if a file cannot be written.
    pub(super) fn write_network_file(
        &mut self,
        network: &Network,
        rollup: Option<&Profile>,
        owner: Option<Address>,
        as_json: bool,
    ) -> Result<(), CommandFailure> {
        let is_of_l1 = |role: Role| rollup.is_none() || role != Role::Provider;
        let out = self.out.clone();
        let path = self.write_file(out.as_deref(), network.to_toml(), is_of_l1)?;
        let of_rollup = match rollup {
            Some(profile) => {
                let out = out.map(|out| out.with_extension("rollup.toml"));
                let path =
                    self.write_file(out.as_deref(), profile.to_toml(), |role| role == Role::Provider)?;
                Some((path, profile.chain_id()))
            }
            None => None,
        };
        if as_json {
            let mut line = self.json_of_l1(network, &path, rollup.is_some(), owner);
            if let (Some((path, chain_id)), Some(line)) = (&of_rollup, line.as_object_mut()) {
                let urls = self.urls(Role::Provider);
                let of_rollup = json!({ "network_file": path, "chain_id": chain_id, "rpc_urls": urls });
                line.insert("rollup".to_owned(), of_rollup);
            }
            return print(&line.to_string());
        }
        self.print_l1(network, &path, rollup.is_some())?;
        let mut files = path.display().to_string();
        if let Some((path, chain_id)) = &of_rollup {
            print(&format!("rollup file   {}  (chain {chain_id})", path.display()))?;
            self.print_role("provider", Role::Provider)?;
            files.push_str(&format!(",{}", path.display()));
        }
        let owner = owner.map_or_else(|| "ADDRESS".to_owned(), |owner| owner.to_string());
        print(&format!("\n  saldo balance {owner} --network {files}\n"))
    }

    fn json_of_l1(&self, network: &Network, path: &Path, has_rollup: bool, owner: Option<Address>) -> Value {
        json!({
            "schema": "saldo.drill/1",
            "network_file": path,
            "chain_id": network.chain_id(),
            "checkpoint": network.checkpoint().map(ToString::to_string),
            "rpc_urls": self.urls(provider_of(has_rollup)),
            "beacon_urls": self.urls(Role::Beacon),
            "checkpoint_urls": self.urls(Role::Checkpoint),
            "address": owner,
        })
    }

    fn print_l1(&self, network: &Network, path: &Path, has_rollup: bool) -> Result<(), CommandFailure> {
        print(&format!("network file  {}  (chain {})", path.display(), network.chain_id()))?;
        self.print_role("provider", provider_of(has_rollup))?;
        self.print_role("beacon", Role::Beacon)?;
        self.print_role("checkpoint", Role::Checkpoint)?;
        match network.checkpoint() {
            Some(checkpoint) => print(&format!("trust starts  {checkpoint}")),
            None => Ok(()),
        }
    }

    fn print_role(&self, what: &str, role: Role) -> Result<(), CommandFailure> {
        self.urls(role).iter().try_for_each(|url| print(&format!("{what:<14}{url}")))
    }

    /// Writes `head` and the servers of some roles to a file. Returns its path.
    fn write_file(
        &mut self,
        out: Option<&Path>,
        head: String,
        is_in_it: impl Fn(Role) -> bool,
    ) -> Result<PathBuf, CommandFailure> {
        let entries = self.running.iter().filter(|running| is_in_it(running.role)).map(|running| Entry {
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
        let file = NetworkFile::write(out, &network_file::text(head, entries))?;
        let path = file.path().to_owned();
        self.files.push(file);
        Ok(path)
    }
}

/// Who serves the network with the committee: with a rollup the providers of its L1.
fn provider_of(has_rollup: bool) -> Role {
    if has_rollup { Role::L1Provider } else { Role::Provider }
}

/// The present time.
pub(super) fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
