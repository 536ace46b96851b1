//! `saldo network import`: a network file from a beacon node that the user trusts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use saldo::{Endpoint, Network};
use saldo_source::beacon::{Route, fetch};
use saldo_source::{Io, SystemClock};
use serde_json::Value;

use crate::arguments::ImportArguments;
use crate::failure::CommandFailure;
use crate::say::say;
use crate::{print, setup};

/// The forks in order, by their names in `config/spec` and in a network file.
const FORKS: [&str; 7] = ["altair", "bellatrix", "capella", "deneb", "electra", "fulu", "gloas"];

/// Prints the network file.
///
/// # Errors
/// A [`CommandFailure`] that says which data the node did not give.
pub(crate) async fn run(arguments: ImportArguments) -> Result<u8, CommandFailure> {
    let ImportArguments { beacon_url, timeout, json: _ } = arguments;
    let node = Node::new(setup::endpoint(&beacon_url, "--beacon-url", 1)?, timeout)?;
    let genesis = node.data(Route::Genesis).await?;
    let spec = node.data(Route::Spec).await?;
    let header = node.data(Route::FinalizedHeader).await?;
    // A name that also occurs in the URL may be an API key that the node sent back.
    let url = node.endpoint.url().expose().as_str();
    let name = at(&spec, "CONFIG_NAME")
        .as_str()
        .filter(|name| is_plain(name) && name.len() <= 32 && !url.contains(*name));
    let file = file(name.unwrap_or("imported"), &genesis, &spec, &header)?;
    // The error's own text is not shown: it quotes what the node wrote.
    let network =
        Network::from_toml(&file).map_err(|_| malformed("the values do not make a valid network"))?;
    let root =
        at(&header, "root").as_str().and_then(|root| root.parse().ok()).ok_or_else(|| malformed("root"))?;
    if fetch(&node.io, &node.endpoint, Route::Bootstrap(root), timeout).await.is_err() {
        say(
            "saldo: this node does not serve the light-client bootstrap of its finalized block: use another beacon source",
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
    io: Io,
    timeout: Duration,
}

impl Node {
    fn new(endpoint: Endpoint, timeout: Duration) -> Result<Self, CommandFailure> {
        let transport = setup::http_transport()?;
        Ok(Self { endpoint, io: Io::new(Arc::new(transport), Arc::new(SystemClock::new())), timeout })
    }

    /// The `data` of the route's answer.
    async fn data(&self, route: Route) -> Result<Value, CommandFailure> {
        let data = fetch(&self.io, &self.endpoint, route, self.timeout).await.map_err(|failure| {
            let detail = format!("{}: {}: {failure}", self.endpoint.id(), route.name());
            CommandFailure::failed(
                failure.code(),
                detail,
                "Check that the node is up and serves the beacon API there.",
            )
        })?;
        let answer: Value = serde_json::from_slice(&data.bytes).map_err(|_| malformed(route.name()))?;
        answer.get("data").cloned().ok_or_else(|| malformed(route.name()))
    }
}

/// The field `name` of an object, or null.
fn at<'a>(object: &'a Value, name: &str) -> &'a Value {
    static NULL: Value = Value::Null;
    object.get(name).unwrap_or(&NULL)
}

fn malformed(what: &str) -> CommandFailure {
    let detail = format!("the node's answer is not what the beacon API says: {what}");
    CommandFailure::failed("malformed", detail, "Check that the URL belongs to a beacon node.")
}

/// Whether the text has only characters that occur in numbers, hashes and names. Nothing else may reach the file.
fn is_plain(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    plain && (1..=66).contains(&text.len())
}

/// The text of a network file, in the order in which it is parsed.
fn file(name: &str, genesis: &Value, spec: &Value, header: &Value) -> Result<String, CommandFailure> {
    let text = |value: &Value, name: &'static str| match at(value, name).as_str() {
        Some(text) if is_plain(text) => Ok(text.to_owned()),
        _ => Err(malformed(name)),
    };
    let number =
        |value: &Value, name: &'static str| text(value, name)?.parse::<u64>().map_err(|_| malformed(name));
    let slot_duration = number(spec, "SLOT_DURATION_MS")
        .or_else(|_| number(spec, "SECONDS_PER_SLOT").map(|seconds| seconds.saturating_mul(1_000)))?;
    let message = at(at(header, "header"), "message");
    let mut file = format!(
        "name = \"{}\"\nchain_id = {}\ngenesis_time = {}\ngenesis_validators_root = \"{}\"\nslot_duration_ms = {}\n\
         slots_per_epoch = {}\nepochs_per_sync_committee_period = {}\nsync_committee_size = {}\n\
         genesis_fork_version = \"{}\"\ncheckpoint = \"{}@{}\"\n",
        name,
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
        let (version, epoch) =
            (at(spec, &format!("{upper}_FORK_VERSION")), at(spec, &format!("{upper}_FORK_EPOCH")));
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
        // From EIP-8061 on, which adds this quotient, stake leaves faster: a checkpoint is too old after about 7
        // days, not 15.
        if fork == "gloas" && !at(spec, "CHURN_LIMIT_QUOTIENT_GLOAS").is_null() {
            file.push_str("max_checkpoint_age_epochs = 1573\n");
        }
    }
    for (epoch, max_blobs) in blob_schedule(spec)? {
        file.push_str(&format!("\n[[blob_schedule]]\nepoch = {epoch}\nmax_blobs = {max_blobs}\n"));
    }
    Ok(file)
}

/// The maximum number of blobs in a block, by the epoch from which it holds: Electra's first, then the list of
/// EIP-7892. Empty if the node gives neither.
fn blob_schedule(spec: &Value) -> Result<BTreeMap<u64, u64>, CommandFailure> {
    let entry = |epoch: &Value, max_blobs: &Value| {
        let number = |value: &Value| value.as_str()?.parse::<u64>().ok();
        number(epoch).zip(number(max_blobs)).ok_or_else(|| malformed("BLOB_SCHEDULE"))
    };
    let mut schedule = BTreeMap::new();
    if !at(spec, "MAX_BLOBS_PER_BLOCK_ELECTRA").is_null() {
        schedule.extend([entry(at(spec, "ELECTRA_FORK_EPOCH"), at(spec, "MAX_BLOBS_PER_BLOCK_ELECTRA"))?]);
    }
    for listed in at(spec, "BLOB_SCHEDULE").as_array().into_iter().flatten() {
        schedule.extend([entry(at(listed, "EPOCH"), at(listed, "MAX_BLOBS_PER_BLOCK"))?]);
    }
    schedule.retain(|epoch, _| *epoch != u64::MAX); // FAR_FUTURE_EPOCH
    Ok(schedule)
}
