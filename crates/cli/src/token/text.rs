//! What a token is, for people.

use saldo::{
    Address, CheckedGuard, Client, Layout, Mapping, NotAToken, Provability, ProvenToken, TokenDescription,
    TokenReading, Word,
};

use super::trial::{Provable, Trial};
use crate::text::{attempt_line, counted, good, place, warn};
use crate::tokens::symbol;

/// The text of a reading, without a line break at its end.
pub(super) fn reading(
    client: &Client,
    token: Address,
    reading: &TokenReading,
    trial: Option<&Trial>,
) -> String {
    let lines = match (reading, trial) {
        (TokenReading::Proven(proven), Some(trial)) => proven_lines(client, proven, trial),
        (TokenReading::Proven(_), None) => vec![token.to_string()],
        (TokenReading::Unknown(unknown), _) => {
            let first = format!("{token}  {}: {}", warn("unknown"), unknown.why());
            let attempts = unknown.attempts().iter().map(attempt_line);
            std::iter::once(first).chain(attempts).chain([unknown.why().next_step().to_owned()]).collect()
        }
    };
    lines.join("\n  ")
}

fn proven_lines(client: &Client, proven: &ProvenToken, trial: &Trial) -> Vec<String> {
    let described = proven.description();
    let provable = trial.provable();
    let verdict = match provable {
        Provable::Slot | Provable::Execution => good(verdict(provable)),
        _ => warn(verdict(provable)),
    };
    let mut lines = vec![format!("{}  {verdict}", described.token())];
    lines.extend(reason(trial));
    lines.push(place(client, proven.anchor(), proven.provider()));
    lines.extend(code_lines(described));
    if let Some(layout) = described.layout() {
        lines.extend(layout_lines(layout));
    }
    lines.extend(described.guards().iter().map(guard));
    lines.extend(info(proven, provable));
    lines
}

/// What the token's code says of its decimals and its symbol.
fn info(proven: &ProvenToken, provable: Provable) -> Vec<String> {
    let Some(info) = proven.info() else {
        let is_token = provable != Provable::NotAToken;
        let none = "decimals and symbol: not known; a token list can declare them";
        return is_token.then(|| none.to_owned()).into_iter().collect();
    };
    let said = format!(
        "its code says: {}, symbol {}",
        counted(info.decimals().into(), "decimal"),
        symbol(info.symbol())
    );
    let flaws: Vec<String> = info.symbol().flaws().iter().map(ToString::to_string).collect();
    let mark = (!flaws.is_empty()).then(|| format!("do not trust the symbol: {}", flaws.join("; ")));
    std::iter::once(said).chain(mark).collect()
}

fn verdict(provable: Provable) -> &'static str {
    match provable {
        Provable::Slot => "balances can be proven, each from its slot",
        Provable::Execution => "balances can be proven, by running its code",
        Provable::NotAToken => "there is no token at this address",
        Provable::LayoutUnknown => "balances cannot be proven: no layout is known for its code",
        Provable::GuardFailed => "balances cannot be proven: a condition of its layout does not hold",
        Provable::NotRun => "balances cannot be proven: its code does not run to its end",
        Provable::NotNow => "balances need a run of its code, which was not possible now",
    }
}

fn reason(trial: &Trial) -> Option<String> {
    match (trial.provability(), trial.provable()) {
        (Provability::NotAToken(NotAToken::NoCode { .. }), _) => {
            Some("there is no contract: check the address, and the network".to_owned())
        }
        (Provability::NotAToken(not), _) => Some(not.to_string()),
        (_, Provable::Execution) => trial.touched().map(|touched| {
            format!(
                "tried with the token's own address as the owner: the code read {} and {}",
                counted(touched.accounts, "account"),
                counted(touched.slots, "slot")
            )
        }),
        (_, Provable::NotAToken | Provable::NotRun | Provable::NotNow) => {
            trial.why().map(ToString::to_string)
        }
        (_, Provable::LayoutUnknown | Provable::GuardFailed) => Some(
            "this `saldo` was built without the feature `execute`: it gives no amount of such a token"
                .to_owned(),
        ),
        _ => None,
    }
}

fn code_lines(described: &TokenDescription) -> Vec<String> {
    let code = described.code_hash();
    if let Provability::NotAToken(NotAToken::NoCode { .. }) = described.provability() {
        return Vec::new();
    }
    match (described.proxy(), described.implementation()) {
        (Some(proxy), Some((implementation, its_code))) => vec![
            format!("proxy: {proxy}, code {code}"),
            format!("implementation: {implementation}, code {its_code}"),
        ],
        _ => vec![format!("code {code}; it is no proxy that saldo knows")],
    }
}

fn layout_lines(layout: &Layout) -> Vec<String> {
    let place = match layout.mapping {
        Mapping::Solidity { base } => format!("a Solidity mapping at slot {base:#x}"),
        Mapping::Vyper { base } => format!("a Vyper HashMap at slot {base:#x}"),
        Mapping::Solady { seed } => format!("Solady's balances with the seed {seed:#x}"),
    };
    let word = match layout.word {
        Word::Amount => "the whole word is the amount",
        Word::BlockedBitAndAmount => {
            "the highest bit says that the owner is frozen, the other bits are the amount"
        }
    };
    vec![
        format!("layout {}: {place}; {word}", layout.name),
        format!("why it holds: {}", layout.argument),
        format!("source: {}", layout.source),
    ]
}

fn guard(checked: &CheckedGuard) -> String {
    let CheckedGuard { guard, address, holds } = checked;
    let state = if *holds { good("holds") } else { warn("does not hold") };
    format!("condition: {}; {state} (slot {:#x} of {address})", guard.meaning, guard.slot)
}
