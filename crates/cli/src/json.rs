//! Readings and changes as JSON, by `docs/saldo.reading-1.schema.json` and `docs/saldo.change-1.schema.json`.
//!
//! The objects are saldo's own serialised forms. The command adds what it alone knows: the holding that it asked about,
//! the number of decimals, and ages at this moment.

use saldo::{Change, Client, Holding, Proven, Reading};
use serde::Serialize;
use serde_json::{Value, json};

/// One reading as one object with all keys. `amount` has a value only if `state` is `proven`.
pub(crate) fn reading(client: &Client, holding: &Holding, reading: &Reading) -> Value {
    let chain_id = client.network().chain_id();
    let last = if reading.proven().is_some() { None } else { reading.latest_proven() };
    let added = json!({
        "chain_id": chain_id,
        "address": holding.owner(),
        "asset": format!("eip155:{chain_id}/slip44:60"),
        "decimals": 18,
        "age_seconds": reading.proven().and_then(|proven| age_seconds(client, proven)),
        "last": last.map(|last| aged(client, last)),
    });
    with(form(reading), added)
}

/// One change of a watch as one object.
pub(crate) fn change(client: &Client, change: &Change) -> Value {
    let aged = |last: &Option<Proven>| last.as_ref().map(|last| aged(client, last));
    let added = match change {
        Change::Remembered { last, .. } => json!({ "last": aged(last) }),
        Change::Reading { holding, reading: read, .. } => {
            json!({ "reading": reading(client, holding, read) })
        }
        Change::Withdrawn { withdrawn, last, .. } => {
            json!({ "withdrawn": self::aged(client, withdrawn), "last": aged(last) })
        }
        _ => json!({}),
    };
    with(form(change), added)
}

/// A reading that was proven before, with its age.
fn aged(client: &Client, last: &Proven) -> Value {
    with(form(last), json!({ "age_seconds": age_seconds(client, last) }))
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
