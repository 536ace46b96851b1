//! Real chains, followed from a checkpoint to a proven balance, as a `scenario.json` and its files describe.

mod record;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alloy_primitives::{B256, U256};
use saldo_beacon::container::SyncCommittee;
use saldo_beacon::signature::{self, DOMAIN_SYNC_COMMITTEE, compute_domain, compute_signing_root};
use saldo_beacon::unit::{Period, Slot};
use saldo_beacon::{
    AdvanceError, Advanced, Checkpoint, Execution, Finality, LightClient, LightClientUpdate, Network, decode,
};
use saldo_chain::{Chain, Level};
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{Account, StateRoot, verify_account};
use saldo_reading::{Generation, Holding, NetworkId, ProviderId, join_token};
use saldo_token::{ProvenState, VerifiedBalance};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::beacon::{Forge, Kind, encoding, network_of_config, read_update};
use crate::gate::let_out;
use record::{CommitteeFile, HistoricalHeader, Proof, Reply, Scenario, Step, Store, Token};

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    let bytes = std::fs::read(path).unwrap();
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read_committee(path: &Path) -> SyncCommittee {
    let CommitteeFile { pubkeys, aggregate_pubkey } = read(path);
    SyncCommittee { pubkeys, aggregate_pubkey }
}

/// The scenario's network: a built-in one by its name, else one from the table beside the scenarios, else the
/// scenario's own.
fn network(scenario: &Scenario) -> Network {
    let network = match &scenario.fork_parameters {
        Some(parameters) => devnet(scenario, parameters),
        None => Network::named(&scenario.network).unwrap_or_else(|| listed(&scenario.network)),
    };
    assert_eq!(network.genesis_validators_root(), scenario.genesis_validators_root);
    network
}

fn listed(name: &str) -> Network {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Genesis {
        genesis_time: u64,
        genesis_validators_root: B256,
    }
    #[derive(Deserialize)]
    struct Listed {
        genesis: Genesis,
        config: Value,
    }
    let mut listed: BTreeMap<String, Listed> =
        read(&crate::vectors("networks/all-networks.json").expect("a file beside the scenarios"));
    let network = listed.remove(name).unwrap_or_else(|| panic!("no such network: {name}"));
    network_of_config(&network.config, network.genesis.genesis_time, network.genesis.genesis_validators_root)
}

fn devnet(scenario: &Scenario, parameters: &BTreeMap<String, Value>) -> Network {
    let preset = if scenario.network.contains("MINIMAL") { "minimal" } else { "mainnet" };
    let mut config = json!({
        "PRESET_BASE": preset,
        "SLOT_DURATION_MS": 2000,
        "GENESIS_FORK_VERSION": parameters["genesis_fork_version"],
        "MAX_BLOBS_PER_BLOCK_ELECTRA": 9,
    });
    for (name, fork) in parameters.iter().filter(|(_, fork)| fork.is_object()) {
        config[format!("{}_FORK_VERSION", name.to_uppercase())] = fork["version"].clone();
        config[format!("{}_FORK_EPOCH", name.to_uppercase())] = fork["epoch"].clone();
    }
    network_of_config(&config, scenario.genesis_time.unwrap(), scenario.genesis_validators_root)
}

fn kind(step: &Step) -> Kind {
    match step.r#type.as_str() {
        "LightClientUpdate" => Kind::Update,
        "LightClientFinalityUpdate" => Kind::Finality,
        "LightClientOptimisticUpdate" => Kind::Optimistic,
        other => panic!("no such object: {other}"),
    }
}

/// A client that trusts a committee: the previous period is forged with keys of the test, and its update names this
/// committee.
///
/// After that, only the real committee's signature proves anything.
fn client_trusting(network: &Network, committee: &SyncCommittee, period: u64) -> LightClient {
    let forge = Forge { network: network.clone(), seed: 9 };
    let before = Period::new(period - 1);
    let own = forge.committee(before);
    let start = network.period_start(before).get();
    let mut client = forge.client(start + 1);
    let finalized = forge.block_with(start + 2, None, &own, committee).header;
    let block = forge.block_with(start + 3, Some(&finalized), &own, committee);
    let update = forge.update_of(&block, Some(finalized), Some(committee.clone()));
    let advanced = client.advance(update, forge.now(start + 3)).unwrap();
    assert_eq!(advanced, Advanced { finalized: true, signed: true, next_committee: true, period: None });
    client
}

fn client_of(scenario: &Scenario, folder: &Path, network: &Network) -> LightClient {
    if let Some(trusted) = &scenario.trusted_committee {
        let committee = read_committee(&folder.join(&trusted.file));
        assert_eq!(committee.hash_tree_root(), trusted.root);
        return client_trusting(network, &committee, trusted.period);
    }
    let first = &scenario.steps[0];
    if let Some(file) = first.signed_by.as_ref().map(|file| folder.join(file)).filter(|file| file.is_file()) {
        return client_trusting(network, &read_committee(&file), first.period.unwrap());
    }
    if first.r#type == "LightClientUpdate" {
        // The signature of the first update cannot be verified, so the committee that it names is trusted.
        let update = read_update(&folder.join(&first.file), kind(first), Some(&first.fork), network).unwrap();
        check_update(first, &update);
        let period = network.period_at(update.attested_slot()).get() + 1;
        return client_trusting(network, &update.next_sync_committee.unwrap().committee, period);
    }
    assert_eq!((first.r#type.as_str(), first.expect.as_str()), ("LightClientBootstrap", "accept"));
    let file = folder.join(&first.file);
    let bytes = std::fs::read(&file).unwrap();
    let bootstrap = decode::bootstrap(&bytes, encoding(&file), Some(&first.fork), network).unwrap();
    let slot = Slot::new(first.slot.unwrap());
    let checkpoint = Checkpoint { root: scenario.checkpoint.unwrap(), slot: Some(slot) };
    let client =
        LightClient::bootstrap(network.clone(), checkpoint, bootstrap, network.slot_start(slot)).unwrap();
    assert_eq!(client.finalized_head().finality(), Finality::Checkpoint);
    assert_eq!(client.signed_head(), None);
    client
}

fn variant(error: &AdvanceError) -> String {
    format!("{error:?}").chars().take_while(|letter| letter.is_alphanumeric()).collect()
}

fn check_update(step: &Step, update: &LightClientUpdate) {
    let slot = |slot: Slot| Some(slot.get());
    assert_eq!(slot(update.attested_slot()), step.attested_slot);
    assert_eq!(slot(update.signature_slot), step.signature_slot);
    assert_eq!(Some(update.sync_aggregate.signers()), step.participants);
    if step.finalized_slot.is_some() {
        assert_eq!(update.finalized_header().map(|header| header.beacon.slot.get()), step.finalized_slot);
    }
}

fn check_store(client: &LightClient, store: &Store) {
    let finalized = client.finalized_head();
    let signed = client.signed_head();
    assert_eq!(finalized.slot().get(), store.finalized_slot);
    let expected = (store.finalized_block_number, store.finalized_block_hash, store.finalized_state_root);
    check_execution(finalized.execution(), expected);
    // The reference client starts with the checkpoint as its optimistic header, which is not signed.
    assert_eq!(signed.map_or(finalized.slot(), |head| head.slot()).get(), store.optimistic_slot);
    let expected = (store.optimistic_block_number, store.optimistic_block_hash, store.optimistic_state_root);
    check_execution(signed.map_or(finalized.execution(), |head| head.execution()), expected);
    assert_eq!(client.next_committee_known(), store.next_sync_committee_known);
}

/// The scenario must not expect fields that the header does not have, as before Capella and from Gloas on.
fn check_execution(
    execution: &Execution,
    (number, hash, state_root): (Option<u64>, Option<B256>, Option<B256>),
) {
    let header = execution.header();
    for (got, expected) in
        [(execution.block_hash(), hash), (header.map(|header| header.state_root), state_root)]
    {
        assert_eq!(got, expected.or(got));
    }
    let got = header.map(|header| header.block_number);
    assert_eq!(got, number.or(got));
}

fn check_proof(folder: &Path, proof: &Proof, root: B256) {
    let reply: Value = read(&folder.join(&proof.file));
    let reply = match reply {
        Value::Array(_) => {
            Reply { account_proof: serde_json::from_value(reply).unwrap(), storage_proof: Vec::new() }
        }
        object => serde_json::from_value(object.get("result").cloned().unwrap_or(object)).unwrap(),
    };
    if let Some(nodes) = proof.proof_nodes {
        assert_eq!(reply.account_proof.len(), nodes);
    }
    let verified = verify_account(StateRoot::new(root), proof.address, &reply.account_proof).unwrap();
    match verified.leaf() {
        Account::Present(account) => {
            assert!(proof.exists);
            assert_eq!(account.balance.to_string(), proof.balance);
            assert_eq!(account.nonce.to_string(), proof.nonce);
            assert_eq!(account.storage_root.get(), proof.storage_hash.unwrap_or(account.storage_root.get()));
            assert_eq!(account.code_hash, proof.code_hash.unwrap_or(account.code_hash));
        }
        Account::Absent => {
            assert!(!proof.exists);
            assert_eq!((proof.balance.as_str(), proof.nonce.as_str()), ("0", "0"));
        }
    }
    for storage in &proof.storage {
        let key = U256::from_be_bytes(storage.key.0);
        let answer = reply.storage_proof.iter().find(|answer| answer.key == key).unwrap();
        let slot = verified.slot(storage.key, &answer.proof).unwrap();
        let expected = match storage.included {
            true => saldo_proof::Slot::Present(storage.value),
            false => saldo_proof::Slot::Absent,
        };
        assert_eq!(slot.leaf(), &expected);
    }
}

/// An object of a scenario.
pub struct ObjectFile {
    /// The path of its file.
    pub path: PathBuf,
    /// Its name in the specification.
    pub object: String,
    /// Its fork.
    pub fork: String,
}

/// The network of a scenario, and the objects of its steps.
///
/// # Panics
/// If the folder has no scenario.
pub fn objects(folder: &Path) -> (Network, Vec<ObjectFile>) {
    let scenario: Scenario = read(&folder.join("scenario.json"));
    let network = network(&scenario);
    let file = |step: Step| ObjectFile { path: folder.join(step.file), object: step.r#type, fork: step.fork };
    (network, scenario.steps.into_iter().map(file).collect())
}

/// The folders at or below `root` that have a scenario.
pub fn folders(root: &Path) -> Vec<PathBuf> {
    if root.join("scenario.json").is_file() {
        return vec![root.to_owned()];
    }
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders.iter().filter(|path| path.is_dir()).flat_map(|path| self::folders(path)).collect()
}

fn is_file(folder: &Path, name: Option<&String>) -> bool {
    name.is_some_and(|name| folder.join(name).is_file())
}

/// The counts of what was replayed, so that no step is skipped silently.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Done {
    /// The number of scenarios.
    pub scenarios: usize,
    /// The number of steps.
    pub steps: usize,
    /// The number of stores.
    pub stores: usize,
    /// The number of proofs.
    pub proofs: usize,
    /// The number of balances of tokens.
    pub tokens: usize,
    /// Each refusal: scenario, file and variant of the error.
    pub refusals: Vec<(String, String, String)>,
}

/// Replays the scenario in a folder.
///
/// # Panics
/// If it does not end as recorded.
pub fn replay(folder: &Path, done: &mut Done) {
    let scenario: &Scenario = &read(&folder.join("scenario.json"));
    println!("{}", scenario.name);
    let network = network(scenario);
    let mut client = client_of(scenario, folder, &network);
    let mut roots = BTreeMap::new();
    for (index, step) in scenario.steps.iter().enumerate() {
        done.steps += 1;
        let is_trusted = index == 0 && scenario.trusted_committee.is_none() && client.signed_head().is_some();
        if step.r#type == "LightClientBootstrap" || is_trusted && !is_file(folder, step.signed_by.as_ref()) {
            assert_eq!(index, 0);
            continue;
        }
        let update = read_update(&folder.join(&step.file), kind(step), Some(&step.fork), &network).unwrap();
        check_update(step, &update);
        let now = network.slot_start(update.signature_slot);
        let before = format!("{client:?}");
        let result = client.advance(update.clone(), now);
        match (step.expect.as_str(), result) {
            ("accept", Ok(_)) => {}
            ("reject", Err(error)) => {
                assert_eq!(format!("{client:?}"), before, "a refused update changed the client");
                done.refusals.push((scenario.name.clone(), step.file.clone(), variant(&error)));
            }
            (expected, result) => panic!("{}: {expected}, got {result:?}", step.file),
        }
        let finalized = client.finalized_head().execution();
        let expected = (step.finalized_block_number, step.finalized_block_hash, step.finalized_state_root);
        check_execution(finalized, expected);
        if let Some(header) = finalized.header() {
            roots.insert(format!("update_{index} finalized_state_root"), header.state_root);
        }
        if let Some(store) = &step.store_after {
            check_store(&client, store);
            done.stores += 1;
        }
        if let Some(historical) = &scenario.historical_header {
            check_historical(&network, folder, scenario, historical, &update);
            roots.insert("historical_header.state_root".into(), historical.state_root);
        }
    }
    if let Some(store) = &scenario.expected_store {
        check_store(&client, store);
        done.stores += 1;
    }
    if let Some(root) = scenario.beacon_block_root {
        assert_eq!(client.signed_head().unwrap().beacon_root(), root);
    }
    if let Some(header) = client.finalized_head().execution().header() {
        roots.insert("finalized_state_root".into(), header.state_root);
    }
    if let Some(header) = client.signed_head().and_then(|head| head.execution().header()) {
        roots.insert("optimistic_state_root".into(), header.state_root);
    }
    for proof in &scenario.proofs {
        check_proof(folder, proof, roots[&proof.against]);
        done.proofs += 1;
    }
    for token in &scenario.erc20 {
        check_token(folder, scenario, token, &network, &client);
        done.tokens += 1;
    }
    done.scenarios += 1;
}

/// The balance of a token follows from the replies about the token and its implementation, under the head that the committee signed.
fn check_token(
    folder: &Path,
    scenario: &Scenario,
    expected: &Token,
    network: &Network,
    client: &LightClient,
) {
    let mut chain = Chain::new();
    chain.follow(client).unwrap();
    let anchor = chain.newest(Level::Signed).unwrap();
    let mut state = ProvenState::new(anchor.state_root());
    for proof in &scenario.proofs {
        let reply: Value = read(&folder.join(&proof.file));
        let reply: AccountReply = serde_json::from_value(reply["result"].clone()).unwrap();
        let account = reply.verify(anchor.state_root(), proof.address).unwrap();
        state.add_account(&account).unwrap();
        for storage in &proof.storage {
            let slot = reply.storage(storage.key).unwrap();
            state.add_slot(&account.slot(storage.key, &slot.proof).unwrap()).unwrap();
        }
    }
    let balance = VerifiedBalance::from_slot(&state, expected.token, expected.holder).unwrap();
    let is_of_slot = |proof: &Proof| proof.storage.iter().any(|storage| storage.key == expected.storage_key);
    assert!(scenario.proofs.iter().any(is_of_slot));
    let holding = Holding::erc20(NetworkId::from(network), expected.holder, expected.token);
    let provider = ProviderId::new("recorded").unwrap();
    let candidate = join_token(holding, Arc::new(balance), anchor, provider, Generation::FIRST).unwrap();
    let proven = let_out(&candidate, &chain);
    assert_eq!(proven.amount().base_units().to_string(), expected.balance);
}

/// The one header older than the checkpoint: the client refuses it, but the same committee signed it.
fn check_historical(
    network: &Network,
    folder: &Path,
    scenario: &Scenario,
    historical: &HistoricalHeader,
    update: &LightClientUpdate,
) {
    let first = folder.join(&scenario.steps[0].file);
    let bytes = std::fs::read(&first).unwrap();
    let committee =
        decode::bootstrap(&bytes, encoding(&first), None, network).unwrap().current_sync_committee;
    let version = network.fork_version_at(update.signature_slot);
    let domain = compute_domain(DOMAIN_SYNC_COMMITTEE, version, network.genesis_validators_root());
    let message = compute_signing_root(update.attested_header.beacon.hash_tree_root(), domain);
    assert_eq!(signature::verify(&committee, &update.sync_aggregate, message), Ok(()));
    assert_eq!(update.attested_slot().get(), historical.beacon_slot);
    assert_eq!(update.sync_aggregate.signers(), historical.participants);
    let execution = update.attested_header.execution.header().unwrap();
    assert_eq!(execution.block_number, historical.block_number);
    assert_eq!(execution.block_hash, historical.block_hash);
    assert_eq!(execution.state_root, historical.state_root);
}
