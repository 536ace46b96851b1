//! How large proof files are, for proofs of the shape that they have on mainnet. The document states these sizes.

use std::path::Path;

use alloy_primitives::{Address, B256, U256, keccak256};
use blst::min_pk::{AggregatePublicKey, AggregateSignature, PublicKey, SecretKey, Signature};
use saldo::proof_files::{BalanceProof, Committee, Form, StateProof, Trust, TrustRoot, verify};
use saldo::{Checkpoint, Holding, Network, NetworkId};
use saldo_beacon::container::{SignatureBytes, SyncAggregate, SyncCommittee};
use saldo_beacon::decode::{self, Encoding};
use saldo_beacon::merkle::hash_pair;
use saldo_beacon::signature::{DOMAIN_SYNC_COMMITTEE, DST, compute_domain, compute_signing_root};
use saldo_beacon::{Execution, Fork, LightClient, LightClientBootstrap, LightClientUpdate};
use saldo_drill::trie::Trie;
use saldo_drill::{Chain, Preset, Seed};
use saldo_proof::eip1186::AccountReply;
use saldo_tests::forge::{list, string};
use saldo_tests::token::layout;
use saldo_tests::vectors;

/// 95 % of 512 members.
const SIGNERS: usize = 486;
const OWNER: Address = Address::repeat_byte(0xa1);

/// The file of `state`, as of a light client that `bootstrap` and `updates` lead to the head.
fn file(
    network: &Network,
    bootstrap: &LightClientBootstrap,
    updates: &[LightClientUpdate],
    head: &LightClientUpdate,
    state: &StateProof,
    form: Form,
) -> Vec<u8> {
    let checkpoint = Checkpoint { root: bootstrap.header.beacon.hash_tree_root(), slot: None };
    let now = network.slot_start(head.signature_slot);
    let mut client = LightClient::bootstrap(network.clone(), checkpoint, bootstrap.clone(), now).unwrap();
    for update in updates {
        assert!(client.advance(update.clone(), now).unwrap().next_committee);
    }
    client.advance(head.clone(), now).unwrap();
    let committee = match form {
        Form::Complete => {
            Committee::Complete { bootstrap: Box::new(bootstrap.clone()), updates: updates.to_vec() }
        }
        Form::Compact => {
            Committee::Compact(Box::new(client.committee_proof(client.signed_update().unwrap()).unwrap()))
        }
    };
    let file = BalanceProof::new(network, committee, head.clone(), Vec::new(), state.clone());
    let bytes = file.encode();
    let trust = Trust::new(network.clone(), TrustRoot::Checkpoint(file.claimed_checkpoint()));
    let verified = verify(&bytes, &trust).unwrap();
    assert_eq!(verified.holdings().len(), state.holdings().count());
    bytes
}

/// A world of mainnet's shape: 7 full levels in the trie of accounts, 5 in that of a token's balances.
fn state_of_tokens(tokens: u64) -> (B256, StateProof) {
    state_of(tokens, true)
}

/// The same, with or without the holding of the coin.
fn state_of(tokens: u64, with_coin: bool) -> (B256, StateProof) {
    let seed = Seed::new(tokens);
    let hashes = |label: &'static str, owner: Address| {
        let (seed, mut index) = (seed.child(&owner.to_string()), 0);
        move || {
            index += 1;
            seed.bytes(label, index)
        }
    };
    let network = NetworkId::new(Chain::CHAIN_ID);
    let mut accounts = Trie::default();
    let mut proof = StateProof::new();
    let mut place = |address: Address, storage_root: B256, code_hash: B256| {
        let key = keccak256(address);
        accounts.thicken(key.as_slice(), 7, &mut hashes("account", address));
        let balance = U256::from(1_500_000_000_000_000_000_u64).to_be_bytes_trimmed_vec();
        let fields =
            [string(&[7]), string(&balance), string(storage_root.as_slice()), string(code_hash.as_slice())];
        accounts.insert(key.as_slice(), &list(&fields));
    };
    place(OWNER, saldo_proof::trie::EMPTY_ROOT_HASH, keccak256([]));
    let weth = layout("WETH9");
    let slot = weth.mapping.slot(OWNER);
    let storage: Vec<(Address, Trie)> = (1..=tokens)
        .map(|token| {
            let token = Address::from_word(seed.bytes("token", token));
            let mut trie = Trie::default();
            trie.thicken(keccak256(slot).as_slice(), 5, &mut hashes("slot", token));
            trie.insert(
                keccak256(slot).as_slice(),
                &string(&U256::from(1_000_000_000).to_be_bytes_trimmed_vec()),
            );
            place(token, trie.root(), weth.code_hash);
            (token, trie)
        })
        .collect();
    if with_coin {
        proof.add_holding(Holding::native(network, OWNER));
        proof.add_account(OWNER, accounts.prove(keccak256(OWNER).as_slice()).unwrap());
    }
    for (token, trie) in &storage {
        proof.add_holding(Holding::erc20(network, OWNER, *token));
        proof.add_account(*token, accounts.prove(keccak256(token).as_slice()).unwrap());
        proof.add_slot(*token, slot, trie.prove(keccak256(slot).as_slice()).unwrap());
    }
    (accounts.root(), proof)
}

/// A committee of 512 members whose keys are known. The drill's members are absent side by side; these are absent far from
/// each other, which takes the most room.
struct Members {
    secrets: Vec<SecretKey>,
    committee: SyncCommittee,
}

impl Members {
    fn new() -> Self {
        let seed = Seed::new(3);
        let secret = |member| SecretKey::key_gen(seed.bytes("secret", member).as_slice(), &[]).unwrap();
        let secrets: Vec<SecretKey> = (0..512).map(secret).collect();
        let keys: Vec<PublicKey> = secrets.iter().map(SecretKey::sk_to_pk).collect();
        let all: Vec<&PublicKey> = keys.iter().collect();
        let sum = AggregatePublicKey::aggregate(&all, false).unwrap().to_public_key();
        let pubkeys = keys.iter().map(|key| key.to_bytes().into()).collect();
        let aggregate_pubkey = sum.to_bytes().into();
        Self { secrets, committee: SyncCommittee { pubkeys, aggregate_pubkey } }
    }

    /// Signs `update`, without the members whose number is one of 26, as far from each other as they can be.
    fn sign(&self, network: &Network, update: &mut LightClientUpdate) {
        let version = network.fork_version_at(update.signature_slot.saturating_sub(1));
        let domain = compute_domain(DOMAIN_SYNC_COMMITTEE, version, network.genesis_validators_root());
        let root = compute_signing_root(update.attested_header.beacon.hash_tree_root(), domain);
        let absent: Vec<usize> = (0..512 - SIGNERS).map(|number| number * 512 / (512 - SIGNERS)).collect();
        let mut bits = vec![0; 64];
        let mut signatures = Vec::new();
        for (member, secret) in self.secrets.iter().enumerate() {
            if !absent.contains(&member) {
                bits[member / 8] |= 1 << (member % 8);
                signatures.push(secret.sign(root.as_slice(), DST, &[]));
            }
        }
        let all: Vec<&Signature> = signatures.iter().collect();
        let sum = AggregateSignature::aggregate(&all, false).unwrap().to_signature();
        let signature = SignatureBytes::from(sum.to_bytes());
        update.sync_aggregate = SyncAggregate { bits, size: 512, signature };
        assert_eq!(update.sync_aggregate.signers(), SIGNERS);
    }
}

/// The root above `leaf` at the generalized index `index`.
fn above(leaf: B256, branch: &[B256], mut index: u64) -> B256 {
    branch.iter().fold(leaf, |node, sibling| {
        let parent = if index & 1 == 1 { hash_pair(*sibling, node) } else { hash_pair(node, *sibling) };
        index >>= 1;
        parent
    })
}

fn sizes(state: &StateProof, root: B256, chain: &Chain) -> [usize; 2] {
    let (network, members) = (chain.network(), Members::new());
    let mut bootstrap = chain.bootstrap(chain.checkpoint().root).unwrap();
    bootstrap.current_sync_committee = members.committee.clone();
    let (leaf, branch) = (members.committee.hash_tree_root(), &bootstrap.current_sync_committee_branch);
    bootstrap.header.beacon.state_root = above(leaf, branch, Fork::Fulu.rules().current_sync_committee);
    let mut head = chain.optimistic_update();
    let header = &mut head.attested_header;
    let Execution::Header(payload) = &mut header.execution else { panic!("a payload header") };
    payload.state_root = root;
    let index = Fork::Fulu.rules().execution.unwrap();
    header.beacon.body_root = above(payload.hash_tree_root(), &header.execution_branch, index);
    members.sign(&network, &mut head);
    [Form::Compact, Form::Complete].map(|form| file(&network, &bootstrap, &[], &head, state, form).len())
}

#[test]
fn one_balance_takes_at_most_16_kb() {
    let chain = Chain::builder(1).preset(Preset::Mainnet).build();
    for tokens in [0, 1] {
        let (root, state) = state_of_tokens(tokens);
        let [compact, complete] = sizes(&state, root, &chain);
        println!("{tokens} tokens: compact {compact}, complete {complete} bytes");
        // With a token the owner's account and that of the token are proven, and a slot.
        assert!(compact <= [16 * 1_024, 17_000][usize::try_from(tokens).unwrap()], "{compact}");
        assert!((30_000..=42_000).contains(&complete), "{complete}");
    }
    let (root, state) = state_of(1, false);
    let [compact, _] = sizes(&state, root, &chain);
    println!("one token alone: compact {compact} bytes");
    assert!(compact <= 16 * 1_024, "{compact}");
}

#[test]
fn fifty_tokens_take_at_most_300_kb() {
    let chain = Chain::builder(2).preset(Preset::Mainnet).build();
    let (root, state) = state_of_tokens(50);
    let [compact, complete] = sizes(&state, root, &chain);
    println!("50 tokens: compact {compact}, complete {complete} bytes");
    assert!(compact <= 300_000, "{compact}");
    assert!(complete <= 330_000, "{complete}");
}

fn read(path: &Path, name: &str) -> Vec<u8> {
    std::fs::read(path.join(name)).unwrap()
}

/// Real heads, real signatures and real proofs of mainnet.
#[test]
fn real_balances_of_mainnet_fit() {
    let network = Network::mainnet();
    for (name, owner, updates) in [
        ("mainnet-electra-11650268-ethbalance", "0x95222290dd7278aa3ddd389cc1e1d165cc4bafe5", true),
        ("mainnet-deneb-11038724-ethbalance", "0x95222290dd7278aa3ddd389cc1e1d165cc4bafe5", false),
        ("mainnet-electra-12890484-precompile2", "0x0000000000000000000000000000000000000002", false),
    ] {
        let Some(path) = vectors(&format!("e2e/{name}")) else { return };
        let bootstrap =
            decode::bootstrap(&read(&path, "bootstrap.ssz"), Encoding::Ssz, None, &network).unwrap();
        let head = read(&path, "optimistic_update.ssz");
        let head = decode::optimistic_update(&head, Encoding::Ssz, None, &network).unwrap();
        let update = |bytes: Vec<u8>| decode::update(&bytes, Encoding::Ssz, None, &network).unwrap();
        let updates: Vec<LightClientUpdate> =
            if updates { vec![update(read(&path, "update_1421.ssz"))] } else { Vec::new() };
        let reply: serde_json::Value = serde_json::from_slice(&read(&path, "eth_getProof_0.json")).unwrap();
        let reply = reply.get("result").unwrap_or(&reply).clone();
        let reply: AccountReply = serde_json::from_value(reply).unwrap();
        let owner: Address = owner.parse().unwrap();
        let mut state = StateProof::new();
        state.add_holding(Holding::native(NetworkId::new(1), owner));
        state.add_account(owner, reply.account_proof);
        let size = |form| file(&network, &bootstrap, &updates, &head, &state, form).len();
        let (compact, complete) = (size(Form::Compact), size(Form::Complete));
        let signers = head.sync_aggregate.signers();
        println!("{name}: {signers} signers, compact {compact}, complete {complete} bytes");
        assert!(compact <= 16 * 1_024, "{compact}");
        let periods = 26_500 * updates.len();
        assert!((28_000 + periods..=42_000 + periods).contains(&complete), "{complete}");
    }
}
