//! Readings and changes as JSON, by `docs/saldo.reading-1.schema.json` and `docs/saldo.change-1.schema.json`.
//!
//! The objects are saldo's own serialised forms. The command adds what it alone knows: the holding that it asked about,
//! the number of decimals, and ages at this moment.

use saldo::{Change, Client, Holding, Proven, Reading, TokenInfo};
use serde::Serialize;
use serde_json::{Value, json};

use crate::tokens::{Tokens, token_of};

/// One reading as one object with all keys. `amount` has a value only if `state` is `proven`.
pub(crate) fn reading(client: &Client, tokens: &Tokens, holding: &Holding, reading: &Reading) -> Value {
    let chain_id = holding.network().chain_id();
    let last = if reading.proven().is_some() { None } else { reading.latest_proven() };
    let token = token_of(holding).map(|token| format!("{token:#x}"));
    let asset = match &token {
        None => format!("eip155:{chain_id}/slip44:{}", holding.network().coin_type()),
        Some(token) => format!("eip155:{chain_id}/erc20:{token}"),
    };
    let info = tokens.info(holding);
    let decimals_from = if token.is_none() { Some("network") } else { info.map(|info| info.source().code()) };
    let added = json!({
        "chain_id": chain_id,
        "address": holding.owner(),
        "asset": asset,
        "token": token,
        "decimals": tokens.decimals(holding),
        "decimals_from": decimals_from,
        "formatted": reading.proven().and_then(|proven| formatted(tokens, proven)),
        "symbol": info.map(symbol),
        "coverage": coverage(tokens),
        "age_seconds": reading.proven().and_then(|proven| age_seconds(client, proven)),
        "last": last.map(|last| aged(client, tokens, last)),
    });
    with(form(reading), added)
}

/// One change of a watch as one object.
pub(crate) fn change(client: &Client, tokens: &Tokens, change: &Change) -> Value {
    let aged = |last: &Option<Proven>| last.as_ref().map(|last| aged(client, tokens, last));
    let added = match change {
        Change::Remembered { last, .. } => json!({ "last": aged(last) }),
        Change::Reading { holding, reading: read, .. } => {
            json!({ "reading": reading(client, tokens, holding, read) })
        }
        Change::Withdrawn { withdrawn, last, .. } => {
            json!({ "withdrawn": self::aged(client, tokens, withdrawn), "last": aged(last) })
        }
        _ => json!({}),
    };
    with(form(change), added)
}

/// A reading that was proven before, with its age.
fn aged(client: &Client, tokens: &Tokens, last: &Proven) -> Value {
    let added = json!({
        "age_seconds": age_seconds(client, last),
        "decimals": tokens.decimals(last.holding()),
        "formatted": formatted(tokens, last),
    });
    with(form(last), added)
}

fn formatted(tokens: &Tokens, proven: &Proven) -> Option<String> {
    tokens.decimals(proven.holding()).map(|decimals| proven.amount().format(decimals))
}

/// The symbol of a token, as `symbol` of `saldo.reading/1`.
pub(crate) fn symbol(info: &TokenInfo) -> Value {
    let flaws: Vec<&str> = info.symbol().flaws().iter().map(|flaw| flaw.code()).collect();
    json!({ "text": info.symbol().as_str(), "from": info.source().code(), "flaws": flaws })
}

fn coverage(tokens: &Tokens) -> Value {
    let coverage = tokens.coverage();
    json!({
        "native": true,
        "tokens": coverage.tokens().len(),
        "other_networks": coverage.other_networks(),
        "skipped": coverage.skipped(),
    })
}

fn age_seconds(client: &Client, proven: &Proven) -> Option<u64> {
    client.now().age_of(proven.anchor().timestamp()).map(|age| age.as_secs())
}

fn form(of: &impl Serialize) -> Value {
    serde_json::to_value(of).expect("all keys of a form are strings, and all its numbers are integers")
}

/// The object `base` with `fields` added, or put in place of those of the same name.
fn with(mut base: Value, fields: Value) -> Value {
    if let (Value::Object(base), Value::Object(fields)) = (&mut base, fields) {
        base.extend(fields);
    }
    base
}
