//! What a token is, as JSON by `docs/saldo.token-1.schema.json`.

use saldo::{
    Address, Attempt, CheckedGuard, Client, Layout, ProvenToken, TokenInfo, TokenReading, Why, Word,
};
use serde_json::{Value, json};

use super::trial::Trial;
use crate::json::{block, form, symbol};

const SCHEMA: &str = "saldo.token/1";

/// One reading as one object with all keys.
pub(super) fn reading(
    client: &Client,
    token: Address,
    reading: &TokenReading,
    trial: Option<&Trial>,
) -> Value {
    let chain_id = client.network_id().chain_id();
    match reading {
        TokenReading::Proven(proven) => self::proven(client, chain_id, proven, trial),
        TokenReading::Unknown(unknown) => {
            let (why, attempts): (&Why, &[Attempt]) = (unknown.why(), unknown.attempts());
            json!({
                "schema": SCHEMA,
                "chain_id": chain_id,
                "token": token,
                "state": "unknown",
                "provable": null,
                "code_hash": null,
                "proxy": null,
                "implementation": null,
                "layout": null,
                "guards": [],
                "run": null,
                "info": null,
                "block": null,
                "provider": null,
                "age_seconds": null,
                "why": form(why),
                "attempts": form(&attempts),
            })
        }
    }
}

fn proven(client: &Client, chain_id: u64, proven: &ProvenToken, trial: Option<&Trial>) -> Value {
    let described = proven.description();
    let implementation = described
        .implementation()
        .map(|(address, code_hash)| json!({ "address": address, "code_hash": code_hash }));
    let anchor = proven.anchor();
    json!({
        "schema": SCHEMA,
        "chain_id": chain_id,
        "token": described.token(),
        "state": "proven",
        "provable": trial.map(|trial| trial.provable().code()),
        "code_hash": described.code_hash(),
        "proxy": described.proxy(),
        "implementation": implementation,
        "layout": described.layout().map(layout),
        "guards": described.guards().iter().map(guard).collect::<Vec<_>>(),
        "run": trial.and_then(run),
        "info": proven.info().map(info),
        "block": block(anchor),
        "provider": proven.provider().as_str(),
        "age_seconds": client.now().age_of(anchor.timestamp()).map(|age| age.as_secs()),
        "why": null,
        "attempts": [],
    })
}

/// A run of the token's code that was tried; none if the layout tells all.
fn run(trial: &Trial) -> Option<Value> {
    let touched = trial.touched();
    let is_tried = touched.is_some() || trial.why().is_some();
    is_tried.then(|| {
        json!({
            "accounts": touched.map(|touched| touched.accounts),
            "slots": touched.map(|touched| touched.slots),
            "why": trial.why().map(form),
        })
    })
}

fn info(info: &TokenInfo) -> Value {
    json!({ "decimals": info.decimals(), "decimals_from": info.source().code(), "symbol": symbol(info) })
}

fn layout(layout: &Layout) -> Value {
    let tells_frozen = layout.word == Word::BlockedBitAndAmount;
    json!({
        "name": layout.name,
        "tells_frozen": tells_frozen,
        "source": layout.source,
        "argument": layout.argument,
    })
}

fn guard(checked: &CheckedGuard) -> Value {
    let CheckedGuard { guard, address, holds } = checked;
    json!({ "meaning": guard.meaning, "address": address, "slot": guard.slot, "holds": holds })
}
