//! The answers of the drill's beacon source: a light client follows it in JSON and in SSZ, and refuses each lie for
//! the reason that the fault names.

use std::time::Duration;

use saldo_beacon::decode::{self, Encoding};
use saldo_beacon::signature::SignatureError;
use saldo_beacon::unit::{Epoch, Period, UnixTime};
use saldo_beacon::{AdvanceError, BootstrapError, Fork, LightClient, LightClientUpdate, Network, Wants};
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_drill::{BeaconSource, Chain, Fault, Preset};
use serde_json::Value;

const LIGHT_CLIENT: &str = "/eth/v1/beacon/light_client";

fn get(source: &BeaconSource, path: &str, query: &[(&str, u64)], encoding: Encoding) -> Reply {
    let accept = match encoding {
        Encoding::Ssz => "application/octet-stream;q=1.0,application/json;q=0.9",
        Encoding::Json => "application/json",
    };
    let request = HttpRequest {
        method: "GET".into(),
        path: path.into(),
        query: query.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())).collect(),
        headers: vec![("accept".into(), accept.into())],
        body: Vec::new(),
    };
    match source.answer(&request) {
        Reaction::Reply(reply) => reply,
        other => panic!("{other:?}"),
    }
}

fn label(reply: &Reply) -> Option<&str> {
    let header = reply.headers.iter().find(|(name, _)| name == "eth-consensus-version");
    header.map(|(_, value)| value.as_str())
}

fn start(chain: &Chain, source: &BeaconSource, encoding: Encoding) -> LightClient {
    let (network, checkpoint) = (chain.network(), chain.checkpoint());
    let path = format!("{LIGHT_CLIENT}/bootstrap/{}", checkpoint.root);
    let reply = get(source, &path, &[], encoding);
    let bootstrap = decode::bootstrap(&reply.body, encoding, label(&reply), &network).unwrap();
    LightClient::bootstrap(network, checkpoint, bootstrap, chain.time()).unwrap()
}

fn updates(
    source: &BeaconSource,
    network: &Network,
    start: Period,
    encoding: Encoding,
) -> Vec<LightClientUpdate> {
    let query = [("start_period", start.get()), ("count", 8)];
    let reply = get(source, &format!("{LIGHT_CLIENT}/updates"), &query, encoding);
    assert_eq!(reply.status, 200);
    decode::updates(&reply.body, encoding, network).unwrap()
}

fn finality_update(source: &BeaconSource, network: &Network, encoding: Encoding) -> LightClientUpdate {
    let reply = get(source, &format!("{LIGHT_CLIENT}/finality_update"), &[], encoding);
    decode::finality_update(&reply.body, encoding, label(&reply), network).unwrap()
}

#[test]
fn a_light_client_follows_for_four_periods() {
    for encoding in [Encoding::Json, Encoding::Ssz] {
        let chain = Chain::new(1);
        let network = chain.network();
        let source = BeaconSource::honest(&chain);
        let mut client = start(&chain, &source, encoding);
        chain.advance(4 * 64);
        while let Wants::Updates { start, .. } = client.wants(chain.time()) {
            for update in updates(&source, &network, start, encoding) {
                client.advance(update, chain.time()).unwrap();
            }
        }
        client.advance(finality_update(&source, &network, encoding), chain.time()).unwrap();
        assert_eq!(client.period(), Period::new(4));
        assert_eq!(client.signed_head().unwrap().beacon_root(), chain.signed().beacon_root);
        assert_eq!(client.finalized_head().beacon_root(), chain.finalized().beacon_root);

        chain.advance(1);
        let reply = get(&source, &format!("{LIGHT_CLIENT}/optimistic_update"), &[], encoding);
        let update = decode::optimistic_update(&reply.body, encoding, label(&reply), &network).unwrap();
        client.advance(update, chain.time()).unwrap();
        assert_eq!(
            client.signed_head().unwrap().execution().header().unwrap().state_root,
            chain.signed().state_root
        );
    }
}

#[test]
fn an_object_is_the_chains_in_both_encodings() {
    let chain = Chain::new(2);
    let network = chain.network();
    let source = BeaconSource::honest(&chain);
    for encoding in [Encoding::Json, Encoding::Ssz] {
        assert_eq!(finality_update(&source, &network, encoding), chain.finality_update());
        let listed = updates(&source, &network, Period::new(0), encoding);
        assert_eq!(listed, [chain.update(Period::new(0)).unwrap()]);
        assert!(updates(&source, &network, Period::new(9), encoding).is_empty());
    }
    // The sizes on a real Fulu network of this preset, minus one byte of `extra_data` per execution header.
    let size = |path: &str| get(&source, &format!("{LIGHT_CLIENT}/{path}"), &[], Encoding::Ssz).body.len();
    assert_eq!(size(&format!("bootstrap/{}", chain.checkpoint().root)), 2613);
    assert_eq!((size("finality_update"), size("optimistic_update")), (2006, 945));
}

#[test]
fn gloas_objects_have_the_specified_sizes() {
    for (preset, members, bits) in [(Preset::Minimal, 32, 4), (Preset::Mainnet, 512, 64)] {
        let chain = Chain::builder(2).preset(preset).fork(Fork::Gloas).build();
        let source = BeaconSource::honest(&chain);
        let size =
            |path: &str| get(&source, &format!("{LIGHT_CLIENT}/{path}"), &[], Encoding::Ssz).body.len();
        let (header, committee, signature) = (496, (members + 1) * 48, bits + 96 + 8);
        let bootstrap = size(&format!("bootstrap/{}", chain.checkpoint().root));
        assert_eq!(bootstrap, header + committee + 11 * 32);
        assert_eq!(size("optimistic_update"), header + signature);
        assert_eq!(size("finality_update"), header + signature + header + 9 * 32);
    }
}

#[test]
fn objects_of_every_fork_are_the_chains() {
    for (place, from) in Fork::ALL.into_iter().enumerate() {
        for to in Fork::ALL.into_iter().skip(place) {
            let chain = Chain::builder(13).fork(from).fork_at(to, Epoch::new(6)).build();
            // At first the final block is of the older fork, then of the newer one.
            for slots in [12, 24] {
                chain.advance(slots);
                let network = chain.network();
                let source = BeaconSource::honest(&chain);
                for encoding in [Encoding::Json, Encoding::Ssz] {
                    let update = finality_update(&source, &network, encoding);
                    assert_eq!(update, chain.finality_update(), "{from} to {to}");
                    let listed = updates(&source, &network, Period::new(0), encoding);
                    assert_eq!(listed[0], chain.update(Period::new(0)).unwrap(), "{from} to {to}");
                    start(&chain, &source, encoding);
                    let reply = get(&source, &format!("{LIGHT_CLIENT}/optimistic_update"), &[], encoding);
                    assert_eq!(label(&reply), Some(to.name()));
                }
            }
        }
    }
}

/// The refusal of an update under `fault`.
fn refusal(fault: Fault) -> AdvanceError {
    let chain = Chain::builder(3).history(100).build();
    let source = BeaconSource::honest(&chain);
    let mut client = start(&chain, &source, Encoding::Ssz);
    source.set(fault);
    let update = finality_update(&source, &chain.network(), Encoding::Ssz);
    client.advance(update, chain.time()).unwrap_err()
}

#[test]
fn false_signatures_are_refused_for_the_right_reason() {
    let few = refusal(Fault::TooFewSigners(21));
    assert!(matches!(few, AdvanceError::TooFewSigners { signers: 21, size: 32, .. }), "{few:?}");
    for fault in [Fault::ForgedSignature, Fault::LastCommittee] {
        let name = format!("{fault:?}");
        let refusal = refusal(fault);
        assert!(matches!(refusal, AdvanceError::Signature(SignatureError::Mismatch)), "{name}: {refusal:?}");
    }
    let other = refusal(Fault::OtherChain(Chain::builder(4).history(100).build()));
    assert!(matches!(other, AdvanceError::Signature(SignatureError::Mismatch)), "{other:?}");
}

#[test]
fn a_chain_split_by_two_thirds_is_a_consensus_fault() {
    let chain = Chain::new(5);
    let other = chain.split();
    let source = BeaconSource::honest(&chain);
    let mut client = start(&chain, &source, Encoding::Ssz);
    chain.advance(3);
    other.advance(3);
    assert_ne!(chain.signed().beacon_root, other.signed().beacon_root);
    client.advance(chain.optimistic_update(), chain.time()).unwrap();
    let refusal = client.advance(other.optimistic_update(), chain.time()).unwrap_err();
    assert!(matches!(refusal, AdvanceError::ConsensusFault(_)), "{refusal:?}");
}

#[test]
fn forged_content_can_have_a_genuine_signature() {
    let chain = Chain::new(6);
    let mut client = start(&chain, &BeaconSource::honest(&chain), Encoding::Ssz);
    let mut update = chain.finality_update();
    update.attested_header.beacon.body_root.0[0] ^= 1;
    chain.sign(&mut update, 32);
    let refusal = client.advance(update, chain.time()).unwrap_err();
    assert!(matches!(refusal, AdvanceError::ExecutionBranch { .. }), "{refusal:?}");
}

#[test]
fn other_faults_withhold_or_mislabel() {
    let chain = Chain::new(7);
    let network = chain.network();
    let source = BeaconSource::honest(&chain).with(Fault::NoBootstrap);
    let path = format!("{LIGHT_CLIENT}/bootstrap/{}", chain.checkpoint().root);
    assert_eq!(get(&source, &path, &[], Encoding::Ssz).status, 404);
    source.set(Fault::NoUpdates);
    assert!(updates(&source, &network, Period::new(0), Encoding::Json).is_empty());
    source.set(Fault::JsonOnly);
    let reply = get(&source, &path, &[], Encoding::Ssz);
    decode::bootstrap(&reply.body, Encoding::Json, label(&reply), &network).unwrap();
    source.set(Fault::WithoutVersion);
    let reply = get(&source, &path, &[], Encoding::Json);
    assert_eq!(label(&reply), None);
    assert_eq!(serde_json::from_slice::<Value>(&reply.body).unwrap().get("version"), None);
    decode::bootstrap(&reply.body, Encoding::Json, None, &network).unwrap();
    source.set(Fault::Relabelled(Fork::Deneb));
    let reply = get(&source, &path, &[], Encoding::Ssz);
    assert_eq!(label(&reply), Some("deneb"));
    decode::bootstrap(&reply.body, Encoding::Ssz, label(&reply), &network).unwrap();

    let lagging = BeaconSource::honest(&chain).lag(2);
    let update = finality_update(&lagging, &network, Encoding::Ssz);
    assert_eq!(update.attested_slot(), chain.signed().slot.saturating_sub(2));
}

#[test]
fn another_chains_bootstrap_is_not_the_checkpoints() {
    let (chain, other) = (Chain::new(8), Chain::new(9));
    let bootstrap = other.bootstrap(other.checkpoint().root).unwrap();
    let refusal = LightClient::bootstrap(chain.network(), chain.checkpoint(), bootstrap, chain.time());
    assert!(matches!(refusal, Err(BootstrapError::WrongRoot { .. })));
}

#[test]
fn the_other_routes_describe_the_network() {
    let chain = Chain::new(10);
    chain.advance(2);
    let source = BeaconSource::honest(&chain);
    let data = |path: &str| {
        let reply = get(&source, path, &[], Encoding::Json);
        assert_eq!(reply.status, 200, "{path}");
        serde_json::from_slice::<Value>(&reply.body).unwrap()["data"].clone()
    };
    let network = chain.network();
    let root = data("/eth/v1/beacon/genesis")["genesis_validators_root"].clone();
    assert_eq!(root, serde_json::json!(network.genesis_validators_root()));
    let spec = data("/eth/v1/config/spec");
    assert_eq!(spec["FULU_FORK_EPOCH"], "0");
    assert_eq!(spec["BLOB_SCHEDULE"], serde_json::json!([{ "EPOCH": "0", "MAX_BLOBS_PER_BLOCK": "9" }]));
    assert_eq!(data("/eth/v1/beacon/headers/finalized")["root"], serde_json::json!(chain.checkpoint().root));
    assert_eq!(data("/eth/v1/beacon/headers/head")["root"], serde_json::json!(chain.tip().beacon_root));
    let finalized = data("/eth/v1/beacon/states/head/finality_checkpoints")["finalized"].clone();
    assert_eq!(finalized["root"], serde_json::json!(chain.checkpoint().root));
    assert_eq!(data("/eth/v1/node/syncing")["is_syncing"], false);
    // The path of a source's URL comes before the routes.
    assert_eq!(data("/v3/key/eth/v1/node/version")["version"], "drill/beacon");
    assert_eq!(get(&source, "/eth/v2/beacon/blocks/head", &[], Encoding::Json).status, 404);
    assert_eq!(source.requests()["headers"], 2);
}

#[test]
fn sources_name_roots_and_lie_about_them() {
    let chain = Chain::new(11);
    chain.skip_slot();
    chain.advance(1);
    let source = BeaconSource::honest(&chain);
    let root = |block: &str| {
        let reply = get(&source, &format!("/eth/v1/beacon/blocks/{block}/root"), &[], Encoding::Json);
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        (reply.status, body["finalized"].clone(), body["data"]["root"].clone())
    };
    let checkpoint = chain.checkpoint();
    let truth = (200, true.into(), serde_json::json!(checkpoint.root));
    let slot = checkpoint.slot.unwrap().to_string();
    for name in [slot.as_str(), "finalized", &checkpoint.root.to_string()] {
        assert_eq!(root(name), truth, "{name}");
    }
    let tip = (200, false.into(), serde_json::json!(chain.tip().beacon_root));
    assert_eq!((root("head"), root(&chain.slot().to_string())), (tip.clone(), tip));
    assert_eq!(root(&chain.slot().saturating_sub(1).to_string()).0, 404, "a slot without a block");
    assert_eq!(root(&chain.slot().saturating_add(1).to_string()).0, 404, "a future slot");

    source.set(Fault::NotFinalized);
    assert_eq!(root(&slot), (200, false.into(), truth.2.clone()));
    source.set(Fault::OtherRoot);
    let lie = root(&slot);
    assert_eq!((lie.0, &lie.1), (200, &truth.1));
    assert_ne!(lie.2, truth.2);
    source.set(Fault::NoRoute.on("block_root"));
    assert_eq!(root(&slot).0, 404);
    source.set(Fault::Checkpointz);
    assert_eq!(root(&slot), truth);
    for route in ["headers/head", "light_client/finality_update"] {
        assert_eq!(get(&source, &format!("/eth/v1/beacon/{route}"), &[], Encoding::Json).status, 404);
    }
}

#[test]
fn every_answer_has_the_chains_date() {
    let chain = Chain::builder(12).genesis_time(UnixTime::from_secs(784_111_297)).build();
    let source = BeaconSource::honest(&chain);
    let date = |path: &str| {
        let reply = get(&source, path, &[], Encoding::Json);
        reply.headers.iter().find(|(name, _)| name == "date").map(|(_, value)| value.clone())
    };
    assert_eq!(date("/eth/v1/beacon/genesis").unwrap(), "Sun, 06 Nov 1994 08:49:37 GMT");
    chain.advance_to(chain.time().saturating_add(Duration::from_secs(5)));
    assert_eq!(date("/nothing").unwrap(), "Sun, 06 Nov 1994 08:49:42 GMT");
    source.set(Fault::ShiftedDate(-3600));
    assert_eq!(date("/eth/v1/beacon/genesis").unwrap(), "Sun, 06 Nov 1994 07:49:42 GMT");
    source.set(Fault::NoDate);
    assert_eq!(date("/eth/v1/beacon/genesis"), None);
}
