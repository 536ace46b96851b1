//! Evidence of a false proof is checked by a person who knows nothing but the file, and shows no more than it can.

use saldo::proof_files::{FalseProof, FalseProofError};
use saldo_drill::http::{HttpRequest, Reaction, Service};
use saldo_drill::{Fault, Provider};
use saldo_proof::ProofError;
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BOB, Scene};
use saldo_tests::token::{WETH, deploy, erc20, set_word};
use serde_json::{Value, json};

fn evidence(seed: u64, fault: Fault) -> (Scene, Value) {
    let scene = Scene::new(seed, 2, 1);
    deploy(&scene.chain);
    for owner in [ALICE, BOB] {
        set_word(&scene.chain, WETH, "WETH9", owner, 11_u64.try_into().unwrap());
    }
    scene.pass_slots(3);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.pass_slots(1);
    scene.providers[0].add(fault);
    let holdings = [native(ALICE), erc20(ALICE, WETH)];
    let _ = scene.simulation.run(scene.client.read(&holdings));
    let evidence = scene.client.evidence();
    let json = serde_json::from_str(&evidence.first().expect("a false proof").to_json()).unwrap();
    (scene, json)
}

fn check(json: &Value) -> Result<FalseProof, FalseProofError> {
    FalseProof::verify(json.to_string().as_bytes())
}

#[test]
fn a_false_proof_is_found_false_again() {
    let (scene, json) = evidence(1, Fault::TruncatedProof { nodes: 1 });
    assert_eq!(json["schema"], "saldo.evidence/1");
    let found = check(&json).unwrap();
    let block = scene.chain.block(found.number()).unwrap();
    assert_eq!((found.address(), found.hash()), (ALICE, block.hash));
    assert!(matches!(found.refusal(), ProofError::Truncated { .. }), "{found:?}");
    assert_eq!(found.other_root(), None);
    // The reason in the file is not believed.
    let mut said = json;
    said["reason"] = json!("nothing at all");
    assert_eq!(check(&said).unwrap(), found);
}

/// A true proof is evidence of nothing, whatever the file says about it.
#[test]
fn a_true_proof_is_no_evidence() {
    let (scene, mut json) = evidence(2, Fault::TruncatedProof { nodes: 1 });
    let number = json["block"]["number"].as_u64().unwrap();
    let again = scene.simulation.run(scene.client.read(&[native(ALICE)]));
    let true_number = again[0].proven().unwrap().anchor().number();
    assert!(true_number >= number);
    let reply = true_reply(&scene, ALICE, number);
    json["reply"] = reply;
    assert!(matches!(check(&json), Err(FalseProofError::Genuine { .. })));
    // Under another root it is false, and the file says that it is complete under its own.
    let root = json["block"]["stateRoot"].clone();
    json["block"]["stateRoot"] = json!(alloy_primitives::B256::repeat_byte(7));
    let found = check(&json).unwrap();
    assert_eq!(json!(found.other_root().unwrap().get()), root);
    assert!(FalseProof::CANNOT_SHOW.iter().all(|sentence| sentence.starts_with("It does not show")));
}

/// What an honest provider says about `owner` at block `number`.
fn true_reply(scene: &Scene, owner: alloy_primitives::Address, number: u64) -> Value {
    let body = json!({
        "jsonrpc": "2.0", "id": 1, "method": "eth_getProof", "params": [owner, [], format!("{number:#x}")],
    });
    let request = HttpRequest {
        method: "POST".into(),
        path: "/".into(),
        body: body.to_string().into_bytes(),
        ..HttpRequest::default()
    };
    let Reaction::Reply(reply) = Provider::honest(&scene.chain).answer(&request) else { panic!("no reply") };
    serde_json::from_slice::<Value>(&reply.body).unwrap()["result"].clone()
}

#[test]
fn malformed_evidence_shows_nothing() {
    let (_, json) = evidence(3, Fault::TruncatedProof { nodes: 1 });
    for pointer in [
        "/request/method",
        "/request/params/0",
        "/request/params/1",
        "/request/params/2/blockHash",
        "/block/hash",
        "/block/number",
        "/block/stateRoot",
        "/reply",
        "/reply/accountProof",
    ] {
        for wrong in [Value::Null, json!("0x12"), json!(-1), json!({})] {
            let mut changed = json.clone();
            *changed.pointer_mut(pointer).unwrap() = wrong;
            assert!(matches!(check(&changed), Err(FalseProofError::Malformed { .. })), "{pointer}");
        }
    }
    let mut other = json;
    other["block"]["hash"] = json!(alloy_primitives::B256::repeat_byte(7));
    assert!(matches!(check(&other), Err(FalseProofError::OtherBlock { .. })));
    assert!(matches!(FalseProof::verify(b"no"), Err(FalseProofError::Malformed { .. })));
    let large = vec![b' '; FalseProof::MAX_BYTES + 1];
    assert!(matches!(FalseProof::verify(&large), Err(FalseProofError::TooLarge { .. })));
}
