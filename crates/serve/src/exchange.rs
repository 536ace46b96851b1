//! From the bytes of one body to the text of its answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use futures_util::stream::FuturesUnordered;
use futures_util::{Stream, StreamExt};
use saldo::ProviderId;
use serde_json::value::RawValue;
use tokio::sync::OwnedSemaphorePermit;

use crate::error::RpcError;
use crate::network::{Answer, Network};
use crate::request::{Entry, Incoming};
use crate::session::Session;
use crate::state::State;

/// The most bytes of the answers to one body, but for the last one.
const MOST_BYTES: usize = 16 << 20;
const TOO_MUCH: &str = "too many large answers are under way: ask again later";

/// The answer to one body.
#[derive(Debug, Default)]
pub(crate) struct Response {
    /// The text; `None` if the body has only notifications.
    pub(crate) text: Option<String>,
    /// Its bytes, which count until the answer is sent.
    pub(crate) held: Option<OwnedSemaphorePermit>,
    /// The providers whose word is in it without proof.
    pub(crate) unproven: BTreeSet<ProviderId>,
    /// The subscriptions that it begins.
    pub(crate) subscriptions: Vec<String>,
}

/// Answers `body`. The calls of a batch run at the same time, so that they ask providers together.
pub(crate) async fn respond(
    state: &State,
    network: &Network,
    body: &[u8],
    session: Option<&Session>,
) -> Response {
    let mut response = Response::default();
    match Incoming::read(body) {
        Err(error) => response.text = Some(text(RawValue::NULL, &Answer::error(&error))),
        Ok(Incoming::One(entry)) => {
            response.text = response.take(state, answer(network, &entry, session).await, entry.id);
        }
        Ok(Incoming::Batch(entries)) => {
            let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
            let answers = entries.iter().enumerate();
            let answers = answers.map(async |(place, entry)| (place, answer(network, entry, session).await));
            response.take_batch(state, &ids, answers.collect::<FuturesUnordered<_>>()).await;
        }
    }
    response
}

async fn answer(network: &Network, entry: &Entry<'_>, session: Option<&Session>) -> Answer {
    match &entry.call {
        Ok(call) => network.answer(call, session).await,
        Err(error) => Answer::error(error),
    }
}

impl Response {
    /// Takes the answers to a batch as they come, each with its place in it. Once they are too large together, what is not answered is
    /// given up, and is an error.
    async fn take_batch(
        &mut self,
        state: &State,
        ids: &[Option<&RawValue>],
        mut answers: impl Stream<Item = (usize, Answer)> + Unpin,
    ) {
        let mut taken: BTreeMap<usize, Option<String>> = BTreeMap::new();
        let mut bytes = 0_usize;
        while bytes <= MOST_BYTES
            && let Some((place, answer)) = answers.next().await
        {
            let text = self.take(state, answer, ids.get(place).copied().flatten());
            bytes = bytes.saturating_add(text.as_ref().map_or(0, String::len));
            taken.insert(place, text);
        }
        drop(answers);
        let mut texts = String::new();
        for (place, id) in ids.iter().enumerate() {
            let given_up = || id.map(|id| text(id, &Answer::error(&RpcError::too_large())));
            if let Some(text) = taken.remove(&place).unwrap_or_else(given_up) {
                let _ = write!(texts, "{}{text}", if texts.is_empty() { '[' } else { ',' });
            }
        }
        if !texts.is_empty() {
            texts.push(']');
            self.text = Some(texts);
        }
    }

    /// Notes what the answer says beside its text, and returns the text; `None` for the answer to a notification. Where the answers to
    /// all callers take too much, it is an error.
    fn take(&mut self, state: &State, answer: Answer, id: Option<&RawValue>) -> Option<String> {
        let written = id.map(|id| text(id, &answer));
        self.unproven.extend(answer.unproven);
        self.subscriptions.extend(answer.subscription);
        let written = written?;
        match (state.hold_answer(written.len()), &mut self.held) {
            (Some(permit), Some(held)) => held.merge(permit),
            (Some(permit), held) => *held = Some(permit),
            (None, _) => {
                return id.map(|id| text(id, &Answer::error(&RpcError::limit(TOO_MUCH))));
            }
        }
        Some(written)
    }
}

/// The answer as JSON-RPC writes it. One that is not proven names the provider whose word it is.
fn text(id: &RawValue, answer: &Answer) -> String {
    let (member, value) = match &answer.outcome {
        Ok(result) => ("result", result.get()),
        Err(error) => ("error", error.get()),
    };
    let mut text = format!(r#"{{"jsonrpc":"2.0","id":{},"{member}":{value}"#, id.get());
    if let Some(provider) = &answer.unproven {
        let provider = serde_json::to_string(provider.as_str()).unwrap_or_default();
        let _ = write!(text, r#","saldo_unproven":{provider}"#);
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, stream};
    use serde_json::Value;
    use serde_json::value::to_raw_value;

    use super::*;
    use crate::settings::Settings;

    fn state() -> State {
        State::new(Settings::default(), BTreeMap::new())
    }

    fn answer(bytes: usize) -> Answer {
        let outcome = Ok(to_raw_value(&"7".repeat(bytes)).unwrap());
        Answer { outcome, unproven: None, subscription: None, ended: "proven" }
    }

    /// The answers to a batch of eight calls, of which each answer has so many bytes; they come in the order of `places`.
    fn batch(state: &State, bytes: usize, places: [usize; 8]) -> Response {
        let ids: Vec<_> = (0..8).map(|id| to_raw_value(&id).unwrap()).collect();
        let ids: Vec<_> = ids.iter().map(|id| Some(&**id)).collect();
        let mut response = Response::default();
        let answers = stream::iter(places.map(|place| (place, answer(bytes))));
        response.take_batch(state, &ids, answers).now_or_never().expect("nothing waits");
        response
    }

    fn is_answered(response: &Response) -> Vec<bool> {
        let answers: Vec<Value> = serde_json::from_str(response.text.as_ref().unwrap()).unwrap();
        assert!(answers.iter().enumerate().all(|(place, answer)| answer["id"] == place));
        let is_error = |answer: &Value| answer["error"]["code"] == -32_005;
        assert!(answers.iter().all(|answer| answer["result"].is_string() != is_error(answer)));
        answers.iter().map(|answer| answer["result"].is_string()).collect()
    }

    #[test]
    fn answers_that_are_too_large_together_are_errors_from_then_on() {
        let response = batch(&state(), 5 << 20, [0, 1, 2, 3, 4, 5, 6, 7]);
        let text = response.text.as_ref().unwrap();
        assert!(text.len() < MOST_BYTES + (6 << 20), "{}", text.len());
        assert_eq!(is_answered(&response), [true, true, true, true, false, false, false, false]);
        let response = batch(&state(), 5 << 20, [7, 1, 6, 2, 0, 3, 4, 5]);
        assert_eq!(is_answered(&response), [false, true, true, false, false, false, true, true]);
    }

    #[test]
    fn the_answers_to_all_callers_are_limited_together() {
        let state = state();
        let large = || batch(&state, 2 << 20, [0, 1, 2, 3, 4, 5, 6, 7]);
        let unsent: Vec<Response> = (0..15).map(|_| large()).collect();
        assert!(unsent.iter().all(|response| !response.text.as_ref().unwrap().contains(TOO_MUCH)));
        let is_answered_now: Vec<bool> = is_answered(&large());
        assert_eq!(is_answered_now.iter().filter(|is| **is).count(), 7, "{is_answered_now:?}");
        drop(unsent);
        assert!(!large().text.unwrap().contains(TOO_MUCH));
    }

    #[test]
    fn notifications_alone_have_no_text() {
        let mut response = Response::default();
        let answers = stream::iter([(0, answer(1)), (1, answer(1))]);
        response.take_batch(&state(), &[None, None], answers).now_or_never().unwrap();
        assert_eq!(response.text, None);
    }
}
