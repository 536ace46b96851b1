//! An execution header is trusted because a signed head contains it, or as an ancestor by parent hashes; for no other
//! reason.

use alloy_primitives::B256;
use saldo_beacon::LightClient;
use saldo_chain::{Chain as Headers, ChainError, ExecutionHeader, HeaderError, Level, Path, Standing};
use saldo_drill::http::{HttpRequest, Reaction, Service};
use saldo_drill::{Chain, Provider};
use serde_json::{Value, json};

/// A light client at the newest signed head of a chain of 120 blocks.
fn synced(chain: &Chain) -> LightClient {
    let checkpoint = chain.checkpoint();
    let bootstrap = chain.bootstrap(checkpoint.root).unwrap();
    let mut client = LightClient::bootstrap(chain.network(), checkpoint, bootstrap, chain.time()).unwrap();
    for update in [chain.finality_update(), chain.optimistic_update()] {
        client.advance(update, chain.time()).unwrap();
    }
    client
}

fn block(chain: &Chain, hash: B256) -> Value {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByHash", "params": [hash, false] });
    let request = HttpRequest {
        method: "POST".into(),
        path: "/".into(),
        body: call.to_string().into_bytes(),
        ..HttpRequest::default()
    };
    let Reaction::Reply(reply) = Provider::honest(chain).answer(&request) else { panic!("no reply") };
    serde_json::from_slice::<Value>(&reply.body).unwrap()["result"].take()
}

fn header(chain: &Chain, hash: B256) -> ExecutionHeader {
    ExecutionHeader::from_json(block(chain, hash).to_string().as_bytes(), hash).unwrap()
}

#[test]
fn parents_are_trusted_as_far_as_the_cap() {
    let chain = Chain::builder(1).history(120).build();
    let client = synced(&chain);
    let mut headers = Headers::new();
    headers.follow(&client).unwrap();
    let head = headers.newest(Level::Signed).unwrap().clone();
    assert_eq!(head.number(), chain.signed().number);
    assert_eq!(head.path(), Path::Head);

    let mut steps = 0;
    while let Some((number, hash)) = headers.missing_parent(0) {
        let anchor = headers.attach(&header(&chain, hash)).unwrap().clone();
        steps += 1;
        assert_eq!((anchor.number(), anchor.hash()), (number, hash));
        assert_eq!(anchor.state_root().get(), chain.block(number).unwrap().state_root);
        assert_eq!(headers.anchor_at_root(anchor.state_root()), Some(&anchor));
        assert!(head.number() - number <= Headers::MAX_ANCESTRY);
    }
    // The finalized head in between was known already.
    assert_eq!(steps + 1, Headers::MAX_ANCESTRY, "not further than the cap");

    // Ancestors of the signed head are as certain as the head. Those of the finalized head are final.
    let finalized = headers.newest(Level::Finalized).unwrap();
    assert_eq!(finalized.number(), chain.finalized().number);
    for number in head.number() - Headers::MAX_ANCESTRY..head.number() {
        let anchor = headers
            .anchor_at_root(saldo_proof::StateRoot::new(chain.block(number).unwrap().state_root))
            .unwrap();
        assert_eq!(anchor.assurance().level() == Level::Finalized, number <= finalized.number(), "{number}");
    }
}

#[test]
fn a_header_that_is_nobodys_parent_is_refused() {
    let chain = Chain::builder(2).history(60).build();
    let client = synced(&chain);
    let mut headers = Headers::new();
    headers.follow(&client).unwrap();
    let grandparent = chain.block(chain.signed().number - 2).unwrap().hash;
    assert_eq!(
        headers.attach(&header(&chain, grandparent)),
        Err(ChainError::NotAParent { hash: grandparent })
    );
    let other_chain = Chain::builder(3).history(60).build();
    let other = other_chain.signed().hash;
    assert_eq!(headers.attach(&header(&other_chain, other)), Err(ChainError::NotAParent { hash: other }));
}

#[test]
fn an_edited_header_is_refused() {
    let chain = Chain::builder(4).history(60).build();
    let hash = chain.signed().hash;
    for (field, value) in
        [("stateRoot", json!(B256::repeat_byte(1))), ("number", json!("0x1")), ("timestamp", json!("0x1"))]
    {
        let mut edited = block(&chain, hash);
        edited[field] = value;
        let refusal = ExecutionHeader::from_json(edited.to_string().as_bytes(), hash);
        assert!(matches!(refusal, Err(HeaderError::HashMismatch { .. })), "{field}");
    }
}

#[test]
fn what_a_newer_head_excludes_is_withdrawn() {
    let chain = Chain::builder(5).history(60).build();
    let mut client = synced(&chain);
    let mut headers = Headers::new();
    headers.follow(&client).unwrap();
    let before = headers.newest(Level::Signed).unwrap().clone();
    let finalized = headers.newest(Level::Finalized).unwrap().clone();
    assert_eq!(headers.standing(&before), Standing::Stands);

    chain.reorg(4);
    // Heads may have been signed in between without the client seeing them: then the parents decide.
    chain.advance(2);
    for update in [chain.finality_update(), chain.optimistic_update()] {
        let _ = client.advance(update, chain.time());
    }
    headers.follow(&client).unwrap();
    while let Some((_, hash)) = headers.missing_parent(before.number() - 1) {
        headers.attach(&header(&chain, hash)).unwrap();
    }
    assert_eq!(headers.standing(&before), Standing::Withdrawn);
    assert_eq!(headers.standing(&finalized), Standing::Stands);
    assert!(headers.anchor_at_root(before.state_root()).is_none(), "a withdrawn block's root joins nothing");
}

/// A light client with an older head does not lead the chain back.
#[test]
fn an_old_head_changes_nothing() {
    let chain = Chain::builder(6).history(60).build();
    let old = synced(&chain);
    chain.advance(3);
    let new = synced(&chain);
    let mut headers = Headers::new();
    headers.follow(&new).unwrap();
    let newest = headers.newest(Level::Signed).unwrap().clone();
    headers.follow(&old).unwrap();
    assert_eq!(headers.newest(Level::Signed), Some(&newest));
    assert_eq!(headers.standing(&newest), Standing::Stands);
}

/// Two signed blocks of one number, one of them final: the chain stops and does not choose.
#[test]
fn a_head_against_finality_is_a_consensus_fault() {
    let chain = Chain::builder(7).history(60).build();
    let other = chain.split();
    let mut client = synced(&chain);
    let mut headers = Headers::new();
    chain.advance(40);
    other.advance(40);
    for update in [chain.finality_update(), chain.optimistic_update()] {
        let _ = client.advance(update, chain.time());
    }
    let hand_over = chain.update(client.period()).unwrap();
    let _ = client.advance(hand_over, chain.time());
    for update in [chain.finality_update(), chain.optimistic_update()] {
        let _ = client.advance(update, chain.time());
    }
    headers.follow(&client).unwrap();
    let mut misled = synced(&other);
    let hand_over = other.update(misled.period()).unwrap();
    let _ = misled.advance(hand_over, other.time());
    for update in [other.finality_update(), other.optimistic_update()] {
        let _ = misled.advance(update, other.time());
    }
    assert_ne!(misled.finalized_head().beacon_root(), client.finalized_head().beacon_root());
    assert!(matches!(headers.follow(&misled), Err(ChainError::ConsensusFault { .. })));
}
