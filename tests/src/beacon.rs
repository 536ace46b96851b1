//! A beacon chain reduced to what a light client reads, with sync committees whose keys the test holds.
//!
//! It is for forgeries that only a committee could sign. States and bodies are sparse Merkle trees: the proven leaves
//! at their generalized indices, and zero everywhere else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use alloy_primitives::{Address, B256, Bloom, Bytes, U256};
use blst::min_pk::{AggregatePublicKey, AggregateSignature, PublicKey, SecretKey};
use saldo_beacon::container::{BeaconBlockHeader, ExecutionPayloadHeader, SyncAggregate, SyncCommittee};
use saldo_beacon::decode::{self, DecodeError, Encoding};
use saldo_beacon::fork::HeaderLayout;
use saldo_beacon::merkle::{hash_pair, merkleize};
use saldo_beacon::signature::{DOMAIN_SYNC_COMMITTEE, DST, compute_domain, compute_signing_root};
use saldo_beacon::unit::{Period, Slot, UnixTime};
use saldo_beacon::update::{FinalizedPart, NextSyncCommittee};
use saldo_beacon::{
    Checkpoint, Execution, Fork, LightClient, LightClientBootstrap, LightClientHeader, LightClientUpdate,
    Network,
};
use serde_json::Value;

/// The minimal preset, with all forks up to Fulu from genesis.
pub const MINIMAL_FULU: &str = r#"
name = "minimal"
chain_id = 31337
genesis_time = 1700000000
genesis_validators_root = "0x1111111111111111111111111111111111111111111111111111111111111111"
slot_duration_ms = 12000
slots_per_epoch = 8
epochs_per_sync_committee_period = 8
sync_committee_size = 32
genesis_fork_version = "0x00000001"
forks = [
    { name = "altair", version = "0x01000001", epoch = 0 },
    { name = "bellatrix", version = "0x02000001", epoch = 0 },
    { name = "capella", version = "0x03000001", epoch = 0 },
    { name = "deneb", version = "0x04000001", epoch = 0 },
    { name = "electra", version = "0x05000001", epoch = 0 },
    { name = "fulu", version = "0x06000001", epoch = 0 },
    { name = "gloas", version = "0x07000001" },
]
"#;

/// The number of slots in a period of the minimal preset.
pub const PERIOD: u64 = 64;

/// A sparse Merkle tree: leaves by generalized index, zero elsewhere.
#[derive(Clone, Default)]
pub struct Tree(pub BTreeMap<u64, B256>);

impl Tree {
    /// The node at an index; the root has index 1.
    pub fn node(&self, gindex: u64) -> B256 {
        if let Some(leaf) = self.0.get(&gindex) {
            return *leaf;
        }
        let has_leaves_below = self.0.keys().any(|leaf| {
            leaf.ilog2().checked_sub(gindex.ilog2()).is_some_and(|levels| leaf >> levels == gindex)
        });
        if !has_leaves_below {
            return B256::ZERO;
        }
        hash_pair(self.node(gindex << 1), self.node(gindex << 1 | 1))
    }

    /// The siblings from an index up to the root.
    pub fn branch(&self, gindex: u64) -> Vec<B256> {
        (0..gindex.ilog2()).map(|level| self.node(gindex >> level ^ 1)).collect()
    }
}

/// A block: the header as light clients receive it, and its state.
#[derive(Clone)]
pub struct Block {
    /// The header.
    pub header: LightClientHeader,
    /// The proven parts of the state.
    pub state: Tree,
}

/// A chain whose committee keys are known, so that anything can be signed. Another `seed` gives other committees.
#[derive(Clone)]
pub struct Forge {
    /// The network to which the signatures are bound.
    pub network: Network,
    /// Makes its committees different from another forge's.
    pub seed: u8,
}

impl Default for Forge {
    fn default() -> Self {
        Self { network: Network::from_toml(MINIMAL_FULU).unwrap(), seed: 1 }
    }
}

impl Forge {
    /// The secret key of a committee member.
    pub fn secret(&self, period: Period, member: usize) -> SecretKey {
        let mut material = [self.seed; 32];
        material[..8].copy_from_slice(&period.get().to_le_bytes());
        material[8] = u8::try_from(member % 256).unwrap();
        SecretKey::key_gen(&material, &[]).unwrap()
    }

    /// The committee that signs in a period.
    pub fn committee(&self, period: Period) -> SyncCommittee {
        /// Deriving keys would take most of a test's time.
        static KNOWN: Mutex<BTreeMap<(u8, Period, usize), SyncCommittee>> = Mutex::new(BTreeMap::new());
        let key = (self.seed, period, self.network.sync_committee_size());
        KNOWN.lock().unwrap().entry(key).or_insert_with(|| self.draw_committee(period)).clone()
    }

    fn draw_committee(&self, period: Period) -> SyncCommittee {
        let members = 0..self.network.sync_committee_size();
        let keys: Vec<PublicKey> = members.map(|member| self.secret(period, member).sk_to_pk()).collect();
        let references: Vec<&PublicKey> = keys.iter().collect();
        let sum = AggregatePublicKey::aggregate(&references, false).unwrap().to_public_key();
        SyncCommittee {
            pubkeys: keys.iter().map(|key| key.compress().into()).collect(),
            aggregate_pubkey: sum.compress().into(),
        }
    }

    /// A block whose state holds the committees of its period and `finalized`.
    pub fn block(&self, slot: u64, finalized: Option<&LightClientHeader>) -> Block {
        let period = self.network.period_at(Slot::new(slot));
        self.block_with(slot, finalized, &self.committee(period), &self.committee(period.saturating_add(1)))
    }

    /// A block whose state holds these committees.
    pub fn block_with(
        &self,
        slot: u64,
        finalized: Option<&LightClientHeader>,
        current: &SyncCommittee,
        next: &SyncCommittee,
    ) -> Block {
        let slot = Slot::new(slot);
        let rules = self.network.fork_at(slot).unwrap().rules();
        let finalized_root = finalized.map(|header| header.beacon.hash_tree_root()).unwrap_or_default();
        let state = Tree(BTreeMap::from([
            (rules.finalized_root, finalized_root),
            (rules.current_sync_committee, current.hash_tree_root()),
            (rules.next_sync_committee, next.hash_tree_root()),
        ]));
        let payload = self.execution(slot, rules.layout == HeaderLayout::Execution17);
        let (execution, leaf) = match rules.layout {
            HeaderLayout::Beacon => (Execution::Absent, B256::ZERO),
            HeaderLayout::Execution15 | HeaderLayout::Execution17 => {
                let root = payload.hash_tree_root();
                (Execution::Header(payload), root)
            }
            HeaderLayout::ExecutionHash => (Execution::Hash(payload.block_hash), payload.block_hash),
        };
        let body = Tree(rules.execution.map(|gindex| (gindex, leaf)).into_iter().collect());
        let beacon = BeaconBlockHeader {
            slot,
            proposer_index: u64::from(self.seed),
            parent_root: B256::ZERO,
            state_root: state.node(1),
            body_root: body.node(1),
        };
        let header = LightClientHeader {
            beacon,
            execution,
            execution_branch: rules.execution.map(|gindex| body.branch(gindex)).unwrap_or_default(),
        };
        Block { header, state }
    }

    fn execution(&self, slot: Slot, has_blobs: bool) -> ExecutionPayloadHeader {
        let named = |name: u8| B256::from(U256::from(slot.get()) << 16 | U256::from(name));
        ExecutionPayloadHeader {
            parent_hash: named(1),
            fee_recipient: Address::ZERO,
            state_root: named(2),
            receipts_root: named(3),
            logs_bloom: Bloom::ZERO,
            prev_randao: named(4),
            block_number: slot.get(),
            gas_limit: 36_000_000,
            gas_used: 21_000,
            timestamp: self.network.slot_start(slot).as_secs(),
            extra_data: Bytes::from_static(b"forged"),
            base_fee_per_gas: U256::from(7),
            block_hash: named(5),
            transactions_root: named(6),
            withdrawals_root: named(7),
            blob_gas_used: has_blobs.then_some(0),
            excess_blob_gas: has_blobs.then_some(0),
        }
    }

    /// The header as a Gloas object has it: with only the hash of its execution block, if it has one.
    pub fn by_hash(&self, header: LightClientHeader) -> LightClientHeader {
        let Execution::Header(payload) = &header.execution else { return header };
        let rules = self.network.fork_at(header.beacon.slot).unwrap().rules();
        let depth = rules.execution_block_hash.unwrap().ilog2() - rules.execution.unwrap().ilog2();
        let leaves = payload_leaves(payload).into_iter().chain(std::iter::repeat(B256::ZERO));
        let tree = Tree((1 << depth..2 << depth).zip(leaves).collect());
        assert_eq!(tree.node(1), payload.hash_tree_root());
        let length = usize::try_from(Fork::Gloas.rules().execution.unwrap().ilog2()).unwrap();
        let branch = [tree.branch((1 << depth) + BLOCK_HASH_FIELD), header.execution_branch].concat();
        let padding = vec![B256::ZERO; length - branch.len()];
        LightClientHeader {
            beacon: header.beacon,
            execution: Execution::Hash(payload.block_hash),
            execution_branch: [padding, branch].concat(),
        }
    }

    /// The checkpoint of the block at a slot, and its bootstrap.
    pub fn bootstrap(&self, slot: u64) -> (Checkpoint, LightClientBootstrap) {
        let period = self.network.period_at(Slot::new(slot));
        let current_sync_committee = self.committee(period);
        let block = self.block(slot, None);
        let gindex = self.network.fork_at(Slot::new(slot)).unwrap().rules().current_sync_committee;
        let checkpoint =
            Checkpoint { root: block.header.beacon.hash_tree_root(), slot: Some(Slot::new(slot)) };
        let current_sync_committee_branch = block.state.branch(gindex);
        let header = block.header;
        (checkpoint, LightClientBootstrap { header, current_sync_committee, current_sync_committee_branch })
    }

    /// A light client that has just started from the block at a slot.
    pub fn client(&self, slot: u64) -> LightClient {
        let (checkpoint, bootstrap) = self.bootstrap(slot);
        LightClient::bootstrap(self.network.clone(), checkpoint, bootstrap, self.now(slot)).unwrap()
    }

    /// A full update: every member signed the block at `attested` one slot later, and it finalizes the block at
    /// `finalized`.
    pub fn update(&self, attested: u64, finalized: u64) -> LightClientUpdate {
        let finalized = self.block(finalized, None).header;
        let period = self.network.period_at(Slot::new(attested)).saturating_add(1);
        let block = self.block(attested, Some(&finalized));
        self.update_of(&block, Some(finalized), Some(self.committee(period)))
    }

    /// An optimistic update: every member signed the block at `attested` one slot later.
    pub fn optimistic(&self, attested: u64) -> LightClientUpdate {
        self.update_of(&self.block(attested, None), None, None)
    }

    /// An update over `block` with these parts, signed by every member one slot later.
    pub fn update_of(
        &self,
        block: &Block,
        finalized: Option<LightClientHeader>,
        next: Option<SyncCommittee>,
    ) -> LightClientUpdate {
        let slot = block.header.beacon.slot;
        let rules = self.network.fork_at(slot).unwrap().rules();
        let branch = |gindex| block.state.branch(gindex);
        let finalized = match rules.layout {
            HeaderLayout::ExecutionHash => finalized.map(|header| self.by_hash(header)),
            _ => finalized,
        };
        let size = self.network.sync_committee_size();
        let mut update = LightClientUpdate {
            attested_header: block.header.clone(),
            next_sync_committee: next
                .map(|committee| NextSyncCommittee { committee, branch: branch(rules.next_sync_committee) }),
            finality: finalized
                .map(|header| FinalizedPart { header: Some(header), branch: branch(rules.finalized_root) }),
            sync_aggregate: SyncAggregate { bits: Vec::new(), size, signature: Default::default() },
            signature_slot: slot.checked_add(1).unwrap(),
        };
        self.sign(&mut update, size);
        update
    }

    /// Lets the first `signers` members of the right committee sign the update.
    pub fn sign(&self, update: &mut LightClientUpdate, signers: usize) {
        self.sign_as(update, self.network.period_at(update.signature_slot), signers);
    }

    /// Lets the first `signers` members of that period's committee sign the update.
    pub fn sign_as(&self, update: &mut LightClientUpdate, period: Period, signers: usize) {
        let version = self.network.fork_version_at(update.signature_slot.saturating_sub(1));
        self.sign_under(update, period, version, signers);
    }

    /// Lets them sign under that fork version.
    pub fn sign_under(
        &self,
        update: &mut LightClientUpdate,
        period: Period,
        version: [u8; 4],
        signers: usize,
    ) {
        let domain = compute_domain(DOMAIN_SYNC_COMMITTEE, version, self.network.genesis_validators_root());
        let message = compute_signing_root(update.attested_header.beacon.hash_tree_root(), domain);
        let aggregate = &mut update.sync_aggregate;
        aggregate.bits = vec![0; aggregate.size.div_ceil(8)];
        let signatures: Vec<_> = (0..signers)
            .map(|member| {
                aggregate.bits[member / 8] |= 1 << (member % 8);
                self.secret(period, member).sign(message.as_slice(), DST, &[])
            })
            .collect();
        let references: Vec<_> = signatures.iter().collect();
        if let Ok(sum) = AggregateSignature::aggregate(&references, false) {
            aggregate.signature = sum.to_signature().compress().into();
        }
    }

    /// The start of the next slot: a signature over this slot's block can be known then.
    pub fn now(&self, slot: u64) -> UnixTime {
        self.network.slot_start(Slot::new(slot).saturating_add(1))
    }
}

/// The position of `block_hash` in a payload header.
const BLOCK_HASH_FIELD: u64 = 12;

/// The chunks of a payload header's fields.
fn payload_leaves(payload: &ExecutionPayloadHeader) -> Vec<B256> {
    let uint = |number: u64| B256::right_padding_from(&number.to_le_bytes());
    let bloom: Vec<B256> = payload.logs_bloom.as_slice().chunks(32).map(B256::from_slice).collect();
    let extra_data = B256::right_padding_from(&payload.extra_data);
    let mut leaves = vec![
        payload.parent_hash,
        B256::right_padding_from(payload.fee_recipient.as_slice()),
        payload.state_root,
        payload.receipts_root,
        merkleize(&bloom, 3),
        payload.prev_randao,
        uint(payload.block_number),
        uint(payload.gas_limit),
        uint(payload.gas_used),
        uint(payload.timestamp),
        hash_pair(extra_data, uint(payload.extra_data.len().try_into().unwrap())),
        B256::from(payload.base_fee_per_gas.to_le_bytes()),
        payload.block_hash,
        payload.transactions_root,
        payload.withdrawals_root,
    ];
    leaves.extend([payload.blob_gas_used, payload.excess_blob_gas].into_iter().flatten().map(uint));
    leaves
}

/// A number as configurations write it: a number, or decimal or hexadecimal text.
fn number(value: &Value) -> u64 {
    match value {
        Value::Number(number) => number.as_u64().unwrap(),
        Value::String(text) => match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).unwrap(),
            None => text.parse().unwrap(),
        },
        other => panic!("not a number: {other}"),
    }
}

/// The network of a configuration in the form of beacon nodes and of the spec's vectors.
pub fn network_of_config(config: &Value, genesis_time: u64, genesis_validators_root: B256) -> Network {
    const FAR_FUTURE: u64 = u64::MAX;
    let (slots, epochs, size) = match config["PRESET_BASE"].as_str().unwrap() {
        "minimal" => (8, 8, 32),
        "mainnet" => (32, 256, 512),
        "gnosis" => (16, 512, 512),
        other => panic!("no preset `{other}`"),
    };
    let slot_duration = match config.get("SLOT_DURATION_MS") {
        Some(milliseconds) => number(milliseconds),
        None => number(&config["SECONDS_PER_SLOT"]) * 1000,
    };
    let mut toml = format!(
        "name = \"configured\"\nchain_id = 5\ngenesis_time = {genesis_time}\n\
         slot_duration_ms = {slot_duration}\ngenesis_validators_root = \"{genesis_validators_root}\"\n\
         slots_per_epoch = {slots}\nepochs_per_sync_committee_period = {epochs}\n\
         sync_committee_size = {size}\ngenesis_fork_version = \"0x{:08x}\"\n",
        number(&config["GENESIS_FORK_VERSION"]),
    );
    let epoch_of = |fork: &str| config.get(format!("{fork}_FORK_EPOCH")).map_or(FAR_FUTURE, number);
    for fork in Fork::ALL {
        let key = fork.name().to_uppercase();
        let Some(version) = config.get(format!("{key}_FORK_VERSION")) else { continue };
        toml += &format!("[[forks]]\nname = \"{fork}\"\nversion = \"0x{:08x}\"\n", number(version));
        match epoch_of(&key) {
            FAR_FUTURE => {}
            epoch => toml += &format!("epoch = {epoch}\n"),
        }
    }
    if epoch_of("ELECTRA") != FAR_FUTURE {
        let (epoch, blobs) = (epoch_of("ELECTRA"), number(&config["MAX_BLOBS_PER_BLOCK_ELECTRA"]));
        toml += &format!("[[blob_schedule]]\nepoch = {epoch}\nmax_blobs = {blobs}\n");
    }
    for entry in config.get("BLOB_SCHEDULE").and_then(Value::as_array).into_iter().flatten() {
        let (epoch, blobs) = (number(&entry["EPOCH"]), number(&entry["MAX_BLOBS_PER_BLOCK"]));
        toml += &format!("[[blob_schedule]]\nepoch = {epoch}\nmax_blobs = {blobs}\n");
    }
    Network::from_toml(&toml).unwrap_or_else(|error| panic!("{error}\n{toml}"))
}

/// Recorded answers of a real beacon node, in `tests/data/captured`.
pub struct Node {
    /// The folder of the answers.
    pub folder: PathBuf,
    /// The node's network.
    pub network: Network,
}

impl Node {
    /// The node whose answers are in that folder.
    pub fn captured(name: &str) -> Self {
        let folder = crate::data("captured").join(name);
        let read = |file: &str| -> Value {
            let mut whole: Value =
                serde_json::from_slice(&std::fs::read(folder.join(file)).unwrap()).unwrap();
            whole["data"].take()
        };
        let genesis = read("genesis.json");
        let root = genesis["genesis_validators_root"].as_str().unwrap().parse().unwrap();
        let network = network_of_config(&read("config_spec.json"), number(&genesis["genesis_time"]), root);
        Self { folder, network }
    }

    /// The bytes of an answer.
    pub fn answer(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    /// The bootstraps' file names without their endings; each names its block's root.
    pub fn bootstraps(&self) -> Vec<String> {
        let names = std::fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names
            .filter_map(|name| name.to_str().unwrap().strip_suffix(".json").map(str::to_owned))
            .filter(|name| name.starts_with("bootstrap_0x"))
            .collect();
        names.sort();
        names
    }

    /// A light client that has just started from the node's first bootstrap.
    pub fn client(&self) -> LightClient {
        let name = &self.bootstraps()[0];
        let checkpoint: Checkpoint = name.trim_start_matches("bootstrap_").parse().unwrap();
        let answer = self.answer(&format!("{name}.json"));
        let bootstrap = decode::bootstrap(&answer, Encoding::Json, None, &self.network).unwrap();
        let now = self.network.slot_start(bootstrap.header.beacon.slot);
        LightClient::bootstrap(self.network.clone(), checkpoint, bootstrap, now).unwrap()
    }

    /// The time at which an update can be known.
    pub fn now(&self, update: &LightClientUpdate) -> UnixTime {
        self.network.slot_start(update.signature_slot)
    }
}

/// The kind of object in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A full update, alone or as the only one in a list.
    Update,
    /// A finality update.
    Finality,
    /// An optimistic update.
    Optimistic,
}

/// The encoding that a file's name says.
pub fn encoding(file: &Path) -> Encoding {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("json") => Encoding::Json,
        Some("ssz") => Encoding::Ssz,
        other => panic!("no encoding is known for {other:?} in {}", file.display()),
    }
}

/// Decodes an update of that kind from a file, with or without a label.
pub fn read_update(
    file: &Path,
    kind: Kind,
    label: Option<&str>,
    network: &Network,
) -> Result<LightClientUpdate, DecodeError> {
    let bytes = std::fs::read(file).unwrap();
    let encoding = encoding(file);
    match kind {
        Kind::Update if encoding == Encoding::Json && bytes.starts_with(b"[") => {
            decode::updates(&bytes, encoding, network).map(|mut updates| {
                assert_eq!(updates.len(), 1, "{}", file.display());
                updates.remove(0)
            })
        }
        Kind::Update => decode::update(&bytes, encoding, label, network),
        Kind::Finality => decode::finality_update(&bytes, encoding, label, network),
        Kind::Optimistic => decode::optimistic_update(&bytes, encoding, label, network),
    }
}
