//! `saldo network`: the known networks and their endpoints, and what is known of rollups.

mod codes;
mod rollup;

use std::fmt::Write;

use saldo::{Directory, Listed, Network, Profile, UnixTime};
use serde_json::{Value, json};

use crate::arguments::{NetworkArguments, NetworkCommand};
use crate::failure::CommandFailure;
use crate::file::PATIENCE;
use crate::setup::{Named, named};
use crate::{import, print};

pub(crate) use codes::CodesArguments;

const NOT_PROBED: &str = "documented, not probed";

/// Runs the subcommand.
///
/// # Errors
/// A [`CommandFailure`] that says what the command could not do.
pub(crate) async fn run(arguments: NetworkArguments) -> Result<u8, CommandFailure> {
    match arguments.command {
        NetworkCommand::Import(arguments) => return import::run(arguments).await,
        NetworkCommand::Codes(arguments) => return codes::run(arguments).await,
        NetworkCommand::List(arguments) => {
            for network in Network::built_in().into_iter().chain([Network::gnosis()]) {
                let directory = Directory::of(&network);
                print(&if arguments.json {
                    object(&network, &directory).to_string()
                } else {
                    line(&network, &directory)
                })?;
            }
            for profile in Profile::built_in() {
                print(&if arguments.json {
                    rollup::object(&profile).to_string()
                } else {
                    rollup::line(&profile)
                })?;
            }
        }
        NetworkCommand::Show(arguments) => {
            let shown = match (named(&arguments.network, PATIENCE)?, arguments.json) {
                (Named::Network(named), true) => object(&named.network, &named.directory).to_string(),
                (Named::Network(named), false) => text(&named.network, &named.directory),
                (Named::Rollup(named), true) => rollup::object(&named.profile).to_string(),
                (Named::Rollup(named), false) => rollup::text(&named.profile),
            };
            print(&shown)?;
        }
    }
    Ok(0)
}

/// The three kinds of endpoints: JSON key, name for people, and list.
fn kinds(directory: &Directory) -> [(&'static str, &'static str, &[Listed]); 3] {
    [
        ("rpc", "execution providers", directory.rpc()),
        ("beacon", "beacon sources", directory.beacon()),
        ("checkpoint_sources", "checkpoint sources", directory.checkpoint_sources()),
    ]
}

fn line(network: &Network, directory: &Directory) -> String {
    let counts = kinds(directory).map(|(_, what, list)| format!("{} {what}", list.len())).join(", ");
    format!("{:<12} chain {:<8}  {counts} ({NOT_PROBED})", network.name(), network.chain_id())
}

fn text(network: &Network, directory: &Directory) -> String {
    let mut text = format!(
        "{}\n  chain {}, genesis {}, slots of {} ms",
        network.name(),
        network.chain_id(),
        network.genesis_time(),
        network.slot_duration().as_millis(),
    );
    if let Some(checkpoint) = network.checkpoint() {
        let _ = write!(text, "\n  checkpoint {checkpoint}");
    }
    text.push_str("\n\nforks");
    for fork in network.forks() {
        let _ = match fork.epoch().map(|epoch| (epoch, start(network, epoch.get()))) {
            Some((epoch, start)) => {
                write!(text, "\n  {:<10} epoch {epoch:<8}  {}", fork.name(), UnixTime::from_secs(start))
            }
            None => write!(text, "\n  {:<10} no epoch yet", fork.name()),
        };
    }
    for (kind, what, list) in kinds(directory) {
        let _ = write!(text, "\n\n{what} ({NOT_PROBED})");
        if list.is_empty() {
            text.push_str("\n  none");
        }
        let width = list.iter().map(|listed| listed.endpoint().id().as_str().len()).max().unwrap_or(0);
        for listed in list {
            entry(&mut text, kind, listed, width);
        }
    }
    text
}

fn entry(text: &mut String, kind: &str, listed: &Listed, width: usize) {
    let endpoint = listed.endpoint();
    let _ = write!(text, "\n  {:<width$}  {}", endpoint.id(), operator(listed));
    if let Some(host) = public_host(listed) {
        let _ = write!(text, ", {host}");
    }
    for (what, remark) in remarks(kind, listed) {
        let _ = write!(text, "\n    {what:<13}  {remark}");
    }
}

fn object(network: &Network, directory: &Directory) -> Value {
    let forks = network.forks().iter().map(|fork| {
        json!({
            "name": fork.name(),
            "epoch": fork.epoch().map(|epoch| epoch.get()),
            "starts": fork.epoch().map(|epoch| start(network, epoch.get())),
            "max_checkpoint_age_epochs": fork.max_checkpoint_age_epochs(),
        })
    });
    let mut object = json!({
        "schema": "saldo.network/1",
        "name": network.name(),
        "chain_id": network.chain_id(),
        "genesis_time": network.genesis_time().as_secs(),
        "genesis_validators_root": network.genesis_validators_root(),
        "max_checkpoint_age_epochs": network.max_checkpoint_age_epochs(),
        "checkpoint": network.checkpoint().map(ToString::to_string),
        "forks": forks.collect::<Vec<_>>(),
        "endpoints_are": NOT_PROBED,
    });
    if let Some(fields) = object.as_object_mut() {
        for (kind, _, list) in kinds(directory) {
            let list = list.iter().map(|listed| listed_object(kind, listed));
            fields.insert(kind.to_owned(), list.collect());
        }
    }
    object
}

fn listed_object(kind: &str, listed: &Listed) -> Value {
    let mut object = json!({
        "name": listed.endpoint().id().as_str(),
        "host": public_host(listed),
        "operator": operator(listed),
        "built_in": listed.is_built_in(),
    });
    if let Some(fields) = object.as_object_mut() {
        for (what, remark) in remarks(kind, listed) {
            fields.insert(what.to_owned(), remark.into());
        }
    }
    object
}

/// What is documented of an endpoint of that kind. The page is shown only for built-in endpoints: in a user's file it
/// may hold a secret.
fn remarks(kind: &str, listed: &Listed) -> Vec<(&'static str, String)> {
    let mut remarks = Vec::new();
    if let (true, Some(page), Some(day)) = (listed.is_built_in(), listed.documented_on(), listed.read_on()) {
        remarks.extend([("documented_on", page.to_owned()), ("read_on", day.to_owned())]);
    }
    match kind {
        "rpc" => remarks.push(("get_proof", listed.get_proof().to_owned())),
        "beacon" => remarks.push(("light_client", listed.light_client().to_owned())),
        _ => {}
    }
    let hosting = listed.endpoint().hosted_by().unwrap_or(Listed::UNKNOWN);
    remarks.extend([("hosting", hosting.to_owned()), ("tracking", listed.tracking().to_owned())]);
    remarks
}

/// The host of a built-in endpoint. Of a user's own endpoint only the name is shown.
fn public_host(listed: &Listed) -> Option<&str> {
    listed.endpoint().url().expose().host_str().filter(|_| listed.is_built_in())
}

/// The operator, if it is declared. Otherwise the library uses the host, which must not be shown.
fn operator(listed: &Listed) -> &str {
    let (endpoint, host) = (listed.endpoint(), listed.endpoint().url().expose().host_str());
    if host == Some(endpoint.run_by()) { Listed::UNKNOWN } else { endpoint.run_by() }
}

/// The start of an epoch, in seconds since 1970.
fn start(network: &Network, epoch: u64) -> u64 {
    let slot = epoch.saturating_mul(network.slots_per_epoch());
    let millis = u64::try_from(network.slot_duration().as_millis()).unwrap_or(u64::MAX);
    network.genesis_time().as_secs().saturating_add(slot.saturating_mul(millis) / 1_000)
}
