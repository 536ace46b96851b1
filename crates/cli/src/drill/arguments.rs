//! The command line of `saldo drill`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use saldo_drill::scenario::parse_duration;

#[derive(Args)]
pub(crate) struct DrillArguments {
    #[command(subcommand)]
    pub(crate) command: DrillCommand,
}

#[derive(Subcommand)]
pub(crate) enum DrillCommand {
    /// Show the scenarios that are built in
    List(ListArguments),
    /// Run saldo, and a wallet that believes the first reply, through a scenario, in virtual time
    Run(RunArguments),
    /// Serve a scenario's providers and beacon sources on loopback, while it happens to them
    Serve(ServeArguments),
    /// Put a scenario's faults in front of real providers
    Proxy(ProxyArguments),
    /// Have a throwaway committee sign the blocks of a development node, for a wallet's own end-to-end tests
    Attach(AttachArguments),
}

#[derive(Args)]
pub(crate) struct ListArguments {
    /// Print the file of one scenario, to change it
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
    /// Also draw it as one web page that needs nothing else
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Args)]
#[command(after_help = "\
Ends when interrupted. What a scenario does to the device does not happen: the wallet is not in it.")]
pub(crate) struct ServeArguments {
    /// The name of a built-in scenario, or a file (docs/scenarios.md)
    #[arg(short, long, value_name = "NAME|FILE")]
    pub(crate) scenario: String,
    /// The first of the ports, the others follow it [default: free ones of 127.0.0.1]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// How many times faster than written it happens; a slot takes at least a second
    #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) speed: u32,
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = "\
Ends when interrupted. What only somebody with a chain of its own could do is refused: `saldo drill serve` does it.")]
pub(crate) struct ProxyArguments {
    /// The name of a built-in scenario, or a file (docs/scenarios.md)
    #[arg(short, long, value_name = "NAME|FILE")]
    pub(crate) scenario: String,
    /// A real provider; of several, the scenario's providers take theirs in turn
    #[arg(short, long, value_name = "[NAME=]URL", required = true)]
    pub(crate) upstream: Vec<String>,
    /// A real beacon source, likewise; without one the scenario's beacon sources are left out
    #[arg(long, value_name = "[NAME=]URL")]
    pub(crate) beacon_upstream: Vec<String>,
    /// The first of the ports, the others follow it [default: free ones of 127.0.0.1]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// How many times faster than written it happens
    #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) speed: u32,
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = "\
The newest block is signed again in every slot and bears the time of that slot. After cheats that change state
(anvil_setBalance and the like) have the node mine a block: until then its proofs belong to no block.
Exit status: 0 interrupted; 1 no node, or the node was reset; 2 usage, or a network that is built in.")]
pub(crate) struct AttachArguments {
    /// The JSON-RPC URL of the development node (anvil, hardhat, ganache, …)
    #[arg(short, long, value_name = "URL")]
    pub(crate) upstream: String,
    /// The first of the two ports, the other follows it [default: free ones of 127.0.0.1]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// How long a slot is, in whole seconds: what was mined is proven one or two slots later
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_duration)]
    pub(crate) slot: Duration,
    /// Let blocks become final after 16 to 24 slots; the node must not go back before them then (evm_revert)
    #[arg(long)]
    pub(crate) finality: bool,
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Say each new block
    #[arg(short, long)]
    pub(crate) verbose: bool,
}
