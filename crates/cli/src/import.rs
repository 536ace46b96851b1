//! `saldo network import`: a network file from a beacon node that the user trusts.

use std::sync::Arc;
use std::time::Duration;

use saldo::{Endpoint, Network};
use saldo_source::beacon::{Route, fetch};
use saldo_source::{HttpTransport, Network as Outside, SystemClock};
use serde_json::Value;

use crate::arguments::{ImportArguments, NetworkArguments, NetworkCommand};
use crate::failure::CommandFailure;
use crate::{print, setup};

/// The forks in order, by their names in `config/spec` and in a network file.
const FORKS: [&str; 7] = ["altair", "bellatrix", "capella", "deneb", "electra", "fulu", "gloas"];

/// Prints the network file.
///
/// # Errors
/// A [`CommandFailure`] that says what the node did not give.
pub(crate) async fn run(arguments: NetworkArguments) -> Result<u8, CommandFailure> {
    let NetworkCommand::Import(ImportArguments { beacon_url, timeout, json: _ }) = arguments.command;
    let node = Node::new(setup::endpoint(&beacon_url, "--beacon-url", 1)?, timeout)?;
    let genesis = node.get(Route::Genesis).await?;
    let spec = node.get(Route::Spec).await?;
    let header = node.get(Route::FinalizedHeader).await?;
    let file = file(&genesis["data"], &spec["data"], &header["data"])?;
    let network = Network::from_toml(&file).map_err(|error| malformed(&error.to_string()))?;
    let root = header["data"]["root"]
        .as_str()
        .and_then(|root| root.parse().ok())
        .ok_or_else(|| malformed("root"))?;
    if fetch(&node.outside, &node.endpoint, Route::Bootstrap(root), timeout).await.is_err() {
        eprintln!(
            "saldo: this node does not serve the light-client bootstrap of its finalized block: use another beacon source"
        );
    }
    print(&format!("{HEADING}\n{}", network.to_toml().trim_end()))?;
    Ok(0)
}

const HEADING: &str = "\
# Imported from a beacon node that you said you trust.
# The checkpoint below is what every proof under this file rests on: it is as true as that node was when it was
# asked, and no other source was asked to confirm it. For development chains; for a public network take a checkpoint
# that several independent sources agree on.
";

struct Node {
    endpoint: Endpoint,
    outside: Outside,
    timeout: Duration,
}

impl Node {
    fn new(endpoint: Endpoint, timeout: Duration) -> Result<Self, CommandFailure> {
        let transport = HttpTransport::new().map_err(|_| {
            CommandFailure::internal("TLS cannot be set up", "Check this machine's certificates.")
        })?;
        Ok(Self {
            endpoint,
            outside: Outside::new(Arc::new(transport), Arc::new(SystemClock::new())),
            timeout,
        })
    }

    async fn get(&self, route: Route) -> Result<Value, CommandFailure> {
        let data = fetch(&self.outside, &self.endpoint, route, self.timeout).await.map_err(|failure| {
            let detail = format!("{}: {}: {failure}", self.endpoint.id(), route.name());
            CommandFailure::failed(
                failure.code(),
                detail,
                "Check that the node is up and serves the beacon API there.",
            )
        })?;
        serde_json::from_slice(&data.bytes).map_err(|_| malformed(route.name()))
    }
}

fn malformed(what: &str) -> CommandFailure {
    let detail = format!("the node's answer is not what the beacon API says: {what}");
    CommandFailure::failed("malformed", detail, "Check that the URL is a beacon node's.")
}

/// The text of a network file, in the order in which it is read.
fn file(genesis: &Value, spec: &Value, header: &Value) -> Result<String, CommandFailure> {
    let text = |value: &Value, name: &'static str| match value[name].as_str() {
        // Only these characters occur in numbers, hashes and names; nothing else may reach the file.
        Some(text) if text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter)) => {
            Ok(text.to_owned())
        }
        _ => Err(malformed(name)),
    };
    let number =
        |value: &Value, name: &'static str| text(value, name)?.parse::<u64>().map_err(|_| malformed(name));
    let slot_duration = number(spec, "SLOT_DURATION_MS")
        .or_else(|_| number(spec, "SECONDS_PER_SLOT").map(|seconds| seconds.saturating_mul(1_000)))?;
    let name = text(spec, "CONFIG_NAME").ok().filter(|name| (1..=32).contains(&name.len()));
    let message = &header["header"]["message"];
    let mut file = format!(
        "name = \"{}\"\nchain_id = {}\ngenesis_time = {}\ngenesis_validators_root = \"{}\"\nslot_duration_ms = {}\n\
         slots_per_epoch = {}\nepochs_per_sync_committee_period = {}\nsync_committee_size = {}\n\
         genesis_fork_version = \"{}\"\ncheckpoint = \"{}@{}\"\n",
        name.unwrap_or_else(|| "imported".to_owned()),
        number(spec, "DEPOSIT_CHAIN_ID")?,
        number(genesis, "genesis_time")?,
        text(genesis, "genesis_validators_root")?,
        slot_duration,
        number(spec, "SLOTS_PER_EPOCH")?,
        number(spec, "EPOCHS_PER_SYNC_COMMITTEE_PERIOD")?,
        number(spec, "SYNC_COMMITTEE_SIZE")?,
        text(genesis, "genesis_fork_version")?,
        text(header, "root")?,
        number(message, "slot")?,
    );
    for fork in FORKS {
        let upper = fork.to_uppercase();
        let (version, epoch) = (&spec[format!("{upper}_FORK_VERSION")], &spec[format!("{upper}_FORK_EPOCH")]);
        let (Some(version), Some(epoch)) = (version.as_str(), epoch.as_str()) else { continue };
        if !version.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(malformed("fork version"));
        }
        file.push_str(&format!("\n[[forks]]\nname = \"{fork}\"\nversion = \"{version}\"\n"));
        match epoch.parse::<u64>() {
            Ok(u64::MAX) => {} // FAR_FUTURE_EPOCH: known, but not scheduled.
            Ok(epoch) => file.push_str(&format!("epoch = {epoch}\n")),
            Err(_) => return Err(malformed("fork epoch")),
        }
    }
    Ok(file)
}
