//! The command line of `saldo drill`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use saldo_drill::scenario::parse_duration;

use crate::web::origin;

#[derive(Args)]
pub(crate) struct DrillArguments {
    #[command(subcommand)]
    pub(crate) command: DrillCommand,
}

#[derive(Subcommand)]
pub(crate) enum DrillCommand {
    /// Show the built-in scenarios
    List(ListArguments),
    /// Run saldo, and a naive wallet that believes the first reply, through a scenario in virtual time
    Run(RunArguments),
    /// Serve a scenario's providers and beacon sources on loopback, and apply its events in real time
    Serve(ServeArguments),
    /// Put a scenario's faults in front of real providers
    Proxy(ProxyArguments),
    /// Sign the blocks of a development node with a temporary committee, for a wallet's own end-to-end tests
    Attach(AttachArguments),
}

#[derive(Args)]
pub(crate) struct ListArguments {
    /// Print the file of one scenario, as a start for your own
    #[arg(long, value_name = "NAME")]
    pub(crate) file: Option<String>,
    /// One JSON object a line
    #[arg(long, conflicts_with = "file")]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = "\
Exit status: 0 saldo never showed a false amount; 1 it did, or the command itself failed; 2 usage.")]
pub(crate) struct RunArguments {
    /// The name of a built-in scenario, or a file (docs/scenarios.md)
    #[arg(short, long, value_name = "NAME|FILE")]
    pub(crate) scenario: String,
    /// One JSON object a line (schema saldo.drill/1)
    #[arg(long)]
    pub(crate) json: bool,
    /// Also write it as one self-contained web page
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Args)]
#[command(after_help = "\
Runs until interrupted. Events that concern the device are left out: the wallet runs elsewhere.")]
pub(crate) struct ServeArguments {
    /// The name of a built-in scenario, or a file (docs/scenarios.md)
    #[arg(short, long, value_name = "NAME|FILE")]
    pub(crate) scenario: String,
    /// The first port; the other servers take the following ports [default: free ports of 127.0.0.1]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// Write the network file here, with all endpoints, instead of into the temporary folder; it is kept afterwards. The file of a
    /// rollup is written beside it: NAME.toml and NAME.rollup.toml
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// How many times faster than written the events happen; a slot takes at least one second, and a rollup is claimed once a minute at most
    #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) speed: u32,
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = "\
Runs until interrupted. Faults that need a chain of their own are refused: `saldo drill serve` has them.")]
pub(crate) struct ProxyArguments {
    /// The name of a built-in scenario, or a file (docs/scenarios.md)
    #[arg(short, long, value_name = "NAME|FILE")]
    pub(crate) scenario: String,
    /// A real provider; if there are several, the scenario's providers use them in turn
    #[arg(short, long, value_name = "[NAME=]URL", required = true)]
    pub(crate) upstream: Vec<String>,
    /// A real beacon source, used in the same way; without one the scenario's beacon sources are left out
    #[arg(long, value_name = "[NAME=]URL")]
    pub(crate) beacon_upstream: Vec<String>,
    /// The first port; the other servers take the following ports [default: free ports of 127.0.0.1]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// Let web pages of this origin, such as http://localhost:5173, use the servers; may be given several times
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    pub(crate) allow_origin: Vec<String>,
    /// How many times faster than written the events happen
    #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) speed: u32,
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = "\
The newest block is signed again in every slot, with the time of that slot. After cheats that change state
(anvil_setBalance and the like) have the node mine a block: until then its proofs belong to no block.
Exit status: 0 interrupted; 1 no node, or the node was reset; 2 usage, or a network that is built in.")]
pub(crate) struct AttachArguments {
    /// The JSON-RPC URL of the development node (anvil, hardhat, ganache, …)
    #[arg(short, long, value_name = "URL")]
    pub(crate) upstream: String,
    /// The first of the two ports; the other one follows it [default: free ports of 127.0.0.1]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// Let web pages of this origin, such as http://localhost:5173, use the servers; may be given several times
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    pub(crate) allow_origin: Vec<String>,
    /// Write the network file here, with all endpoints, instead of into the temporary folder; it is kept afterwards
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The length of a slot, in whole seconds: a mined block is proven one or two slots later
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_duration)]
    pub(crate) slot: Duration,
    /// Let blocks become final after 16 to 24 slots; after that the node must not go back before them (evm_revert)
    #[arg(long)]
    pub(crate) finality: bool,
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Print each new block
    #[arg(short, long)]
    pub(crate) verbose: bool,
}
