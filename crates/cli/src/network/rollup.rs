//! A rollup's profile, for people and as JSON.

use std::fmt::Write;

use saldo::{GameKind, Level, Profile};
use serde_json::{Value, json};

use crate::setup::NamedNetwork;

const UNKNOWN: &str = "unknown";

/// The rollup in one line.
pub(super) fn line(profile: &Profile) -> String {
    let levels = levels(profile);
    let said = match levels.as_slice() {
        [] => "every balance is provisional: the codes of its contracts are not known".to_owned(),
        levels => format!(
            "balances are proven at {}",
            levels.iter().map(|level| in_words(*level)).collect::<Vec<_>>().join(", or ")
        ),
    };
    let l1 = l1(profile);
    format!("{:<12} chain {:<8}  rollup on {l1}; {said}", profile.name(), profile.chain_id())
}

/// All that the profile says.
pub(super) fn text(profile: &Profile) -> String {
    let mut text = format!(
        "{}\n  chain {}, a rollup on {}; these values were read on {}",
        profile.name(),
        profile.chain_id(),
        l1(profile),
        profile.read_on()
    );
    let known = |value: Option<String>| value.unwrap_or_else(|| UNKNOWN.to_owned());
    let genesis = profile.genesis().map(|(number, time)| format!("block {number}, {time}"));
    let rows = [
        ("first block", known(genesis)),
        ("block time", known(profile.block_time().map(|seconds| format!("{seconds} s")))),
        ("registry", profile.registry().to_string()),
        ("system config", known(profile.system_config().map(|address| address.to_string()))),
        ("pauses", known(profile.superchain_config().map(|address| address.to_string()))),
        ("pause of", known(profile.pause_identifier().map(|address| address.to_string()))),
    ];
    for (what, value) in rows {
        let _ = write!(text, "\n  {what:<14} {value}");
    }
    text.push_str("\n\nwhat can be proven");
    let levels = levels(profile);
    if levels.is_empty() {
        let _ = write!(text, "\n  {NOT_PINNED}");
    }
    for level in levels {
        let _ = write!(text, "\n  {:<18} {}", level.code(), in_words(level));
    }
    text.push_str("\n\nknown codes");
    if profile.registry_codes().is_empty() && profile.game_codes().is_empty() {
        text.push_str("\n  none");
    }
    for code in profile.registry_codes() {
        let _ = write!(
            text,
            "\n  registry {}  valid {} s after a game ends",
            code.code_hash, code.finality_delay
        );
    }
    for code in profile.game_codes() {
        let kind = kind(code.kind);
        let _ = write!(text, "\n  game     {}  type {}, {kind}", code.code_hash, code.game_type);
    }
    text
}

/// The profile as JSON. What is not known is null.
pub(super) fn object(profile: &Profile) -> Value {
    let address = |address: Option<saldo::Address>| address.map(|address| format!("{address:#x}"));
    let registry_codes = profile.registry_codes().iter();
    let registry_codes = registry_codes
        .map(|code| json!({ "code_hash": code.code_hash, "finality_delay": code.finality_delay }));
    let game_codes = profile.game_codes().iter().map(|code| {
        let (interval, step) = match code.kind {
            GameKind::Multiproof { interval, step } => (Some(interval), Some(step)),
            _ => (None, None),
        };
        json!({
            "code_hash": code.code_hash,
            "game_type": code.game_type,
            "kind": kind(code.kind),
            "interval": interval,
            "step": step,
        })
    });
    json!({
        "schema": "saldo.rollup/1",
        "name": profile.name(),
        "chain_id": profile.chain_id(),
        "l1_chain_id": profile.l1_chain_id(),
        "l1": NamedNetwork::of_chain(profile.l1_chain_id()).map(|l1| l1.network.name().to_owned()),
        "read_on": profile.read_on(),
        "is_pinned": profile.is_pinned(),
        "levels": levels(profile).into_iter().map(Level::code).collect::<Vec<_>>(),
        "registry": address(Some(profile.registry())),
        "system_config": address(profile.system_config()),
        "superchain_config": address(profile.superchain_config()),
        "pause_identifier": address(profile.pause_identifier()),
        "genesis_number": profile.genesis().map(|(number, _)| number),
        "genesis_time": profile.genesis().map(|(_, time)| time.as_secs()),
        "block_time": profile.block_time(),
        "registry_codes": registry_codes.collect::<Vec<_>>(),
        "game_codes": game_codes.collect::<Vec<_>>(),
    })
}

const NOT_PINNED: &str = "nothing: the codes of its contracts are not known, so balances are provisional";

/// The levels that blocks of the rollup can have, the weaker one first; none if the codes of its contracts are not known.
fn levels(profile: &Profile) -> Vec<Level> {
    let checks_proofs = |kind| matches!(kind, GameKind::Multiproof { .. });
    let checks_proofs = profile.game_codes().iter().any(|code| checks_proofs(code.kind));
    match (profile.is_pinned(), checks_proofs) {
        (false, _) => Vec::new(),
        (true, true) => vec![Level::L1ProofChecked, Level::L1Finalized],
        (true, false) => vec![Level::L1Finalized],
    }
}

fn in_words(level: Level) -> &'static str {
    match level {
        Level::L1ProofChecked => {
            "blocks of which Ethereum checked a proof, and which can still be challenged"
        }
        _ => "blocks that Ethereum counts as true, and which can no longer be challenged",
    }
}

fn kind(kind: GameKind) -> &'static str {
    match kind {
        GameKind::Fault { is_permissioned: false } => "fault",
        GameKind::Fault { is_permissioned: true } => "permissioned",
        GameKind::SuperFault => "super",
        GameKind::Multiproof { .. } => "multiproof",
        _ => "other",
    }
}

/// The chain of the contracts, by its name where it has one.
pub(super) fn l1(profile: &Profile) -> String {
    let chain_id = profile.l1_chain_id();
    let named = NamedNetwork::of_chain(chain_id).map(|named| named.network.name().to_owned());
    named.unwrap_or_else(|| format!("chain {chain_id}"))
}
