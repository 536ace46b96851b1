//! The command line. URLs are taken as plain strings: clap's own messages would repeat a parsed argument.

use std::net::SocketAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use saldo::Policy;
use saldo_drill::Fork;

use crate::check::CheckArguments;
use crate::drill::arguments::DrillArguments;
use crate::evidence::arguments::EvidenceArguments;
use crate::network::CodesArguments;
use crate::proof::arguments::ProofArguments;
use crate::setup::ClientOptions;
use crate::web::{host_name, origin};

/// Reads what an address holds, and proves it.
#[derive(Parser)]
#[command(name = "saldo", version, about, max_term_width = 100)]
pub(crate) struct Saldo {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Read and prove balances: of the native coin, and of tokens.
    Balance(BalanceArguments),
    /// Check amounts that you have from elsewhere: which of them are true?
    Check(CheckArguments),
    /// Show a token: its code, its proxy, and how its balances can be proven, or why not.
    Token(TokenArguments),
    /// Save a proven balance as a file that another person checks, and check such a file offline.
    Proof(ProofArguments),
    /// Save the false proofs of providers, and check such evidence offline.
    Evidence(EvidenceArguments),
    /// List networks and their endpoints, and make network files.
    Network(NetworkArguments),
    /// Examine the configured endpoints: which work, what is wrong, and which single failure would stop saldo.
    Doctor(DoctorArguments),
    /// Write light-client data as plain files for any web server, content store or disk, and keep the files fresh.
    Mirror(MirrorArguments),
    /// Serve proven answers over JSON-RPC on this machine, for programs in any language.
    Serve(ServeArguments),
    /// Show, on a small signed chain in this process, what saldo says during outages and lies.
    Demo(DemoArguments),
    /// Replay outages and lies: in virtual time, on loopback, or in front of a node of your own.
    Drill(DrillArguments),
}

#[derive(Args)]
#[command(after_help = "\
Environment: SALDO_NETWORK; ETH_RPC_URL, SALDO_L1_RPC_URL, SALDO_RELAY_URL and SALDO_BEACON_URL (lists separated by commas); SALDO_CHECKPOINT;
             options win.
Exit status: 0 everything proven within the age; 1 the command itself failed; 2 usage;
             3 something is not proven, and trying again may help; 4 something is not proven, and you must act.")]
pub(crate) struct BalanceArguments {
    /// Addresses (0x and 40 hexadecimal digits), or `-` to read them from standard input, one a line.
    /// Standard input is read until it ends; --timeout begins then
    #[arg(value_name = "ADDRESS", required = true)]
    pub(crate) addresses: Vec<String>,
    /// Also read the balance of this token, by its contract's address; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) token: Vec<String>,
    /// Also read the tokens of this list (Uniswap schema) on the network. Its symbols and decimals are shown, and not proven
    #[arg(long, value_name = "FILE|URL")]
    pub(crate) token_list: Option<String>,
    #[command(flatten)]
    pub(crate) endpoints: EndpointArguments,
    /// With a rollup: an execution provider of the chain that its contracts are on, instead of the listed ones; may be given several
    /// times. The other endpoints are then the rollup's providers, and that chain's beacon sources and checkpoint
    #[arg(long, value_name = "[NAME=]URL")]
    pub(crate) l1_rpc_url: Vec<String>,
    /// How many operators may see an address at most [default: 2 of the listed ones, all of those you name]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) operators: Option<NonZeroUsize>,
    /// Prove at a finalized block; of a rollup, at one that can no longer be challenged
    #[arg(long)]
    pub(crate) finalized: bool,
    /// How old the block may be [default: 5m, with --finalized 30m; of a rollup 3h, with --finalized 8d]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) max_age: Option<Duration>,
    /// How long to try, and to wait for the committee to sign a block [default: 30s; with --watch, each time 4s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Do not wait for the committee to sign a block: print the present result at once
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// Keep running: print the last known readings at once, and then every change
    #[arg(short, long, conflicts_with_all = ["no_wait", "finalized"])]
    pub(crate) watch: bool,
    /// With `-`: read each address when its line arrives, for a program that writes one after another
    #[arg(long, conflicts_with = "watch")]
    pub(crate) line_by_line: bool,
    /// Store proven readings in this file, and start with the readings stored in it
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,
    /// One JSON object a line (schema saldo.reading/1; with --watch, saldo.change/1)
    #[arg(long)]
    pub(crate) json: bool,
    /// Print only the readings
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Also print which endpoints were asked and where trust starts, and log to standard error
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

impl BalanceArguments {
    /// How long one read may take.
    pub(crate) fn read_timeout(&self) -> Duration {
        let usual = if self.watch { Policy::signed().deadline } else { Duration::from_secs(30) };
        self.timeout.unwrap_or(usual)
    }

    /// What the command wants of its client.
    pub(crate) fn client_options(&self) -> ClientOptions<'_> {
        ClientOptions {
            endpoints: &self.endpoints,
            timeout: self.read_timeout(),
            is_timeout_given: self.timeout.is_some(),
            operators: self.operators,
            is_finalized: self.finalized,
            max_age: self.max_age,
            store: self.store.as_deref(),
            is_quiet: self.quiet || self.json,
        }
    }
}

#[derive(Args)]
#[command(after_help = "\
Environment: as for `saldo balance`; options win.
Exit status: 0 balances of the token can be proven; 1 the command itself failed; 2 usage;
             3 nothing was proven, and trying again may help; 4 its balances cannot be proven, or you must act.")]
pub(crate) struct TokenArguments {
    /// The address of the token's contract
    #[arg(value_name = "ADDRESS")]
    pub(crate) token: String,
    #[command(flatten)]
    pub(crate) endpoints: EndpointArguments,
    /// How long to try
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// One JSON object (schema saldo.token/1)
    #[arg(long)]
    pub(crate) json: bool,
}

impl TokenArguments {
    /// What the command wants of its client.
    pub(crate) fn client_options(&self) -> ClientOptions<'_> {
        ClientOptions { is_quiet: self.json, ..ClientOptions::new(&self.endpoints, self.timeout) }
    }
}

/// The network, its endpoints, and where trust starts.
#[derive(Args)]
pub(crate) struct EndpointArguments {
    /// `mainnet`, `sepolia`, `hoodi`, `gnosis`, or a network file. `saldo balance`, `serve` and `doctor` also take a rollup, such as
    /// `base`. `saldo balance` and `serve` take several, separated by commas, or `all`: the built-in networks, and the rollups for which
    /// you give a provider. Endpoints that name no network, and a checkpoint, are those of the first
    #[arg(short, long, value_name = "NAME|FILE")]
    pub(crate) network: Option<String>,
    /// An execution provider that serves eth_getProof, instead of the listed ones; may be given several times. Of several networks it
    /// can name its own: base:URL
    #[arg(short, long, value_name = "[NETWORK:][NAME=]URL")]
    pub(crate) rpc_url: Vec<String>,
    /// A beacon node that serves light-client data, instead of the listed ones; may be given several times
    #[arg(long, value_name = "[NETWORK:][NAME=]URL")]
    pub(crate) beacon_url: Vec<String>,
    /// With a rollup: a relay of its sequencer's signatures, which answers `GET URL/latest`; may be given several times. What is
    /// provisional says whether the sequencer announced it
    #[arg(long, value_name = "[NETWORK:][NAME=]URL")]
    pub(crate) relay_url: Vec<String>,
    /// A mirror of light-client data (`saldo mirror`), used beside --beacon-url or instead of it; may be given
    /// several times
    #[arg(long, value_name = "[NETWORK:][NAME=]URL|DIR")]
    pub(crate) mirror: Vec<String>,
    /// A file of endpoints. They come before the network's listed ones, or replace those with the same name
    #[arg(long, value_name = "FILE")]
    pub(crate) providers: Option<String>,
    /// The finalized beacon block that trust starts from, instead of one that the listed sources agree on
    #[arg(long, value_name = "ROOT[@SLOT]")]
    pub(crate) checkpoint: Option<String>,
}

#[derive(Args)]
#[command(after_help = "\
Environment: as for `saldo balance`; options win.
Exit status: 0 a balance can be proven now (single points of failure are warnings); 1 the command itself failed; 2 usage;
             3 no balance can be proven, and trying again may help; 4 no balance can be proven, and you must act.")]
pub(crate) struct DoctorArguments {
    #[command(flatten)]
    pub(crate) endpoints: EndpointArguments,
    /// With a rollup: an execution provider of the chain that its contracts are on, instead of the listed ones; may be given several
    /// times. The other endpoints are then the rollup's providers, and that chain's beacon sources and checkpoint
    #[arg(long, value_name = "[NAME=]URL")]
    pub(crate) l1_rpc_url: Vec<String>,
    /// How long the whole examination may take
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// One JSON object (schema saldo.doctor/1)
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = "\
Environment: SALDO_NETWORK, SALDO_BEACON_URL, SALDO_CHECKPOINT; options win.
Exit status: 0 the newest heads are in the mirror; 1 the command itself failed; 2 usage; 3 no source gave a head that verifies.")]
pub(crate) struct MirrorArguments {
    /// The folder to write to; created if it does not exist
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// `mainnet`, `sepolia`, `hoodi`, `gnosis`, or a network file
    #[arg(short, long, value_name = "NAME|FILE")]
    pub(crate) network: Option<String>,
    /// A beacon node that serves light-client data, instead of the listed ones; may be given several times
    #[arg(long, value_name = "[NAME=]URL")]
    pub(crate) beacon_url: Vec<String>,
    /// Another mirror to read from, used beside --beacon-url or instead of it; may be given several times
    #[arg(long, value_name = "[NAME=]URL|DIR")]
    pub(crate) mirror: Vec<String>,
    /// The finalized beacon block to verify from [default: that of the newest bootstrap in DIR, else the network's
    /// own]
    #[arg(long, value_name = "ROOT[@SLOT]")]
    pub(crate) checkpoint: Option<String>,
    /// Write only the updates of this many periods, including the present one [default: all from the checkpoint on]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) periods: Option<NonZeroU64>,
    /// Refresh once and stop; this is the default without --every
    #[arg(long, conflicts_with = "every")]
    pub(crate) once: bool,
    /// Refresh repeatedly, with this pause
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) every: Option<Duration>,
    /// How long the requests of one refresh may take
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// One JSON object for each refresh
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct NetworkArguments {
    #[command(subcommand)]
    pub(crate) command: NetworkCommand,
}

#[derive(Subcommand)]
pub(crate) enum NetworkCommand {
    /// Show the networks that are built in
    List(ListArguments),
    /// Show a network: its forks and its endpoints; or a rollup: its contracts, and what is known of them
    Show(ShowArguments),
    /// Print a network file with a checkpoint, read from a beacon node that you trust (for development chains)
    Import(ImportArguments),
    /// Read which codes the contracts of a rollup run, proven on its L1, and write a profile that names them
    Codes(CodesArguments),
}

#[derive(Args)]
pub(crate) struct ListArguments {
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct ShowArguments {
    /// `mainnet`, `sepolia`, `hoodi`, `gnosis`, a rollup such as `base`, or the file of a network or a rollup
    #[arg(value_name = "NAME|FILE")]
    pub(crate) network: String,
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct ImportArguments {
    /// The beacon node that gives the network's parameters and its newest finalized block
    #[arg(long, value_name = "URL")]
    pub(crate) beacon_url: String,
    /// How long the import may take
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// Errors as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = "\
A program needs one change: its URL becomes http://127.0.0.1:8545 (or ws://). What is not proven is an error, never 0.
Environment: as for `saldo balance`; options win.
Exit status: 0 stopped by Ctrl-C, SIGTERM or SIGHUP; 1 the command itself failed; 2 usage.")]
pub(crate) struct ServeArguments {
    /// The address to listen at. Other machines reach it only if it is theirs to reach, and --allow-host is given
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8545")]
    pub(crate) listen: SocketAddr,
    #[command(flatten)]
    pub(crate) endpoints: EndpointArguments,
    /// Also serve this network, or this rollup, at a path of its name; may be given several times. It has its listed endpoints, unless
    /// some name it
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) also: Vec<String>,
    /// With a rollup: an execution provider of the chain that its contracts are on, instead of the listed ones; may be given several
    /// times. The other endpoints are then the rollup's providers, and that chain's beacon sources and checkpoint
    #[arg(long, value_name = "[NAME=]URL")]
    pub(crate) l1_rpc_url: Vec<String>,
    /// Ask this provider, without proof, what cannot be proven: fees, logs, receipts, sending. The name of a known provider,
    /// or another one. Such answers name it
    #[arg(long, value_name = "NAME|[NAME=]URL")]
    pub(crate) pass_through: Option<String>,
    /// A host name that requests may be for, besides this machine's own; may be given several times
    #[arg(long, value_name = "HOST", value_parser = host_name)]
    pub(crate) allow_host: Vec<String>,
    /// The origin of web pages that may ask; may be given several times [default: no page may]
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    pub(crate) allow_origin: Vec<String>,
    /// Also tell Prometheus what is counted, at http://IP:PORT/metrics, for example 127.0.0.1:9464
    #[cfg(feature = "metrics")]
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) metrics: Option<SocketAddr>,
    /// How many connections there may be at a time
    #[arg(long, value_name = "NUMBER", default_value = "1024")]
    pub(crate) connections: NonZeroUsize,
    /// How many operators may see an address at most [default: 2 of the listed ones, all of those you name]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) operators: Option<NonZeroUsize>,
    /// How old the newest block may be [default: 5m; of a rollup 3h]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) max_age: Option<Duration>,
    /// How long one answer may take
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// One JSON object for each network, once it is served
    #[arg(long)]
    pub(crate) json: bool,
    /// Log to standard error
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

#[derive(Args)]
pub(crate) struct DemoArguments {
    /// The fork that the chain is at, from capella to gloas
    #[arg(long, value_name = "NAME", default_value = "fulu", value_parser = proving_fork)]
    pub(crate) fork: Fork,
    /// Show this scenario of the drill instead, as `saldo drill run` does, for example rollup-stopped
    #[arg(short, long, value_name = "NAME|FILE", conflicts_with_all = ["fork", "keep"])]
    pub(crate) scenario: Option<String>,
    /// Also write the scenario as one self-contained web page
    #[arg(long, value_name = "FILE", requires = "scenario")]
    pub(crate) html: Option<PathBuf>,
    /// Keep the chain, the providers and the sources running afterwards, and print how to reach them
    #[arg(long)]
    pub(crate) keep: bool,
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Reads the name of a fork whose heads commit to the execution chain.
fn proving_fork(text: &str) -> Result<Fork, &'static str> {
    let fork = Fork::from_name(text).filter(|fork| *fork >= Fork::Capella);
    fork.ok_or("expected capella, deneb, electra, fulu or gloas")
}

/// Reads `500ms`, `30s`, `5m`, `2h` or `1d`.
pub(crate) fn duration(text: &str) -> Result<Duration, &'static str> {
    const EXPECTED: &str = "expected a whole number and a unit, such as 500ms, 30s, 5m, 2h or 1d";
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| EXPECTED)?;
    let millis = match text.strip_prefix(digits) {
        Some("ms") => 1,
        Some("s") => 1_000,
        Some("m") => 60_000,
        Some("h") => 3_600_000,
        Some("d") => 86_400_000,
        _ => return Err(EXPECTED),
    };
    number.checked_mul(millis).map(Duration::from_millis).ok_or("that is too long")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        for wrong in
            ["", "5", "m", "1.5s", "-1s", "5 m", "5y", "99999999999999999999s", "9999999999999999999d"]
        {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn forks_before_capella_are_refused() {
        assert_eq!(proving_fork("Gloas"), Ok(Fork::Gloas));
        assert_eq!(proving_fork("capella"), Ok(Fork::Capella));
        assert!(proving_fork("bellatrix").is_err() && proving_fork("heze").is_err());
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Saldo::command().debug_assert();
    }
}
