//! From the bytes of one body to the text of its answer.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use futures_util::future::join_all;
use saldo::ProviderId;
use serde_json::value::RawValue;

use crate::error::RpcError;
use crate::network::{Answer, Network};
use crate::request::{Entry, Incoming};
use crate::session::Session;

/// The most bytes of the answers to one body.
const MOST_BYTES: usize = 16 << 20;

/// The answer to one body.
#[derive(Debug, Default)]
pub(crate) struct Response {
    /// The text; `None` if the body has only notifications.
    pub(crate) text: Option<String>,
    /// The providers whose word is in it without proof.
    pub(crate) unproven: BTreeSet<ProviderId>,
    /// The subscriptions that it begins.
    pub(crate) subscriptions: Vec<String>,
}

/// Answers `body`. The calls of a batch run at the same time, so that they ask providers together.
pub(crate) async fn respond(network: &Network, body: &[u8], session: Option<&Session>) -> Response {
    let mut response = Response::default();
    match Incoming::read(body) {
        Err(error) => response.text = Some(text(RawValue::NULL, &Answer::error(&error))),
        Ok(Incoming::One(entry)) => {
            response.text = response.take(answer(network, &entry, session).await, entry.id);
        }
        Ok(Incoming::Batch(entries)) => {
            let answers = join_all(entries.iter().map(|entry| answer(network, entry, session))).await;
            response.take_batch(answers.into_iter().zip(entries.iter().map(|entry| entry.id)));
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
    /// Takes the answers to a batch, each with the id of its call. Once they are too large together, the others are errors.
    fn take_batch<'a>(&mut self, answers: impl Iterator<Item = (Answer, Option<&'a RawValue>)>) {
        let mut texts = String::new();
        for (answer, id) in answers {
            let is_full = texts.len() > MOST_BYTES;
            let answer = if is_full { Answer::error(&RpcError::too_large()) } else { answer };
            if let Some(text) = self.take(answer, id) {
                let _ = write!(texts, "{}{text}", if texts.is_empty() { '[' } else { ',' });
            }
        }
        if !texts.is_empty() {
            texts.push(']');
            self.text = Some(texts);
        }
    }

    /// Notes what the answer says beside its text, and returns the text; `None` for the answer to a notification.
    fn take(&mut self, answer: Answer, id: Option<&RawValue>) -> Option<String> {
        let text = id.map(|id| text(id, &answer));
        self.unproven.extend(answer.unproven);
        self.subscriptions.extend(answer.subscription);
        text
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
    use serde_json::Value;
    use serde_json::value::to_raw_value;

    use super::*;

    fn answer(bytes: usize) -> Answer {
        let outcome = Ok(to_raw_value(&"7".repeat(bytes)).unwrap());
        Answer { outcome, unproven: None, subscription: None, ended: "proven" }
    }

    #[test]
    fn answers_that_are_too_large_together_are_errors_from_then_on() {
        let ids: Vec<_> = (0..8).map(|id| to_raw_value(&id).unwrap()).collect();
        let mut response = Response::default();
        response.take_batch(ids.iter().map(|id| (answer(5 << 20), Some(&**id))));
        let text = response.text.unwrap();
        assert!(text.len() < MOST_BYTES + (6 << 20), "{}", text.len());
        let answers: Vec<Value> = serde_json::from_str(&text).unwrap();
        let is_answered: Vec<bool> = answers.iter().map(|answer| answer["result"].is_string()).collect();
        assert_eq!(is_answered, [true, true, true, true, false, false, false, false]);
        assert_eq!((&answers[7]["error"]["code"], &answers[7]["id"]), (&(-32_005).into(), &7.into()));
    }

    #[test]
    fn notifications_alone_have_no_text() {
        let mut response = Response::default();
        response.take_batch([(answer(1), None), (answer(1), None)].into_iter());
        assert_eq!(response.text, None);
    }
}
