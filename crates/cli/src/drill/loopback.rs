//! The servers of a drill on loopback, and how a wallet reaches them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use saldo::{Address, Network, UnixTime};
use saldo_drill::http::Relay;
use saldo_drill::scenario::Role;
use saldo_drill::serve::Server;
use serde_json::{Value, json};

use super::browser::ForBrowsers;
use crate::failure::CommandFailure;
use crate::print;

/// Servers on consecutive ports. Dropping it stops the servers and deletes the network file.
pub(super) struct Loopback {
    next: Option<SocketAddr>,
    running: Vec<Running>,
    file: PathBuf,
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
        let file = std::env::temp_dir().join(format!("saldo-drill-{}.toml", std::process::id()));
        Self { next: listen, running: Vec::new(), file }
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
        let server = Server::start_at(address, ForBrowsers(relay)).await.map_err(|error| {
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
        &self,
        network: &Network,
        owner: Option<Address>,
        as_json: bool,
    ) -> Result<(), CommandFailure> {
        std::fs::write(&self.file, self.network_file(network)).map_err(|error| {
            CommandFailure::internal(format!("network file: {error}"), "Check the temporary folder.")
        })?;
        let checkpoint = network.checkpoint().map(ToString::to_string);
        let [rpc, beacon, checkpoints] =
            [Role::Provider, Role::Beacon, Role::Checkpoint].map(|role| self.urls(role));
        if as_json {
            let line = json!({
                "schema": "saldo.drill/1",
                "network_file": self.file,
                "chain_id": network.chain_id(),
                "checkpoint": checkpoint,
                "rpc_urls": rpc,
                "beacon_urls": beacon,
                "checkpoint_urls": checkpoints,
                "address": owner,
            });
            return print(&line.to_string());
        }
        print(&format!("network file  {}  (chain {})", self.file.display(), network.chain_id()))?;
        for (what, urls) in [("provider", rpc), ("beacon", beacon), ("checkpoint", checkpoints)] {
            for url in urls {
                print(&format!("{what:<14}{url}"))?;
            }
        }
        if let Some(checkpoint) = checkpoint {
            print(&format!("trust starts  {checkpoint}"))?;
        }
        let owner = owner.map_or_else(|| "ADDRESS".to_owned(), |owner| owner.to_string());
        print(&format!("\n  saldo balance {owner} --network {}\n", self.file.display()))
    }

    /// The network file: the network and its endpoints.
    fn network_file(&self, network: &Network) -> String {
        let mut text = network.to_toml();
        for Running { role, name, operator, hosting, server } in &self.running {
            let table = match role {
                Role::Provider => "rpc",
                Role::Beacon => "beacon",
                Role::Checkpoint => "checkpoint_source",
            };
            let quoted = |text: &str| Value::from(text).to_string();
            text.push_str(&format!(
                "\n[[{table}]]\nurl = {}\nname = {}\noperator = {}\n",
                quoted(&server.url()),
                quoted(name),
                quoted(operator)
            ));
            if let Some(hosting) = hosting {
                text.push_str(&format!("hosting = {}\n", quoted(hosting)));
            }
        }
        text
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

/// The present time.
pub(super) fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Waits until the command is interrupted (Ctrl-C) or terminated (SIGTERM, as test runners send).
pub(super) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
