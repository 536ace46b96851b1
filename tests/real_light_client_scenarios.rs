//! Real chains, followed from a checkpoint to a proven balance: every step ends as it did for the reference client.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use alloy_primitives::{Address, B256, Bytes, U256};
use saldo_beacon::container::{PublicKeyBytes, SyncCommittee};
use saldo_beacon::signature::{self, DOMAIN_SYNC_COMMITTEE, compute_domain, compute_signing_root};
use saldo_beacon::unit::{Period, Slot};
use saldo_beacon::{
    AdvanceError, Advanced, Checkpoint, Finality, LightClient, LightClientUpdate, Network, decode,
};
use saldo_proof::{Account, StateRoot, verify_account};
use saldo_tests::beacon::{Forge, Kind, encoding, read_update};
use serde::Deserialize;

/// Each refusal that is expected, by name.
const REFUSED: [(&str, &str, &str); 7] = [
    ("mainnet-capella-portal", "update_0.ssz", "NotNewer"),
    ("mainnet-capella-portal", "update_1.ssz", "NotNewer"),
    ("mainnet-capella-portal", "update_2.ssz", "NotNewer"),
    ("mainnet-capella-portal", "update_3.ssz", "NotNewer"),
    ("mainnet-electra-12889937-absent-account", "optimistic_update.ssz", "NotNewer"),
    ("mainnet-electra-12890400-stale-update", "update_1574.ssz", "CommitteeUnknown"),
    ("sepolia-deneb-5242880-gear", "finality_5263072.json", "CommitteeUnknown"),
];

const SEPOLIA: &str = r#"
name = "sepolia"
chain_id = 11155111
genesis_time = 1655733600
genesis_validators_root = "0xd8ea171f3c94aea21ebc42a1ed61052acf3f9209c00e4efbaaddac09ed9b8078"
slot_duration_ms = 12000
slots_per_epoch = 32
epochs_per_sync_committee_period = 256
sync_committee_size = 512
genesis_fork_version = "0x90000069"
forks = [
    { name = "altair", version = "0x90000070", epoch = 50 },
    { name = "bellatrix", version = "0x90000071", epoch = 100 },
    { name = "capella", version = "0x90000072", epoch = 56832 },
    { name = "deneb", version = "0x90000073", epoch = 132608 },
    { name = "electra", version = "0x90000074", epoch = 222464 },
    { name = "fulu", version = "0x90000075", epoch = 272640 },
]
"#;

const HOLESKY: &str = r#"
name = "holesky"
chain_id = 17000
genesis_time = 1695902400
genesis_validators_root = "0x9143aa7c615a7f7115e2b6aac319c03529df8242ae705fba9df39b79c59fa8b1"
slot_duration_ms = 12000
slots_per_epoch = 32
epochs_per_sync_committee_period = 256
sync_committee_size = 512
genesis_fork_version = "0x01017000"
forks = [
    { name = "altair", version = "0x02017000", epoch = 0 },
    { name = "bellatrix", version = "0x03017000", epoch = 0 },
    { name = "capella", version = "0x04017000", epoch = 256 },
    { name = "deneb", version = "0x05017000", epoch = 29696 },
    { name = "electra", version = "0x06017000", epoch = 115968 },
    { name = "fulu", version = "0x07017000", epoch = 165120 },
]
"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    name: String,
    network: String,
    genesis_validators_root: B256,
    #[serde(rename = "description")]
    _description: String,
    #[serde(rename = "source")]
    _source: serde_json::Value,
    #[serde(rename = "derived")]
    _derived: Vec<String>,
    #[serde(default, rename = "note")]
    _note: String,
    #[serde(default, rename = "initial")]
    _initial: serde_json::Value,
    /// Tokens are another test's; what they hold is also listed as storage.
    #[serde(default, rename = "erc20")]
    _erc20: Vec<serde_json::Value>,
    genesis_time: Option<u64>,
    chain_id: Option<u64>,
    fork_parameters: Option<BTreeMap<String, serde_json::Value>>,
    checkpoint: Option<B256>,
    trusted_committee: Option<TrustedCommittee>,
    steps: Vec<Step>,
    proofs: Vec<Proof>,
    expected_store: Option<Store>,
    beacon_block_root: Option<B256>,
    historical_header: Option<HistoricalHeader>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustedCommittee {
    file: String,
    period: u64,
    root: B256,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HistoricalHeader {
    beacon_slot: u64,
    block_number: u64,
    block_hash: B256,
    state_root: B256,
    participants: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    file: String,
    r#type: String,
    fork: String,
    #[serde(rename = "encoding")]
    _encoding: String,
    expect: String,
    slot: Option<u64>,
    period: Option<u64>,
    attested_slot: Option<u64>,
    finalized_slot: Option<u64>,
    signature_slot: Option<u64>,
    participants: Option<usize>,
    signed_by: Option<String>,
    finalized_block_number: Option<u64>,
    finalized_block_hash: Option<B256>,
    finalized_state_root: Option<B256>,
    store_after: Option<Store>,
    #[serde(default, rename = "note")]
    _note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Store {
    finalized_slot: u64,
    optimistic_slot: u64,
    next_sync_committee_known: bool,
    finalized_block_number: u64,
    finalized_block_hash: B256,
    finalized_state_root: B256,
    optimistic_block_number: u64,
    optimistic_block_hash: B256,
    optimistic_state_root: B256,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Proof {
    file: String,
    against: String,
    address: Address,
    exists: bool,
    nonce: String,
    balance: String,
    storage_hash: Option<B256>,
    code_hash: Option<B256>,
    #[serde(default)]
    storage: Vec<Storage>,
    #[serde(rename = "proof_nodes")]
    proof_nodes: Option<usize>,
    #[serde(default, rename = "format")]
    _format: String,
    #[serde(default, rename = "note")]
    _note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Storage {
    key: B256,
    value: U256,
    included: bool,
}

/// The proofs of an `eth_getProof` reply; claims of the server are of no interest here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reply {
    account_proof: Vec<Bytes>,
    #[serde(default)]
    storage_proof: Vec<StorageReply>,
}

#[derive(Deserialize)]
struct StorageReply {
    key: U256,
    proof: Vec<Bytes>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CommitteeFile {
    pubkeys: Vec<PublicKeyBytes>,
    aggregate_pubkey: PublicKeyBytes,
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    let bytes = std::fs::read(path).unwrap();
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read_committee(path: &Path) -> SyncCommittee {
    let CommitteeFile { pubkeys, aggregate_pubkey } = read(path);
    SyncCommittee { pubkeys, aggregate_pubkey }
}

fn network(scenario: &Scenario) -> Network {
    let network = match scenario.network.as_str() {
        "mainnet" => Network::mainnet(),
        "sepolia" => Network::from_toml(SEPOLIA).unwrap(),
        "holesky" => Network::from_toml(HOLESKY).unwrap(),
        devnet => {
            assert!(devnet.contains("MINIMAL preset"), "{devnet}");
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            let parameters = scenario.fork_parameters.as_ref().unwrap();
            let mut toml = format!(
                "name = \"devnet\"\nchain_id = {}\ngenesis_time = {}\ngenesis_validators_root = \"{}\"\n\
                 slot_duration_ms = 2000\nslots_per_epoch = 8\nepochs_per_sync_committee_period = 8\n\
                 sync_committee_size = 32\ngenesis_fork_version = \"{}\"\n",
                scenario.chain_id.unwrap(),
                scenario.genesis_time.unwrap(),
                scenario.genesis_validators_root,
                text(&parameters["genesis_fork_version"]),
            );
            for name in ["altair", "bellatrix", "capella", "deneb", "electra", "fulu"] {
                let fork = &parameters[name];
                let (version, epoch) = (text(&fork["version"]), fork["epoch"].as_u64().unwrap());
                toml += &format!("[[forks]]\nname = \"{name}\"\nversion = \"{version}\"\nepoch = {epoch}\n");
            }
            Network::from_toml(&toml).unwrap()
        }
    };
    assert_eq!(network.genesis_validators_root(), scenario.genesis_validators_root);
    network
}

fn kind(step: &Step) -> Kind {
    match step.r#type.as_str() {
        "LightClientUpdate" => Kind::Update,
        "LightClientFinalityUpdate" => Kind::Finality,
        "LightClientOptimisticUpdate" => Kind::Optimistic,
        other => panic!("no such object: {other}"),
    }
}

/// A client that trusts a committee: the period before is forged, signed by keys of our own, and hands over to it.
///
/// What is proven after that is proven by the real committee's signature alone.
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
        // Nobody's signature over the first update can be checked, so the committee it names is trusted.
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
    let execution = finalized.execution().header().unwrap();
    assert_eq!(finalized.slot().get(), store.finalized_slot);
    assert_eq!(execution.block_number, store.finalized_block_number);
    assert_eq!(execution.block_hash, store.finalized_block_hash);
    assert_eq!(execution.state_root, store.finalized_state_root);
    // The reference client starts with the checkpoint as its optimistic header, which nobody has signed.
    let execution = signed.map_or(execution, |head| head.execution().header().unwrap());
    assert_eq!(signed.map_or(finalized.slot(), |head| head.slot()).get(), store.optimistic_slot);
    assert_eq!(execution.block_number, store.optimistic_block_number);
    assert_eq!(execution.block_hash, store.optimistic_block_hash);
    assert_eq!(execution.state_root, store.optimistic_state_root);
    assert_eq!(client.next_committee_known(), store.next_sync_committee_known);
}

fn check_proof(folder: &Path, proof: &Proof, root: B256) {
    let reply: serde_json::Value = read(&folder.join(&proof.file));
    let reply = match reply {
        serde_json::Value::Array(_) => {
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

fn is_file(folder: &Path, name: Option<&String>) -> bool {
    name.is_some_and(|name| folder.join(name).is_file())
}

/// Counts what was done, so that nothing is skipped in silence.
#[derive(Debug, Default, PartialEq)]
struct Done {
    scenarios: usize,
    steps: usize,
    stores: usize,
    proofs: usize,
    refusals: usize,
}

fn replay(scenario: &Scenario, folder: &Path, done: &mut Done) {
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
        let refusal = REFUSED.iter().find(|(name, file, _)| *name == scenario.name && *file == step.file);
        match (step.expect.as_str(), refusal, result) {
            ("accept", None, Ok(_)) => {}
            ("reject", Some((_, _, expected)), Err(error)) => {
                assert_eq!(variant(&error), *expected);
                assert_eq!(format!("{client:?}"), before, "a refused update changed the client");
                done.refusals += 1;
            }
            (expected, refusal, result) => panic!("{}: {expected} {refusal:?}, got {result:?}", step.file),
        }
        let finalized = client.finalized_head().execution();
        assert_eq!(step.finalized_block_hash.or(finalized.block_hash()), finalized.block_hash());
        match finalized.header() {
            Some(header) => {
                assert_eq!(header.state_root, step.finalized_state_root.unwrap_or(header.state_root));
                assert_eq!(header.block_number, step.finalized_block_number.unwrap_or(header.block_number));
                roots.insert(format!("update_{index} finalized_state_root"), header.state_root);
            }
            None => assert_eq!((step.finalized_state_root, step.finalized_block_number), (None, None)),
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
    done.scenarios += 1;
}

/// The one header that is older than the checkpoint: refused by the client, but signed by the same committee.
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

#[test]
fn every_real_scenario_ends_as_recorded() {
    let Some(root) = saldo_tests::vectors("e2e") else { return };
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let mut done = Done::default();
    for folder in folders {
        let scenario: Scenario = read(&folder.join("scenario.json"));
        println!("{}", scenario.name);
        replay(&scenario, &folder, &mut done);
    }
    let expected = Done { scenarios: 26, steps: 162, stores: 130, proofs: 19, refusals: 7 };
    assert_eq!(done, expected);
}
