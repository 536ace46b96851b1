//! From arguments and environment to a client.

mod endpoints;

use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use saldo::{
    BuildError, Checkpoint, Client, ClientBuilder, Directory, Endpoint, Level, Network, Policy, RedbStorage,
    StorageError, StorageFault,
};
use saldo_source::{HttpTransport, SetupError};

pub(crate) use self::endpoints::{EndpointChoice, endpoint};

use self::endpoints::{endpoints, mirror};
use crate::arguments::EndpointArguments;
use crate::chain_id::ChainCheck;
use crate::exchanged::ExchangeCheck;
use crate::failure::CommandFailure;
use crate::file::{self, PATIENCE};
use crate::say::say;

/// What a command wants of its client.
pub(crate) struct ClientOptions<'a> {
    pub(crate) endpoints: &'a EndpointArguments,
    /// How long one read may take.
    pub(crate) timeout: Duration,
    pub(crate) operators: Option<NonZeroUsize>,
    pub(crate) is_finalized: bool,
    pub(crate) max_age: Option<Duration>,
    /// The file of `--store`.
    pub(crate) store: Option<&'a Path>,
    /// Whether notes for people are left out.
    pub(crate) is_quiet: bool,
}

impl<'a> ClientOptions<'a> {
    /// Asks for nothing but the endpoints and the time of one read.
    pub(crate) fn new(endpoints: &'a EndpointArguments, timeout: Duration) -> Self {
        Self {
            endpoints,
            timeout,
            operators: None,
            is_finalized: false,
            max_age: None,
            store: None,
            is_quiet: false,
        }
    }
}

/// Builds a client from the arguments and, where they give nothing, from the environment. With it come the check of the chain
/// id, if the network is from a file, and the check for exchanged URLs.
///
/// # Errors
/// A usage failure that names what is missing or wrong, but never repeats a URL.
pub(crate) fn client(
    options: &ClientOptions<'_>,
) -> Result<(Client, Option<ChainCheck>, ExchangeCheck), CommandFailure> {
    build(choose(options.endpoints, options.timeout)?, options)
}

/// Builds a client of what was chosen.
///
/// # Errors
/// A usage failure that names what is missing or wrong, but never repeats a URL.
pub(crate) fn build(
    chosen: Chosen,
    options: &ClientOptions<'_>,
) -> Result<(Client, Option<ChainCheck>, ExchangeCheck), CommandFailure> {
    let (mut builder, check, exchange) = builder(chosen, options)?;
    if let Some(path) = options.store {
        builder = builder.storage(store(path)?);
    }
    let client = builder.build().map_err(|error| build_failure(&error))?;
    Ok((client, check, exchange))
}

/// The checks of one network: of its chain id, if it is from a file, and for exchanged URLs.
pub(crate) type Checks = (Option<ChainCheck>, ExchangeCheck);

/// Builds one client of all networks that were chosen. With it come the checks of each, in their order.
///
/// # Errors
/// A usage failure that names what is missing or wrong, but never repeats a URL.
pub(crate) fn build_all(
    chosen: Vec<Chosen>,
    options: &ClientOptions<'_>,
) -> Result<(Client, Vec<Checks>), CommandFailure> {
    let (mut all, mut checks): (Option<ClientBuilder>, Vec<_>) = (None, Vec::new());
    for chosen in chosen {
        let (builder, check, exchange) = builder(chosen, options)?;
        checks.push((check, exchange));
        all = Some(match all {
            None => builder,
            Some(all) => all.and(builder),
        });
    }
    let mut all = all.ok_or_else(unknown_network)?;
    if let Some(path) = options.store {
        all = all.storage(store(path)?);
    }
    Ok((all.build().map_err(|error| build_failure(&error))?, checks))
}

fn builder(
    chosen: Chosen,
    options: &ClientOptions<'_>,
) -> Result<(ClientBuilder, Option<ChainCheck>, ExchangeCheck), CommandFailure> {
    let Chosen { network, is_own, rpc, beacon, checkpoint, checkpoint_sources } = chosen;
    let name = network.name().to_owned();
    if rpc.endpoints.is_empty() {
        return Err(CommandFailure::usage(
            "no_provider",
            format!("no execution provider is known for {name}"),
            "Give at least one with --rpc-url, or in ETH_RPC_URL; several providers of different operators survive an outage.",
        ));
    }
    if beacon.endpoints.is_empty() {
        return Err(CommandFailure::usage(
            "no_beacon_source",
            format!("no beacon source is known for {name}"),
            "Give at least one beacon node that serves light-client data with --beacon-url, or in SALDO_BEACON_URL, or a mirror with --mirror.",
        ));
    }
    // A given checkpoint needs no agreement of sources.
    let sources = if checkpoint.is_some() { Vec::new() } else { checkpoint_sources };
    if checkpoint.is_none() && sources.is_empty() && network.checkpoint().is_none() {
        return Err(CommandFailure::usage(
            "no_checkpoint",
            format!("no checkpoint is known for {name}"),
            "Give the root of a finalized beacon block from a source you trust with --checkpoint, or in SALDO_CHECKPOINT.",
        ));
    }

    let policy = policy(options, &rpc);
    if rpc.is_listed() && !options.is_quiet {
        say(rpc.notice(policy.operators_per_address));
    }
    let check = is_own.then(|| ChainCheck::new(network.chain_id(), &rpc.endpoints));
    let exchange = ExchangeCheck::new(&rpc.endpoints, &beacon.endpoints);
    let mut builder = Client::builder(network).policy(policy);
    if let Some(checkpoint) = checkpoint {
        builder = builder.checkpoint(checkpoint);
    }
    for source in sources {
        builder = builder.checkpoint_source(source);
    }
    builder = rpc.endpoints.into_iter().fold(builder, |builder, endpoint| builder.rpc(endpoint));
    builder = beacon.endpoints.into_iter().fold(builder, |builder, endpoint| builder.beacon(endpoint));
    Ok((builder, check, exchange))
}

fn policy(options: &ClientOptions<'_>, rpc: &EndpointChoice) -> Policy {
    let base = if options.is_finalized { Policy::finalized() } else { Policy::signed() };
    let operators_per_address = match options.operators {
        Some(operators) => operators.get(),
        None if rpc.is_listed() => base.operators_per_address,
        // A user who names providers lets all of them see the address.
        None => usize::MAX,
    };
    let policy = Policy {
        max_age: options.max_age.unwrap_or(base.max_age),
        deadline: options.timeout,
        operators_per_address,
        // The user chose this number, or the notice states it as the maximum: the limit must hold.
        strict: rpc.is_listed() || options.operators.is_some(),
        ..base
    };
    debug_assert!(!options.is_finalized || policy.assurance == Level::Finalized);
    policy
}

fn build_failure(error: &BuildError) -> CommandFailure {
    let next = match error {
        BuildError::Proxy(_) => return proxy_failure(error),
        BuildError::Storage(_) => {
            "Give another file with --store, or name the network first that is first in it."
        }
        BuildError::SameNetwork { .. } => "Name each network once after --network.",
        BuildError::TooFewCheckpointOperators { .. } => {
            "Give a checkpoint with --checkpoint, or more [[checkpoint_source]] entries."
        }
        _ => "Give names with NAME=URL if two providers have the same host, or if two mirrors are folders.",
    };
    CommandFailure::usage("setup", error, next)
}

/// The default HTTP transport.
///
/// # Errors
/// A [`CommandFailure`] if a proxy variable cannot be understood, or TLS cannot be set up.
pub(crate) fn http_transport() -> Result<HttpTransport, CommandFailure> {
    HttpTransport::new().map_err(|error| match error {
        SetupError::Proxy(error) => proxy_failure(&error),
        _ => CommandFailure::internal(error, "Check this machine's certificates, or SSL_CERT_FILE."),
    })
}

fn proxy_failure(error: &dyn std::fmt::Display) -> CommandFailure {
    let next = "Correct the variable, or unset it to ask without a proxy.";
    CommandFailure::usage("proxy", error, next)
}

/// Opens the file of `--store`. One that cannot be written is used for reading.
fn store(path: &Path) -> Result<RedbStorage, CommandFailure> {
    RedbStorage::open(path).or_else(|error| match RedbStorage::read_only(path) {
        Ok(storage) if is_write_protected(error) => {
            say(format_args!(
                "{}: the file cannot be written: this run starts with what is in it, and stores nothing",
                path.display()
            ));
            Ok(storage)
        }
        _ => {
            let detail = format!("the file of --store cannot be used: {error}");
            Err(CommandFailure::usage("store", detail, next_step_of_store(error)))
        }
    })
}

fn is_write_protected(error: StorageError) -> bool {
    matches!(error, StorageError::Io { kind: ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem })
}

fn next_step_of_store(error: StorageError) -> &'static str {
    match error {
        StorageError::InUse => "End the other `saldo` that uses this file, or give another file.",
        StorageError::Damaged => {
            "Delete the file, or give another one: everything in it can be proven again."
        }
        _ if error.is_full() => "Free some space, or give a file on another disk.",
        StorageError::Io { kind: ErrorKind::IsADirectory } => "Name a file in that folder.",
        StorageError::NotAFile => "Give a regular file after --store.",
        _ => "Check the path after --store.",
    }
}

/// The next step for something that was dropped from the file of `--store`, or could not be written.
pub(crate) fn next_step_of(fault: &StorageFault) -> &'static str {
    match fault {
        StorageFault::Unwritten(error) if error.is_full() => {
            "Free some space: what is proven now is not stored for the next run."
        }
        StorageFault::Unwritten(error) | StorageFault::Unreadable(error) => next_step_of_store(*error),
        StorageFault::Refused(_) => "Give another file with --store: one for each network.",
        _ => "Nothing to do: it is proven again.",
    }
}

/// The configuration: from the arguments, else the environment, else the directory.
pub(crate) struct Chosen {
    pub(crate) network: Network,
    /// Whether the network is from a file.
    pub(crate) is_own: bool,
    pub(crate) rpc: EndpointChoice,
    pub(crate) beacon: EndpointChoice,
    /// The checkpoint that the user gave.
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) checkpoint_sources: Vec<Endpoint>,
}

/// Chooses the network and its endpoints. Waits for each file at most `patience`, and at most [`PATIENCE`].
///
/// # Errors
/// A usage failure that names what is wrong, but never repeats a URL.
pub(crate) fn choose(arguments: &EndpointArguments, patience: Duration) -> Result<Chosen, CommandFailure> {
    choose_named(arguments, &name_of_network(arguments), patience)
}

/// Chooses all networks that `--network` names. The endpoints and the checkpoint of the other options and of the environment are those
/// of the first; the others have their listed endpoints, and those of their files.
///
/// # Errors
/// A usage failure that names what is wrong, but never repeats a URL.
pub(crate) fn choose_all(
    arguments: &EndpointArguments,
    patience: Duration,
) -> Result<Vec<Chosen>, CommandFailure> {
    let text = match name_of_network(arguments) {
        all if all == "all" => Network::built_in().map(|network| network.name().to_owned()).join(","),
        named => named,
    };
    if !text.contains(',') || Path::new(&text).exists() {
        return Ok(vec![choose_named(arguments, &text, patience)?]);
    }
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty()).enumerate();
    let chosen = names.map(|(place, name)| match place {
        0 => choose_named(arguments, name, patience),
        _ => choose_listed(name, patience),
    });
    chosen.collect()
}

fn name_of_network(arguments: &EndpointArguments) -> String {
    arguments.network.clone().or_else(|| variable("SALDO_NETWORK")).unwrap_or("mainnet".into())
}

fn choose_named(
    arguments: &EndpointArguments,
    text: &str,
    patience: Duration,
) -> Result<Chosen, CommandFailure> {
    let patience = patience.min(PATIENCE);
    let (network, mut directory) = network(text, patience)?;
    if let Some(path) = &arguments.providers {
        directory = directory.extended_by(providers(path, patience)?);
    }
    let rpc =
        EndpointChoice::new(endpoints(&arguments.rpc_url, "ETH_RPC_URL", "--rpc-url")?, directory.rpc());
    let mut sources = endpoints(&arguments.beacon_url, "SALDO_BEACON_URL", "--beacon-url")?;
    let mirrors = arguments.mirror.iter().zip(1..).map(|(text, position)| mirror(text, position));
    sources.extend(mirrors.collect::<Result<Vec<_>, _>>()?);
    let beacon = EndpointChoice::new(sources, directory.beacon());
    let checkpoint = arguments.checkpoint.clone().or_else(|| variable("SALDO_CHECKPOINT"));
    let checkpoint = checkpoint.map(|text| text.parse::<Checkpoint>()).transpose().map_err(|error| {
        let next = "Copy the checkpoint again: --checkpoint ROOT or ROOT@SLOT.";
        CommandFailure::usage("not_a_checkpoint", error, next)
    })?;
    let checkpoint_sources = directory.checkpoint_sources().iter().map(|listed| listed.endpoint().clone());
    let checkpoint_sources = checkpoint_sources.collect();
    let is_own = Network::named(text).is_none();
    Ok(Chosen { network, is_own, rpc, beacon, checkpoint, checkpoint_sources })
}

/// Chooses the network `text` with its listed endpoints, whatever the environment says.
///
/// # Errors
/// A usage failure that names what is wrong, but never repeats a URL.
pub(crate) fn choose_listed(text: &str, patience: Duration) -> Result<Chosen, CommandFailure> {
    let (network, directory) = network(text, patience.min(PATIENCE))?;
    let checkpoint_sources = directory.checkpoint_sources().iter().map(|listed| listed.endpoint().clone());
    Ok(Chosen {
        is_own: Network::named(text).is_none(),
        network,
        rpc: EndpointChoice::new(Vec::new(), directory.rpc()),
        beacon: EndpointChoice::new(Vec::new(), directory.beacon()),
        checkpoint: None,
        checkpoint_sources: checkpoint_sources.collect(),
    })
}

/// The network called `text`, or the one in the file at that path, and its endpoints. Errors do not repeat `text`: it
/// may be a URL by mistake.
///
/// # Errors
/// A usage failure.
pub(crate) fn network(text: &str, patience: Duration) -> Result<(Network, Directory), CommandFailure> {
    if let Some(network) = Network::named(text) {
        let directory = Directory::of(&network);
        return Ok((network, directory));
    }
    if !text.contains(['/', '.']) {
        return Err(unknown_network());
    }
    let file = file::read_text(text, patience).map_err(|error| {
        let next = "Check the path; `saldo network import` makes a network file from a beacon node.";
        CommandFailure::usage("network_file", format!("the network file cannot be read: {error}"), next)
    })?;
    let unusable = |error: &dyn std::fmt::Display| {
        let mut detail = format!("the network file cannot be used: {error}");
        if detail.contains("://") {
            "the network file cannot be used: it holds a URL".clone_into(&mut detail);
        }
        CommandFailure::usage("network_file", detail, "Correct the file, or import it again.")
    };
    let network = Network::from_toml(&file).map_err(|error| unusable(&error))?;
    let own = Directory::from_toml(&file).map_err(|error| unusable(&error))?;
    let directory = Directory::of(&network).extended_by(own);
    Ok((network, directory))
}

fn unknown_network() -> CommandFailure {
    CommandFailure::usage(
        "unknown_network",
        "no network of that name is built in",
        "Use mainnet, sepolia, hoodi or gnosis, or a network file; `saldo network import` makes one from a beacon node.",
    )
}

fn providers(path: &str, patience: Duration) -> Result<Directory, CommandFailure> {
    let file = file::read_text(path, patience).map_err(|error| {
        let detail = format!("the file of providers cannot be read: {error}");
        CommandFailure::usage("providers_file", detail, "Check the path after --providers.")
    })?;
    Directory::from_toml(&file).map_err(|error| {
        let detail = format!("the file of providers cannot be used: {error}");
        CommandFailure::usage(
            "providers_file",
            detail,
            "Write [[rpc]], [[beacon]] and [[checkpoint_source]] tables.",
        )
    })
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}
