//! From arguments and environment to a client.

mod choice;
mod endpoints;
mod given;
mod named;
mod policy;
mod rollup;

use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use saldo::{BuildError, Client, ClientBuilder, Endpoint, Profile, RedbStorage, StorageError, StorageFault};
use saldo_source::{HttpTransport, SetupError};

pub(crate) use self::choice::{Choice, Choices, Chosen, ChosenRollup, choose, choose_all};
pub(crate) use self::endpoints::{EndpointChoice, endpoint};
pub(crate) use self::named::{Named, NamedNetwork, named, network};
pub(crate) use self::rollup::{choose_one, choose_rollup, no_provider};

use crate::arguments::EndpointArguments;
use crate::chain_id::ChainCheck;
use crate::exchanged::ExchangeCheck;
use crate::failure::CommandFailure;
use crate::say::say;

/// What a command wants of its client.
pub(crate) struct ClientOptions<'a> {
    pub(crate) endpoints: &'a EndpointArguments,
    /// How long one read may take.
    pub(crate) timeout: Duration,
    /// Whether the user gave that time. Else a network that needs longer has it.
    pub(crate) is_timeout_given: bool,
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
            is_timeout_given: true,
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

/// One of the networks that a command reads, once the client is built.
pub(crate) enum Built {
    /// A network of the client, with its checks; `None` for a network that the user did not name.
    Network(Option<Checks>),
    /// A rollup that the user named, for which no provider is known. It is shown, and is no network of the client.
    Lacking(Box<Profile>),
}

/// Builds one client of all networks that were chosen. With it come all of them, in their order.
///
/// # Errors
/// A usage failure that names what is missing or wrong, but never repeats a URL.
pub(crate) fn build_all(
    chosen: Choices,
    options: &ClientOptions<'_>,
) -> Result<(Client, Vec<Built>), CommandFailure> {
    if !chosen.left_out.is_empty() && !options.is_quiet {
        say(rollup::left_out(&chosen.left_out));
    }
    let chosen = rollup::without_idle_l1s(chosen.all)?;
    let sources: Vec<(u64, Vec<Endpoint>)> = chosen.iter().filter_map(Choice::sources).collect();
    let (mut all, mut built): (Option<ClientBuilder>, Vec<_>) = (None, Vec::new());
    for choice in chosen {
        let (builder, own) = match choice {
            Choice::Network(chosen) => {
                let is_named = chosen.is_named;
                let (builder, check, exchange) = builder(*chosen, options)?;
                (builder, is_named.then_some((check, exchange)))
            }
            Choice::Rollup(chosen) if chosen.rpc.endpoints.is_empty() => {
                built.push(Built::Lacking(Box::new(chosen.profile)));
                continue;
            }
            Choice::Rollup(chosen) => {
                let l1 = sources.iter().find(|(chain_id, _)| *chain_id == chosen.profile.l1_chain_id());
                let of_l1 = l1.map_or(&[][..], |(_, sources)| sources);
                let (builder, checks) = rollup::builder(*chosen, of_l1, options);
                (builder, Some(checks))
            }
        };
        built.push(Built::Network(own));
        all = Some(match all {
            None => builder,
            Some(all) => all.and(builder),
        });
    }
    let mut all = all.ok_or_else(named::unknown)?;
    if let Some(path) = options.store {
        all = all.storage(store(path)?);
    }
    Ok((all.build().map_err(|error| build_failure(&error))?, built))
}

fn builder(
    chosen: Chosen,
    options: &ClientOptions<'_>,
) -> Result<(ClientBuilder, Option<ChainCheck>, ExchangeCheck), CommandFailure> {
    let Chosen { network, is_own, is_named, rpc, rpc_option, beacon, checkpoint, checkpoint_sources } =
        chosen;
    let name = network.name().to_owned();
    if rpc.endpoints.is_empty() {
        return Err(CommandFailure::usage(
            "no_provider",
            format!("no execution provider is known for {name}"),
            format!(
                "Give at least one with {rpc_option}; several providers of different operators survive an outage."
            ),
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

    let policy = policy::of_network(options, &rpc, is_named);
    // The L1 of a rollup is asked about contracts, and sees no address of the user.
    if rpc.is_listed() && is_named && !options.is_quiet {
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
