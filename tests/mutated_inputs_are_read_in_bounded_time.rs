//! No input makes a parser panic or hang: each parser reads 100,000 damaged real inputs, with a time limit for each
//! input.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256, U256, keccak256};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use saldo::{Endpoint, MemoryStorage, Request, Response, Transport, TransportError, Write};
use saldo_beacon::decode::{self, Encoding};
use saldo_beacon::unit::Slot;
use saldo_beacon::{Checkpoint, Fork, LightClient, Network};
use saldo_chain::{Anchor, ExecutionHeader};
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{StateRoot, verify_account};
use saldo_source::execution::{self, Question};
use saldo_source::{Deadline, Directory, checkpoint};
use saldo_tests::beacon::{Forge, MINIMAL_FULU, Node};
use saldo_tests::captured::{CLIENTS, customer, four_accounts, header_rlp, token};
use saldo_tests::checkpoint_world::CheckpointWorld;
use saldo_tests::forge::{self, nibbles};
use saldo_tests::mutation::{Fed, INPUTS, Rng, damage, damaged, feed};
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BEFORE};
use saldo_tests::stopped_clock::StoppedClock;
use saldo_tests::stored::{entries, put, with_record_checksum};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Feeds a parser damaged seeds. It must accept every undamaged seed.
fn feed_bytes(parser: &str, seeds: &[Vec<u8>], reads: impl Fn(&[u8]) -> bool) {
    feed_each(parser, seeds, |_, bytes| reads(bytes));
}

/// The same, for parsers that need to know the seed of an input.
fn feed_each(parser: &str, seeds: &[Vec<u8>], reads: impl Fn(usize, &[u8]) -> bool) {
    for (at, seed) in seeds.iter().enumerate() {
        assert!(reads(at, seed), "{parser} accepts the real input {at}");
    }
    let make = |rng: &mut Rng| {
        let at = rng.below(seeds.len());
        let mut bytes = seeds[at].clone();
        damage(&mut bytes, seeds, rng);
        (at, bytes)
    };
    check(parser, feed(parser, make, |(at, bytes)| reads(*at, bytes)));
}

/// Damage that is always accepted, or always refused at the first byte, would test nothing.
fn check(parser: &str, fed: Fed) {
    println!("{parser}: {} read, {} refused", fed.read, fed.refused);
    assert_eq!(fed.read + fed.refused, 100_000);
    assert!(fed.read > 0 && fed.refused > INPUTS / 20, "{parser}: {fed:?}");
}

/// A proof, and the position in each node, except the last, of the next node's hash.
struct Proof {
    key: B256,
    nodes: Vec<Vec<u8>>,
    links: Vec<usize>,
}

impl Proof {
    fn new(key: B256, nodes: &[impl AsRef<[u8]>]) -> Self {
        let nodes: Vec<Vec<u8>> = nodes.iter().map(|node| node.as_ref().to_vec()).collect();
        let link = |pair: &[Vec<u8>]| {
            let hash = keccak256(&pair[1]);
            pair[0].windows(32).position(|window| window == hash.as_slice()).unwrap()
        };
        let links = nodes.windows(2).map(link).collect();
        Self { key, nodes, links }
    }

    /// Damages one node and updates the hashes in all nodes above it, so that the parser reads all the damage. Or
    /// removes, doubles or reorders nodes.
    fn damaged(&self, all: &[Vec<u8>], rng: &mut Rng) -> Vec<Vec<u8>> {
        let mut nodes = self.nodes.clone();
        let at = rng.below(nodes.len());
        match rng.below(10) {
            0 => nodes.truncate(at),
            1 => drop(nodes.remove(at)),
            2 => nodes.insert(at, self.nodes[rng.below(self.nodes.len())].clone()),
            3 => {
                let more = *rng.pick(&[1, 64, 66, 300]);
                nodes.extend(vec![vec![0x80]; more]);
            }
            _ => {
                damage(&mut nodes[at], all, rng);
                for above in (0..at).rev() {
                    let hash = keccak256(&nodes[above + 1]);
                    let link = self.links[above];
                    nodes[above][link..link + 32].copy_from_slice(hash.as_slice());
                }
            }
        }
        nodes
    }

    fn root(nodes: &[Vec<u8>]) -> B256 {
        nodes.first().map(keccak256).unwrap_or_default()
    }
}

fn all_nodes(proofs: &[Proof]) -> Vec<Vec<u8>> {
    proofs.iter().flat_map(|proof| proof.nodes.clone()).collect()
}

#[test]
fn account_proofs() {
    let captured: Vec<_> =
        four_accounts().into_iter().chain(CLIENTS.map(customer)).chain(CLIENTS.map(token)).collect();
    let proofs: Vec<(Address, Proof)> = captured
        .iter()
        .map(|captured| (captured.address, Proof::new(B256::ZERO, &captured.reply.account_proof)))
        .collect();
    let all: Vec<Vec<u8>> = proofs.iter().flat_map(|(_, proof)| proof.nodes.clone()).collect();
    let fed = feed(
        "account proof",
        |rng| {
            let (address, proof) = rng.pick(&proofs);
            (*address, proof.damaged(&all, rng))
        },
        |(address, nodes)| verify_account(StateRoot::new(Proof::root(nodes)), *address, nodes).is_ok(),
    );
    check("account proof", fed);
}

#[test]
fn storage_proofs() {
    let proofs: Vec<Proof> = CLIENTS
        .map(token)
        .iter()
        .flat_map(|token| &token.reply.storage_proof)
        .map(|storage| Proof::new(B256::from(storage.key), &storage.proof))
        .collect();
    let all = all_nodes(&proofs);
    let address = Address::repeat_byte(1);
    let path = nibbles(keccak256(address).as_slice());
    let fed = feed(
        "storage proof",
        |rng| {
            let proof = rng.pick(&proofs);
            let nodes = proof.damaged(&all, rng);
            // An account with the storage trie of these nodes.
            let account = forge::account(1, U256::ZERO, Proof::root(&nodes), B256::ZERO);
            let top = forge::leaf(&path, &account);
            let root = StateRoot::new(keccak256(&top));
            (verify_account(root, address, &[top]).unwrap(), proof.key, nodes)
        },
        |(account, key, nodes)| account.slot(*key, nodes).is_ok(),
    );
    check("storage proof", fed);
}

#[test]
fn account_replies() {
    let seeds: Vec<Vec<u8>> = CLIENTS
        .iter()
        .flat_map(|client| [customer(client), token(client)])
        .map(|captured| captured.json.to_string().into_bytes())
        .collect();
    feed_bytes("account reply", &seeds, |bytes| {
        serde_json::from_slice::<AccountReply>(bytes).is_ok_and(|reply| {
            let _ = reply.verify(StateRoot::new(B256::ZERO), reply.address.unwrap_or_default());
            reply.storage(B256::ZERO).is_none_or(|storage| storage.key.is_zero())
        })
    });
}

/// The blocks of real clients, as JSON.
fn blocks() -> Vec<Value> {
    CLIENTS
        .iter()
        .map(|client| saldo_tests::data("captured").join(client).join("block_latest.json"))
        .map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
        .collect()
}

#[test]
fn headers_as_rlp() {
    let seeds: Vec<Vec<u8>> = blocks().iter().map(header_rlp).collect();
    // Each is decoded under its own hash, so that it is read completely.
    feed_bytes("header RLP", &seeds, |bytes| ExecutionHeader::from_rlp(bytes, keccak256(bytes)).is_ok());
}

#[test]
fn headers_as_json() {
    let blocks = blocks();
    let hashes: Vec<B256> = blocks.iter().map(|block| keccak256(header_rlp(block))).collect();
    let seeds: Vec<Vec<u8>> = blocks.iter().map(|block| block.to_string().into_bytes()).collect();
    feed_each("header JSON", &seeds, |at, bytes| ExecutionHeader::from_json(bytes, hashes[at]).is_ok());
}

const NODES: [&str; 2] = ["pyspec-ethrex-fulu", "pyspec-ejs-electra"];

/// The answers of one node, one of each kind, unchanged. Of a list in JSON, which is long, only the first update.
fn answers(node: &Node, encoding: Encoding) -> [Vec<u8>; 5] {
    let ending = if encoding == Encoding::Json { "json" } else { "ssz" };
    let list = node.answer(&format!("updates_0_8.{ending}"));
    let (first, list) = match encoding {
        Encoding::Json => {
            let first = &serde_json::from_slice::<Value>(&list).unwrap()[0];
            (first.to_string().into_bytes(), json!([first]).to_string().into_bytes())
        }
        Encoding::Ssz => {
            let length = u64::from_le_bytes(list[..8].try_into().unwrap());
            (list[12..8 + usize::try_from(length).unwrap()].to_vec(), list)
        }
    };
    let [bootstrap, finality, optimistic] =
        [node.bootstraps()[0].as_str(), "finality_update", "optimistic_update"]
            .map(|file| node.answer(&format!("{file}.{ending}")));
    [bootstrap, first, finality, optimistic, list]
}

/// Feeds one kind of object in one encoding to its parser, with the network of each node.
fn feed_objects(kind: usize, encoding: Encoding) {
    let nodes = NODES.map(Node::captured);
    let seeds: Vec<Vec<u8>> = nodes.iter().map(|node| answers(node, encoding)[kind].clone()).collect();
    let names = ["bootstrap", "update", "finality update", "optimistic update", "list of updates"];
    let read = |bytes: &[u8], network: &Network| match kind {
        0 => decode::bootstrap(bytes, encoding, None, network).is_ok(),
        1 => decode::update(bytes, encoding, None, network).is_ok(),
        2 => decode::finality_update(bytes, encoding, None, network).is_ok(),
        3 => decode::optimistic_update(bytes, encoding, None, network).is_ok(),
        _ => decode::updates(bytes, encoding, network).is_ok(),
    };
    let parser = format!("{} in {encoding:?}", names[kind]);
    feed_each(&parser, &seeds, |at, bytes| read(bytes, &nodes[at].network));
}

#[test]
fn bootstraps_as_ssz() {
    feed_objects(0, Encoding::Ssz);
}

#[test]
fn updates_as_ssz() {
    feed_objects(1, Encoding::Ssz);
}

#[test]
fn finality_updates_as_ssz() {
    feed_objects(2, Encoding::Ssz);
}

#[test]
fn optimistic_updates_as_ssz() {
    feed_objects(3, Encoding::Ssz);
}

#[test]
fn lists_of_updates_as_ssz() {
    feed_objects(4, Encoding::Ssz);
}

#[test]
fn bootstraps_as_json() {
    feed_objects(0, Encoding::Json);
}

#[test]
fn updates_as_json() {
    feed_objects(1, Encoding::Json);
}

#[test]
fn finality_updates_as_json() {
    feed_objects(2, Encoding::Json);
}

#[test]
fn optimistic_updates_as_json() {
    feed_objects(3, Encoding::Json);
}

#[test]
fn lists_of_updates_as_json() {
    feed_objects(4, Encoding::Json);
}

/// A server that gives the same bytes for every request.
struct Answers(Vec<u8>);

impl Transport for Answers {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let body = self.0.clone();
        async { Ok(Response { status: 200, headers: Vec::new(), body }) }.boxed()
    }
}

/// An `Io` in which every answer is `bytes`, and the first request has the id 1.
fn world(bytes: &[u8]) -> saldo_source::Io {
    saldo_source::Io::new(Arc::new(Answers(bytes.to_vec())), Arc::new(StoppedClock))
}

fn endpoint() -> Endpoint {
    "http://provider.test".parse().unwrap()
}

const SECOND: Duration = Duration::from_secs(1);

fn reply(id: u64, result: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

#[test]
fn json_rpc_replies() {
    let mut seeds: Vec<Vec<u8>> = CLIENTS
        .iter()
        .flat_map(|client| [customer(client).json, token(client).json])
        .map(|result| reply(1, &result).to_string().into_bytes())
        .collect();
    seeds.extend(blocks().iter().map(|block| reply(1, block).to_string().into_bytes()));
    let raw = blocks().into_iter().map(|block| json!(alloy_primitives::Bytes::from(header_rlp(&block))));
    seeds.extend(raw.map(|raw| reply(1, &raw).to_string().into_bytes()));
    let endpoint = endpoint();
    feed_bytes("JSON-RPC reply", &seeds, |bytes| {
        let question = Question::RawHeader(B256::ZERO);
        let network = world(bytes);
        let result = execution::ask(&network, &endpoint, &question, SECOND).now_or_never().unwrap();
        let _ = result.as_ref().map(|raw| execution::raw_header(raw));
        result.is_ok()
    });
}

#[test]
fn json_rpc_batches() {
    let seeds: Vec<Vec<u8>> = CLIENTS
        .iter()
        .zip(blocks())
        .map(|(client, block)| json!([reply(2, &customer(client).json), reply(1, &block)]))
        .map(|batch| batch.to_string().into_bytes())
        .collect();
    let endpoint = endpoint();
    let questions = [Question::Block(B256::ZERO), Question::RawHeader(B256::ZERO)];
    feed_bytes("JSON-RPC batch", &seeds, |bytes| {
        let network = world(bytes);
        let together = execution::ask_together(
            &network,
            &endpoint,
            &questions,
            saldo_source::BatchSize::default(),
            SECOND,
        );
        together.now_or_never().unwrap().each.iter().all(Result::is_ok)
    });
}

#[test]
fn chain_ids() {
    let seeds = ["0x1", "0x7a69", "0xaa36a7"].map(|id| reply(1, &json!(id)).to_string().into_bytes());
    let endpoint = endpoint();
    feed_bytes("chain id", &seeds, |bytes| {
        execution::chain_id(&world(bytes), &endpoint, SECOND).now_or_never().unwrap().is_ok()
    });
}

/// A checkpoint source's answers about a block, and about finality.
#[test]
fn checkpoint_answers() {
    let root = B256::repeat_byte(0xab);
    let message = json!({ "slot": "0", "proposer_index": "1", "body_root": root });
    let header =
        json!({ "root": root, "canonical": true, "header": { "message": message, "signature": "0x" } });
    let finality = json!({ "previous_justified": { "epoch": "1", "root": root }, "finalized": { "epoch": "0", "root": root } });
    let seeds: Vec<Vec<u8>> = [json!({ "root": root }), header, finality]
        .into_iter()
        .map(|data| json!({ "execution_optimistic": false, "finalized": true, "data": data }))
        .map(|answer| answer.to_string().into_bytes())
        .collect();
    let endpoint = endpoint();
    feed_bytes("checkpoint source's answer", &seeds, |bytes| {
        let network = world(bytes);
        let deadline = Deadline::after(network.clock(), SECOND);
        let root = checkpoint::block_root(&network, &endpoint, Slot::new(0), deadline);
        let epoch = checkpoint::finalized_epoch(&network, &endpoint, deadline);
        root.now_or_never().unwrap().is_ok() || epoch.now_or_never().unwrap().is_ok()
    });
}

#[test]
fn network_files() {
    let seeds = [MINIMAL_FULU.to_owned(), Network::sepolia().to_toml()].map(String::into_bytes);
    feed_bytes("network file", &seeds, |bytes| Network::from_toml(&String::from_utf8_lossy(bytes)).is_ok());
}

#[test]
fn directories() {
    let entry = |table: &str, host: &str, about: &str| {
        format!(
            "[[{table}]]\nurl = \"https://{host}/\"\noperator = \"{host}\"\nhosting = \"unknown\"\n\
             documented_on = \"https://docs.{host}/\"\nread_on = 2026-11-24\n{about}"
        )
    };
    let seeds = [
        entry("rpc", "one.test", "get_proof = \"128 blocks\"\ntracking = \"none\"\n"),
        entry("beacon", "two.test", "light_client = \"yes\"\n"),
        entry("checkpoint_source", "three.test", "") + &entry("checkpoint_source", "four.test", ""),
    ]
    .map(String::into_bytes);
    feed_bytes("directory", &seeds, |bytes| Directory::from_toml(&String::from_utf8_lossy(bytes)).is_ok());
}

/// Replaces the checksum with the right one, because the loader checks it first.
fn with_checksum(mut body: Vec<u8>) -> Vec<u8> {
    let checksum = Sha256::digest(&body);
    body.extend_from_slice(&checksum);
    body
}

#[test]
fn snapshots() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    let started = client.snapshot();
    let mut update = forge.update(20, 16);
    update.finality = None;
    client.advance(update, forge.now(20)).unwrap();
    let pending = client.snapshot();
    client.advance(forge.update(21, 16), forge.now(21)).unwrap();
    let whole = client.snapshot();
    let now = forge.now(21);
    let network = Arc::new(forge.network);
    // Most seeds have no signature: its check takes milliseconds, and is not part of parsing.
    let bodies = [started.clone(), started.clone(), started, pending, whole]
        .map(|bytes| bytes[..bytes.len() - 32].to_vec());
    let reads = |bytes: &Vec<u8>| LightClient::load(bytes, Arc::clone(&network), now).is_ok();
    for body in &bodies {
        assert!(reads(&with_checksum(body.clone())));
    }
    let make = |rng: &mut Rng| match rng.below(8) {
        0 => damaged(&bodies, rng),
        _ => with_checksum(damaged(&bodies, rng)),
    };
    check("snapshot", feed("snapshot", make, reads));
}

#[test]
fn short_texts() {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let root = B256::repeat_byte(0xab);
    let checkpoints = [format!("{root}"), format!("{root}@14017856")].map(String::into_bytes);
    feed_bytes("checkpoint", &checkpoints, |bytes| text(bytes).parse::<Checkpoint>().is_ok());
    let labels = Fork::ALL.map(|fork| fork.name().as_bytes().to_vec());
    feed_bytes("fork label", &labels, |bytes| text(bytes).parse::<Fork>().is_ok());
    let urls = ["https://provider.test/v3/key?a=1", "http://user:word@[::1]:8545"];
    let urls = urls.map(|url| url.as_bytes().to_vec());
    feed_bytes("URL", &urls, |bytes| Endpoint::new(&text(bytes)).is_ok());
}

/// The records that a wallet stored on a test chain, without their checksums, and the wallet's world.
fn kept() -> (CheckpointWorld, Vec<(String, Vec<u8>)>) {
    let (checkpoint_world, storage) = (CheckpointWorld::new(1, 0), MemoryStorage::new());
    let client = checkpoint_world
        .builder()
        .checkpoint(checkpoint_world.chain.checkpoint())
        .storage(storage.clone())
        .build()
        .unwrap();
    checkpoint_world.assert_true(&checkpoint_world.read(&client));
    let body = |(name, mut value): (String, Vec<u8>)| {
        value.truncate(value.len() - 32);
        (name, value)
    };
    let records = entries(&storage).into_iter().map(body).filter(|(name, _)| name != "light-client");
    (checkpoint_world, records.collect())
}

#[test]
fn stored_blocks() {
    let (checkpoint_world, records) = kept();
    let blocks = records.into_iter().filter(|(name, _)| name.starts_with("block/"));
    let seeds: Vec<Vec<u8>> = blocks.map(|(_, value)| value).collect();
    feed_bytes("stored block", &seeds, |bytes| {
        Anchor::load(bytes, checkpoint_world.network.chain_id()).is_ok()
    });
}

/// Each record gets its right checksum, so that its content is parsed.
fn feed_record(parser: &str, prefix: &str) {
    let (checkpoint_world, records) = kept();
    let place = records.iter().position(|(name, _)| name.starts_with(prefix)).unwrap();
    let (name, seed) = records[place].clone();
    let others = records.iter().filter(|(other, _)| *other != name);
    let others: Vec<Write> = others
        .map(|(name, value)| Write {
            name: name.clone(),
            value: Some(with_record_checksum(name, value.clone())),
        })
        .collect();
    feed_each(parser, &[seed], |_, bytes| {
        let storage = MemoryStorage::new();
        let damaged = Write { name: name.clone(), value: Some(with_record_checksum(&name, bytes.to_vec())) };
        put(&storage, [others.clone(), vec![damaged]].concat());
        let builder = checkpoint_world.builder().checkpoint(checkpoint_world.chain.checkpoint());
        let client = builder.storage(storage).build().unwrap();
        let last = client.last(&native(ALICE));
        assert!(last.is_none_or(|last| last.amount().base_units() == BEFORE));
        client.storage_faults().is_empty()
    });
}

#[test]
fn stored_readings() {
    feed_record("stored reading", "reading/");
}

#[test]
fn stored_knowledge() {
    feed_record("stored knowledge", "providers");
}

#[test]
fn stored_disclosures() {
    feed_record("stored disclosures", "disclosed/");
}
