//! One verdict as a line of JSON, by `docs/saldo.verdict-1.schema.json`, and as a row for people.

use saldo::{Asset, Claim, Client, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::amount;
use crate::text::{good, place, warn};

/// A claim as it was given. Two claims with the same form are one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimForm {
    chain_id: u64,
    address: String,
    token: Option<String>,
    amount: String,
    block: Option<u64>,
}

impl From<&Claim> for ClaimForm {
    fn from(claim: &Claim) -> Self {
        let token = match claim.holding.asset() {
            Asset::Erc20(token) => Some(format!("{token:#x}")),
            _ => None,
        };
        Self {
            chain_id: claim.holding.network().chain_id(),
            address: format!("{:#x}", claim.holding.owner()),
            token,
            amount: claim.amount.to_string(),
            block: claim.block,
        }
    }
}

/// The verdict on `claim` as one object with all keys.
pub(crate) fn json(claim: &Claim, verdict: &Verdict) -> Value {
    let mut line = serde_json::to_value(verdict)
        .expect("all keys of a form are strings, and all its numbers are integers");
    if let Value::Object(fields) = &mut line {
        fields.insert("claim".to_owned(), json!(ClaimForm::from(claim)));
    }
    line
}

/// The verdict on `claim` in one row.
pub(crate) fn row(client: &Client, claim: &Claim, verdict: &Verdict) -> String {
    let is_native = claim.holding.asset() == Asset::Native;
    let subject = match claim.holding.asset() {
        Asset::Erc20(token) => format!("{}  token {token}", claim.holding.owner()),
        _ => claim.holding.owner().to_string(),
    };
    let claimed = amount::shown(claim.amount, is_native);
    let proven = |proven: &saldo::Proven| {
        let shown = amount::shown(proven.amount().base_units(), is_native);
        let frozen = if proven.is_frozen() { ", frozen by the issuer" } else { "" };
        format!("{shown}{frozen} ({})", place(client, proven.anchor(), proven.provider()))
    };
    let (word, said) = match verdict {
        Verdict::Confirmed(amount) => (good("confirmed  "), proven(amount)),
        Verdict::Changed { proven: amount, at, .. } => {
            (good("changed    "), format!("{claimed} at block {}, now {}", at.number(), proven(amount)))
        }
        Verdict::Different { proven: amount, .. } => {
            (warn("different  "), format!("{claimed} is claimed, proven is {}", proven(amount)))
        }
        Verdict::NotChecked(unknown) => (
            warn("not checked"),
            format!("{claimed} is claimed: {}. {}", unknown.why(), unknown.why().next_step()),
        ),
    };
    format!("{word}  {subject}  {said}")
}
