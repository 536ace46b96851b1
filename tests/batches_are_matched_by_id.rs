//! Several questions in one request: each reply belongs to the question with its id, and replies that cannot be matched are not
//! used.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::{Address, B256};
use futures_util::FutureExt;
use saldo::{Endpoint, Failure, Request, Response, Transport, TransportError};
use saldo_source::execution::{At, Question, Together, ask_together};
use saldo_source::{BatchSize, Io};
use saldo_tests::stopped_clock::{StoppedClock as Still, now};
use serde_json::{Value, json};

type Answers = dyn Fn(&Value) -> (u16, Value) + Send + Sync;

/// A provider with the test's answers.
#[derive(Clone)]
struct Scripted {
    answers: Arc<Answers>,
    bodies: Arc<Mutex<Vec<Value>>>,
    limits: Arc<Mutex<Vec<usize>>>,
}

impl Transport for Scripted {
    fn send(
        &self,
        request: Request,
    ) -> futures_util::future::BoxFuture<'static, Result<Response, TransportError>> {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let (status, reply) = (self.answers)(&body);
        self.bodies.lock().unwrap().push(body);
        self.limits.lock().unwrap().push(request.max_bytes);
        let body = reply.to_string().into_bytes();
        let response = Response { status, headers: Vec::new(), body };
        async move { if status == UNREACHED { Err(TransportError::Connect) } else { Ok(response) } }.boxed()
    }
}

/// A status that stands for no connection.
const UNREACHED: u16 = 0;
const HASH: B256 = B256::repeat_byte(7);

fn questions() -> [Question; 2] {
    let proof = Question::Proof {
        address: Address::repeat_byte(1),
        keys: vec![B256::with_last_byte(2)],
        at: At::Hash(HASH),
    };
    [Question::Block(HASH), proof]
}

fn answered(
    answers: impl Fn(&Value) -> (u16, Value) + Send + Sync + 'static,
    by_batch: bool,
) -> (Together, Vec<Value>, Vec<usize>) {
    all_answered(&questions(), answers, if by_batch { 100 } else { 1 })
}

fn all_answered(
    questions: &[Question],
    answers: impl Fn(&Value) -> (u16, Value) + Send + Sync + 'static,
    batch: usize,
) -> (Together, Vec<Value>, Vec<usize>) {
    let scripted = Scripted { answers: Arc::new(answers), bodies: Arc::default(), limits: Arc::default() };
    let io = Io::new(Arc::new(scripted.clone()), Arc::new(Still));
    let provider: Endpoint = "http://provider.test".parse().unwrap();
    let together =
        now(ask_together(&io, &provider, questions, BatchSize::known(batch), Duration::from_secs(1)));
    let bodies = scripted.bodies.lock().unwrap().clone();
    let limits = scripted.limits.lock().unwrap().clone();
    (together, bodies, limits)
}

fn reply(call: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": call["id"], "result": call["method"] })
}

fn replies(body: &Value) -> Vec<Value> {
    body.as_array().map(|calls| calls.iter().map(reply).collect()).unwrap_or_default()
}

fn results(together: &Together) -> Vec<Result<String, Failure>> {
    together
        .each
        .iter()
        .map(|each| each.as_ref().map(|raw| raw.get().to_owned()).map_err(Clone::clone))
        .collect()
}

fn both() -> Vec<Result<String, Failure>> {
    vec![Ok("\"eth_getBlockByHash\"".to_owned()), Ok("\"eth_getProof\"".to_owned())]
}

fn malformed(what: &'static str) -> Result<String, Failure> {
    Err(Failure::Malformed { what })
}

#[test]
fn one_request_in_any_order() {
    let (together, bodies, limits) = answered(|body| (200, Value::Array(replies(body))), true);
    assert_eq!(results(&together), both());
    assert_eq!(together.batch.size(), 100);
    assert_eq!(bodies.len(), 1);
    let params = &bodies[0][1]["params"];
    assert_eq!(params[1][0], json!(B256::with_last_byte(2)), "a key is sent as 32 bytes");
    assert_eq!(params[2], json!({ "blockHash": HASH }));
    let alone: usize = answered(|call| (200, reply(call)), false).2.iter().sum();
    assert_eq!(limits, [alone], "the limit of a batch is that of all its calls");

    let reversed = |body: &Value| (200, Value::Array(replies(body).into_iter().rev().collect()));
    assert_eq!(results(&answered(reversed, true).0), both());
}

#[test]
fn a_missing_reply_is_missing() {
    let first = |body: &Value| (200, Value::Array(replies(body).into_iter().take(1).collect()));
    let (together, bodies, _) = answered(first, true);
    let expected = vec![both().remove(0), malformed("no reply to one of several calls")];
    assert_eq!(results(&together), expected);
    assert_eq!(bodies.len(), 1);
}

#[test]
fn a_doubled_reply_is_used_for_nothing() {
    let doubled = |body: &Value| {
        let mut replies = replies(body);
        replies[1]["id"] = replies[0]["id"].clone();
        (200, Value::Array(replies))
    };
    let expected = vec![malformed("two replies to one call"), malformed("no reply to one of several calls")];
    assert_eq!(results(&answered(doubled, true).0), expected);
}

#[test]
fn a_foreign_id_is_reported() {
    for id in [json!(9_999), json!(null), json!("1"), json!([1])] {
        let foreign = move |body: &Value| {
            let mut replies = replies(body);
            replies[1]["id"] = id.clone();
            (200, Value::Array(replies))
        };
        let expected = vec![both().remove(0), malformed("another request's id")];
        assert_eq!(results(&answered(foreign, true).0), expected);
    }
}

#[test]
fn an_error_counts_for_its_own_question() {
    let partly = |body: &Value| {
        let mut replies = replies(body);
        let id = replies[1]["id"].clone();
        replies[1] =
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32000, "message": "header not found" } });
        replies[0]["result"] = Value::Null;
        (200, Value::Array(replies))
    };
    assert_eq!(results(&answered(partly, true).0), [Err(Failure::NoResult), Err(Failure::NotSynced)]);
}

#[test]
fn each_reply_is_held_to_its_own_size() {
    // Within the limit of both together, but not of its own.
    let large = "0".repeat(400 * 1024);
    let answers = move |body: &Value| {
        let mut replies = replies(body);
        replies[1]["result"] = json!(large);
        (200, Value::Array(replies))
    };
    let (together, ..) = answered(answers, true);
    let limit = (256 + 64) * 1024;
    let [block, proof] = &results(&together)[..] else { panic!("two were asked") };
    assert_eq!(*block, both()[0]);
    assert_eq!(*proof, Err(TransportError::TooLarge { limit }.into()));
}

#[test]
fn a_list_of_its_members_is_no_reply() {
    let as_lists = |body: &Value| {
        let members =
            |call| vec![json!("2.0"), Value::clone(&reply(call)["id"]), reply(call)["result"].clone()];
        Value::from(body.as_array().unwrap().iter().map(members).collect::<Vec<_>>())
    };
    let (together, ..) = answered(move |body| (200, as_lists(body)), true);
    assert_eq!(results(&together), [malformed("another request's id"), malformed("another request's id")]);
}

/// A provider that asks for a pause is not asked one by one.
#[test]
fn an_error_instead_of_a_list_is_the_error_of_all() {
    let limited = |_: &Value| {
        (200, json!({ "jsonrpc": "2.0", "id": null, "error": { "code": 429, "message": "slow down" } }))
    };
    let (together, bodies, _) = answered(limited, true);
    let failure = Failure::RateLimited { retry_after: None };
    assert_eq!(results(&together), [Err(failure.clone()), Err(failure)]);
    assert_eq!(bodies.len(), 1);
    assert_eq!(together.batch.size(), 100);
}

/// A provider that takes no batch is asked one by one. The result says so, so that the caller asks so from then on.
#[test]
fn a_provider_that_takes_no_batch_is_asked_one_by_one() {
    let refusals = [
        (
            200,
            json!({ "jsonrpc": "2.0", "id": null, "error": { "code": -32600, "message": "Invalid Request" } }),
        ),
        (400, json!("bad request")),
        (413, json!("too large")),
        (500, json!("internal error")),
    ];
    for refusal in refusals {
        let answers = move |body: &Value| if body.is_array() { refusal.clone() } else { (200, reply(body)) };
        let (together, bodies, _) = answered(answers, true);
        assert_eq!(results(&together), both());
        assert_eq!(together.batch.size(), 1);
        assert_eq!(bodies.len(), 3);
    }
    // A provider that also fails one by one may still take batches.
    let (together, _, _) = answered(|_| (400, json!("bad request")), true);
    assert_eq!(together.batch.size(), 100);
    assert_eq!(results(&together), [Err(Failure::Http { status: 400 }), Err(Failure::Http { status: 400 })]);

    let (together, bodies, _) = answered(|call| (200, reply(call)), false);
    assert_eq!((results(&together), bodies.len()), (both(), 2));
}

/// A header and the proofs of a hundred accounts.
fn a_hundred() -> Vec<Question> {
    let proof = |place| Question::Proof {
        address: Address::repeat_byte(place),
        keys: Vec::new(),
        at: At::Hash(HASH),
    };
    std::iter::once(Question::Block(HASH)).chain((0..100).map(proof)).collect()
}

#[test]
fn a_provider_that_is_out_of_order_is_not_asked_a_hundred_times() {
    let failure = || Err(Failure::Http { status: 500 });
    for (batch, most) in [(100, 8), (10, 9), (1, 5)] {
        let (together, bodies, _) = all_answered(&a_hundred(), |_| (500, json!("internal error")), batch);
        assert!(bodies.len() <= most, "{} requests of {batch}", bodies.len());
        assert_eq!(results(&together), vec![failure(); 101]);
        assert_eq!(together.batch.size(), batch);
    }
    // A provider that has headers and no proofs.
    let no_proofs = |body: &Value| match body["method"].as_str() {
        Some("eth_getBlockByHash") => (200, reply(body)),
        _ => (405, json!("not allowed")),
    };
    let (together, bodies, _) = all_answered(&a_hundred(), no_proofs, 1);
    assert!(bodies.len() <= 5, "{}", bodies.len());
    assert!(results(&together)[0].is_ok() && results(&together)[1..].iter().all(Result::is_err));
}

#[test]
fn a_provider_that_takes_smaller_batches_is_asked_in_that_size() {
    // One of each kind alone, and batches of 3 and 10, are asked in one round trip after the refusal.
    let (at_most, requests) = ([1, 3, 10, 100], [2 + 4 + 98, 2 + 4 + 32, 2 + 4 + 9, 2]);
    for (at_most, requests) in at_most.into_iter().zip(requests) {
        let answers = move |body: &Value| match body.as_array() {
            Some(calls) if calls.len() > at_most => (413, json!("too large")),
            Some(_) => (200, Value::Array(replies(body))),
            None => (200, reply(body)),
        };
        let (together, bodies, _) = all_answered(&a_hundred(), answers, 100);
        assert!(results(&together).iter().all(Result::is_ok));
        assert_eq!((together.batch.size(), bodies.len()), (at_most, requests));
    }
}

/// The provider refuses the batch, and cannot be reached when it is asked one by one. It may have seen the questions in the batch.
#[test]
fn a_refused_batch_counts_as_seen() {
    let answers = |body: &Value| {
        if body.is_array() { (500, json!("internal error")) } else { (UNREACHED, json!(null)) }
    };
    let (together, bodies, _) = answered(answers, true);
    assert_eq!(bodies.len(), 3);
    assert!(together.each.iter().all(|each| each.as_ref().unwrap_err().may_have_been_seen()));
    let (together, ..) = answered(answers, false);
    assert!(together.each.iter().all(|each| !each.as_ref().unwrap_err().may_have_been_seen()));
}
