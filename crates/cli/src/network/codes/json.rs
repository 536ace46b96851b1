//! Codes as JSON by `docs/saldo.rollup-codes-1.schema.json`.

use std::path::Path;

use saldo::{Client, Code, NotProven, Profile};
use serde_json::{Value, json};

use super::Read;
use crate::json::{block, form};

const SCHEMA: &str = "saldo.rollup-codes/1";

/// What was read as one object with all keys.
pub(super) fn read(client: &Client, read: &Read, out: Option<&Path>) -> Value {
    let (profile, anchor, observed) = (&read.before, read.codes.anchor(), read.codes.observed());
    json!({
        "schema": SCHEMA,
        "name": profile.name(),
        "chain_id": profile.chain_id(),
        "l1_chain_id": profile.l1_chain_id(),
        "state": "proven",
        "is_pinned": read.pinned.is_pinned(),
        "codes": observed.codes.iter().map(|code| self::code(read, code)).collect::<Vec<_>>(),
        "ended_by": observed.ended_by.as_ref().map(ToString::to_string),
        "file": out.map(|path| path.to_string_lossy()),
        "block": block(anchor),
        "providers": read.codes.providers().collect::<Vec<_>>(),
        "age_seconds": client.now().age_of(anchor.timestamp()).map(|age| age.as_secs()),
        "why": null,
        "attempts": [],
    })
}

fn code(read: &Read, code: &Code) -> Value {
    let release = code.release().map(|release| {
        json!({
            "name": release.name,
            "version": release.version,
            "parameters": release.parameters,
            "source": release.source,
            "published_on": release.published_on,
        })
    });
    json!({
        "contract": code.contract.code(),
        "address": format!("{:#x}", code.address),
        "proxy": code.proxy,
        "implementation": format!("{:#x}", code.implementation),
        "code_hash": code.code_hash,
        "game_type": code.game_type,
        "release": release,
        "is_known": read.is_known(code),
        "is_named": read.is_named(code),
    })
}

/// The object if nothing was proven.
pub(super) fn nothing(profile: &Profile, not_proven: &NotProven) -> Value {
    json!({
        "schema": SCHEMA,
        "name": profile.name(),
        "chain_id": profile.chain_id(),
        "l1_chain_id": profile.l1_chain_id(),
        "state": "unknown",
        "is_pinned": null,
        "codes": [],
        "ended_by": null,
        "file": null,
        "block": null,
        "providers": [],
        "age_seconds": null,
        "why": form(not_proven.why()),
        "attempts": form(&not_proven.attempts()),
    })
}
