//! JSON objects are parsed strictly: no additional field, no missing field, no other type, no bombs. Only the wrapper
//! around them may vary.

use saldo_beacon::decode::{self, DecodeError, Encoding, MAX_UPDATES};
use saldo_beacon::unit::Slot;
use saldo_beacon::{Fault, Fork, LightClientUpdate, Network};
use saldo_drill::http::{HttpRequest, Reaction, Service};
use saldo_drill::{BeaconSource, Chain};
use saldo_tests::beacon::Node;
use serde_json::{Value, json};

fn genuine(node: &Node) -> Value {
    let mut list: Value = serde_json::from_slice(&node.answer("updates_0_8.json")).unwrap();
    list[1].take()
}

fn read(node: &Node, value: &Value) -> Result<LightClientUpdate, DecodeError> {
    decode::update(&serde_json::to_vec(value).unwrap(), Encoding::Json, None, &node.network)
}

fn changed(node: &Node, pointer: &str, value: Value) -> DecodeError {
    let mut object = genuine(node);
    *object.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
    let refusal = read(node, &object).unwrap_err();
    assert_eq!(refusal.fault(), Fault::Source);
    refusal
}

#[test]
fn wrappers_may_carry_more_and_may_be_missing() {
    let node = Node::captured("pyspec-ethrex-fulu");
    let mut wrapped = genuine(&node);
    let update = read(&node, &wrapped).unwrap();
    wrapped["execution_optimistic"] = json!(false);
    wrapped["finalized"] = json!({ "anything": [null] });
    assert_eq!(read(&node, &wrapped).unwrap(), update);
    assert_eq!(read(&node, &wrapped["data"]).unwrap(), update);
    wrapped.as_object_mut().unwrap().remove("version");
    assert_eq!(read(&node, &wrapped).unwrap(), update);
    let lists = [json!([wrapped]), json!({ "data": [wrapped] }), json!([wrapped["data"]])];
    for list in lists {
        let bytes = serde_json::to_vec(&list).unwrap();
        assert_eq!(
            decode::updates(&bytes, Encoding::Json, &node.network).unwrap(),
            std::slice::from_ref(&update)
        );
    }
}

#[test]
fn fields_are_neither_added_nor_left_out() {
    let node = Node::captured("pyspec-ethrex-fulu");
    let objects = [
        "/data",
        "/data/attested_header",
        "/data/attested_header/beacon",
        "/data/attested_header/execution",
        "/data/finalized_header/beacon",
        "/data/next_sync_committee",
        "/data/sync_aggregate",
    ];
    let mut fields = 0;
    for pointer in objects {
        let mut object = genuine(&node);
        object.pointer_mut(pointer).unwrap()["colour"] = json!("red");
        let refusal = read(&node, &object).unwrap_err();
        assert!(matches!(refusal, DecodeError::Json(_)), "{pointer}: {refusal}");
        let names: Vec<String> =
            genuine(&node).pointer(pointer).unwrap().as_object().unwrap().keys().cloned().collect();
        for name in names {
            let mut object = genuine(&node);
            object.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(&name);
            let refusal = read(&node, &object).unwrap_err();
            let is_blob_field = name == "blob_gas_used" || name == "excess_blob_gas";
            let expected = match refusal {
                DecodeError::Json(_) => !is_blob_field,
                DecodeError::ExecutionLayout { .. } => is_blob_field,
                _ => false,
            };
            assert!(expected, "{pointer}/{name}: {refusal}");
            fields += 1;
        }
    }
    assert_eq!(fields, 7 + 3 + 5 + 17 + 5 + 2 + 2);
}

#[test]
fn numbers_are_decimal_strings_and_bytes_have_their_length() {
    let node = Node::captured("pyspec-ethrex-fulu");
    let wrong =
        [json!(5), json!(null), json!("0x5"), json!("-5"), json!("05"), json!(""), json!("5 "), json!([])];
    for value in wrong {
        for pointer in
            ["signature_slot", "attested_header/beacon/slot", "attested_header/execution/base_fee_per_gas"]
        {
            let refusal = changed(&node, &format!("/data/{pointer}"), value.clone());
            assert!(matches!(refusal, DecodeError::Json(_)), "{pointer} = {value}: {refusal}");
        }
    }
    let nulls = changed(&node, "/data/attested_header/execution/blob_gas_used", json!(null));
    assert!(matches!(nulls, DecodeError::Json(_)), "{nulls}");
    let over = json!("115792089237316195423570985008687907853269984665640564039457584007913129639936");
    let refusal = changed(&node, "/data/attested_header/execution/base_fee_per_gas", over);
    assert!(matches!(refusal, DecodeError::Json(_)), "{refusal}");
    for value in [json!("0x12"), json!(format!("0x{}", "1".repeat(66))), json!("0xzz"), json!(null)] {
        for pointer in ["attested_header/beacon/state_root", "sync_aggregate/sync_committee_signature"] {
            let refusal = changed(&node, &format!("/data/{pointer}"), value.clone());
            assert!(matches!(refusal, DecodeError::Json(_)), "{pointer} = {value}: {refusal}");
        }
    }
}

#[test]
fn lists_have_the_length_of_their_fork_and_network() {
    let node = Node::captured("pyspec-ethrex-fulu");
    let branches = [
        ("finality_branch", 7),
        ("next_sync_committee_branch", 6),
        ("attested_header/execution_branch", 4),
        ("next_sync_committee/pubkeys", 32),
    ];
    for (pointer, expected) in branches {
        let pointer = format!("/data/{pointer}");
        let items = genuine(&node).pointer(&pointer).unwrap().as_array().unwrap().clone();
        assert_eq!(items.len(), expected);
        let longer = [&items[..], &items[..1]].concat();
        for items in [items[1..].to_vec(), longer, Vec::new()] {
            let got = items.len();
            let refusal = changed(&node, &pointer, json!(items));
            let is_expected = matches!(refusal, DecodeError::Length { got: g, expected: e, .. } if (g, e) == (got, expected));
            assert!(is_expected, "{pointer}: {refusal}");
        }
    }
}

#[test]
fn participation_is_one_bit_for_each_member() {
    let node = Node::captured("pyspec-ethrex-fulu");
    for bits in ["0x", "0xffffff", "0xffffffffff", &format!("0x{}", "ff".repeat(64))] {
        let refusal = changed(&node, "/data/sync_aggregate/sync_committee_bits", json!(bits));
        assert!(matches!(refusal, DecodeError::ParticipationBits { size: 32 }), "{bits}: {refusal}");
    }
}

#[test]
fn extra_data_is_at_most_32_bytes() {
    let node = Node::captured("pyspec-ethrex-fulu");
    let slot = read(&node, &genuine(&node)).unwrap().attested_slot();
    let refusal =
        changed(&node, "/data/attested_header/execution/extra_data", json!(format!("0x{}", "00".repeat(33))));
    assert!(matches!(refusal, DecodeError::ExecutionLayout { slot: at } if at == slot), "{refusal}");
}

#[test]
fn a_header_has_the_fields_of_its_fork() {
    let node = Node::captured("lodestar151-ejs-capella");
    let mut object: Value = serde_json::from_slice(&node.answer("optimistic_update.json")).unwrap();
    let read = |object: &Value| {
        let bytes = serde_json::to_vec(object).unwrap();
        decode::optimistic_update(&bytes, Encoding::Json, None, &node.network)
    };
    let slot = read(&object).unwrap().attested_slot();
    let genuine = object.clone();
    let expected = read(&genuine).unwrap();
    // Some tools write the fields of a later fork. Zeros say nothing, so the object is the same without them.
    for (used, excess) in [(Some("0"), Some("0")), (Some("0"), None), (None, Some("0"))] {
        object = genuine.clone();
        let execution = &mut object["data"]["attested_header"]["execution"];
        for (name, value) in [("blob_gas_used", used), ("excess_blob_gas", excess)] {
            if let Some(value) = value {
                execution[name] = json!(value);
            }
        }
        assert_eq!(read(&object).unwrap(), expected, "{used:?} {excess:?}");
    }
    for (used, excess) in [("1", "0"), ("0", "1"), ("131072", "131072")] {
        let execution = &mut object["data"]["attested_header"]["execution"];
        execution["blob_gas_used"] = json!(used);
        execution["excess_blob_gas"] = json!(excess);
        let refusal = read(&object).unwrap_err();
        assert!(matches!(refusal, DecodeError::ExecutionLayout { slot: at } if at == slot), "{refusal}");
    }
}

/// The same network with other forks, each from its epoch on.
fn with_forks(network: &Network, forks: &[(Fork, u64)]) -> Network {
    let toml = network.to_toml();
    let mut toml = toml[..toml.find("[[forks]]").unwrap()].to_owned();
    for (version, (fork, epoch)) in forks.iter().enumerate() {
        let section = format!("name = \"{fork}\"\nversion = \"0x{version:02}000077\"\nepoch = {epoch}\n");
        toml.push_str(&format!("[[forks]]\n{section}"));
    }
    Network::from_toml(&toml).unwrap()
}

/// One of two headers in an object can be labelled as of another fork. It is decoded by its own slot, and fields that
/// its fork does not have are refused.
#[test]
fn a_finalized_header_has_the_fields_of_its_own_fork() {
    // Labelled as Deneb, in an object of Capella, which has no blob fields.
    let node = Node::captured("lodestar151-ejs-capella");
    let network = with_forks(&node.network, &[(Fork::Capella, 0), (Fork::Deneb, 1_000)]);
    let slot = Slot::new(1_000 * network.slots_per_epoch());
    let mut object: Value = serde_json::from_slice(&node.answer("finality_update.json")).unwrap();
    object["data"]["finalized_header"]["beacon"]["slot"] = json!(slot.to_string());
    let refusal = finality(&object, &network).unwrap_err();
    assert!(matches!(refusal, DecodeError::ExecutionLayout { slot: at } if at == slot), "{refusal}");

    // Labelled as Altair, whose headers have no execution part, in a Gloas object with a block hash.
    let chain = Chain::builder(3).fork(Fork::Gloas).build();
    let network = with_forks(&chain.network(), &[(Fork::Altair, 0), (Fork::Gloas, 1)]);
    let slot = Slot::new(network.slots_per_epoch() - 1);
    assert_eq!(network.fork_at(slot), Ok(Fork::Altair));
    let mut object: Value = served(&chain, "/eth/v1/beacon/light_client/finality_update");
    finality(&object, &network).unwrap();
    object["data"]["finalized_header"]["beacon"]["slot"] = json!(slot.to_string());
    let refusal = finality(&object, &network).unwrap_err();
    assert!(matches!(refusal, DecodeError::ExecutionLayout { slot: at } if at == slot), "{refusal}");
}

fn finality(object: &Value, network: &Network) -> Result<LightClientUpdate, DecodeError> {
    decode::finality_update(&serde_json::to_vec(object).unwrap(), Encoding::Json, None, network)
}

/// The JSON that a source of `chain` serves.
fn served(chain: &Chain, path: &str) -> Value {
    let headers = vec![("accept".to_owned(), "application/json".to_owned())];
    let request = HttpRequest { method: "GET".into(), path: path.into(), headers, ..HttpRequest::default() };
    match BeaconSource::honest(chain).answer(&request) {
        Reaction::Reply(reply) => serde_json::from_slice(&reply.body).unwrap(),
        _ => panic!("an honest source replies"),
    }
}

#[test]
fn a_part_without_its_branch_is_refused_and_an_empty_part_is_absent() {
    let node = Node::captured("pyspec-ethrex-fulu");
    let zeros = |count: usize| json!(vec![format!("0x{}", "00".repeat(32)); count]);
    let refusal = changed(&node, "/data/finality_branch", zeros(7));
    assert!(matches!(refusal, DecodeError::Unproven { field: "finalized_header" }), "{refusal}");
    let refusal = changed(&node, "/data/next_sync_committee_branch", zeros(6));
    assert!(matches!(refusal, DecodeError::Unproven { field: "next_sync_committee" }), "{refusal}");
    let mut object = genuine(&node);
    let data = &mut object["data"];
    data["next_sync_committee_branch"] = zeros(6);
    let empty = json!(format!("0x{}", "00".repeat(48)));
    data["next_sync_committee"] = json!({ "pubkeys": vec![empty.clone(); 32], "aggregate_pubkey": empty });
    assert_eq!(read(&node, &object).unwrap().next_sync_committee, None);
    // Slot 0 means "nothing is final yet", so no other field may have a value.
    let refusal = changed(&node, "/data/finalized_header/beacon/slot", json!("0"));
    assert!(matches!(refusal, DecodeError::Unproven { field: "finalized_header" }), "{refusal}");
    assert!(read(&node, &genuine(&node)).unwrap().finalized_slot() > Slot::new(0));
}

#[test]
fn bombs_cost_nothing() {
    let node = Node::captured("pyspec-ethrex-fulu");
    let list = |bytes: &[u8]| decode::updates(bytes, Encoding::Json, &node.network);
    let object = |bytes: &[u8]| decode::update(bytes, Encoding::Json, None, &node.network);
    for bomb in [
        "[".repeat(1 << 20),
        "{\"data\":".repeat(1 << 16),
        format!("{{\"attested_header\":{}", "[".repeat(1 << 19)),
    ] {
        assert!(matches!(list(bomb.as_bytes()), Err(DecodeError::Json(_))));
        assert!(matches!(object(bomb.as_bytes()), Err(DecodeError::Json(_))));
    }
    let many = format!("[{}0]", "0,".repeat(1 << 21));
    assert!(matches!(list(many.as_bytes()), Err(DecodeError::TooMany { limit: MAX_UPDATES })));
    let one_too_many = json!(vec![genuine(&node); MAX_UPDATES + 1]);
    let refusal = list(&serde_json::to_vec(&one_too_many).unwrap()).unwrap_err();
    assert!(matches!(refusal, DecodeError::TooMany { limit: MAX_UPDATES }));
}

#[test]
fn input_that_is_no_json_object_is_refused() {
    let node = Node::captured("pyspec-ethrex-fulu");
    let text = serde_json::to_string(&genuine(&node)).unwrap();
    let twice = text.replacen("\"signature_slot\":", "\"signature_slot\":\"1\",\"signature_slot\":", 1);
    let bodies = [
        "",
        "null",
        "\"0x\"",
        "5",
        "{}",
        "[]",
        "<html></html>",
        "{\"data\":null}",
        "{\"data\":{}}",
        &text[..500],
        &twice,
        &format!("{text}{{}}"),
    ];
    for body in bodies {
        let result = decode::update(body.as_bytes(), Encoding::Json, None, &node.network);
        assert!(matches!(result, Err(DecodeError::Json(_))), "{body:.40}: {result:?}");
    }
}
