//! Readings and changes as JSON, by `docs/saldo.reading-1.schema.json` and `docs/saldo.change-1.schema.json`.
//!
//! The objects are saldo's own serialised forms. The command adds what it alone knows: the holding that it asked about,
//! the number of decimals, and ages at this moment.

use saldo::{
    Anchor, Assurance, Change, Client, Finality, Holding, Pause, Proven, Reading, TokenInfo, Vouched,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::failure::CommandFailure;
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

/// The same of a network that the client does not read because of a `lack`: the reason and the next step are that lack's.
pub(crate) fn reading_of(
    client: &Client,
    tokens: &Tokens,
    holding: &Holding,
    reading: &Reading,
    lack: Option<&CommandFailure>,
) -> Value {
    let mut line = self::reading(client, tokens, holding, reading);
    if let (Some(lack), Some(Value::Object(why))) = (lack, line.get_mut("why")) {
        why.insert("detail".to_owned(), lack.detail().into());
        why.insert("next_step".to_owned(), lack.next_step().into());
    }
    line
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

/// A block, as `block` of `saldo.reading/1`.
pub(crate) fn block(anchor: &Anchor) -> Value {
    let (signers, vouched) = match anchor.assurance() {
        Assurance::Signed { signers, size }
        | Assurance::Finalized(Finality::Signed { signers, size } | Finality::Forced { signers, size }) => {
            (Some((signers, size)), None)
        }
        Assurance::Finalized(Finality::Checkpoint) => (None, None),
        Assurance::Rollup(vouched) => (None, Some(self::vouched(&vouched))),
    };
    json!({
        "number": anchor.number(),
        "hash": anchor.hash(),
        "timestamp": anchor.timestamp().as_secs(),
        "state_root": anchor.state_root().get(),
        "assurance": anchor.assurance().level().code(),
        "signers": signers.map(|(signers, _)| signers),
        "committee_size": signers.map(|(_, size)| size),
        "vouched": vouched,
    })
}

fn vouched(vouched: &Vouched) -> Value {
    let (l1_number, _, l1_time) = vouched.l1();
    json!({
        "game": vouched.game(),
        "game_type": vouched.game_type(),
        "provers": vouched.provers().code(),
        "pause_checked": vouched.pause() == Pause::NotPaused,
        "l1_number": l1_number,
        "l1_timestamp": l1_time.as_secs(),
    })
}

pub(crate) fn form(of: &impl Serialize) -> Value {
    serde_json::to_value(of).expect("all keys of a form are strings, and all its numbers are integers")
}

/// The object `base` with `fields` added, or put in place of those of the same name.
fn with(mut base: Value, fields: Value) -> Value {
    if let (Value::Object(base), Value::Object(fields)) = (&mut base, fields) {
        base.extend(fields);
    }
    base
}
