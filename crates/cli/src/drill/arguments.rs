//! The command line of `saldo drill`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

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
