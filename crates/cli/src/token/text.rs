//! What a token is, for people.

use saldo::{
    Address, CheckedGuard, Client, Layout, Mapping, NotAToken, Provability, ProvenToken, TokenDescription,
    TokenReading, Word,
};

use crate::text::{attempt_line, good, place, warn};

/// The text of a reading, without a line break at its end.
pub(super) fn reading(client: &Client, token: Address, reading: &TokenReading) -> String {
    let lines = match reading {
        TokenReading::Proven(proven) => proven_lines(client, proven),
        TokenReading::Unknown(unknown) => {
            let first = format!("{token}  {}: {}", warn("unknown"), unknown.why());
            let attempts = unknown.attempts().iter().map(attempt_line);
            std::iter::once(first).chain(attempts).chain([unknown.why().next_step().to_owned()]).collect()
        }
    };
    lines.join("\n  ")
}

fn proven_lines(client: &Client, proven: &ProvenToken) -> Vec<String> {
    let described = proven.description();
    let provability = described.provability();
    let verdict = match provability {
        Provability::Slot => good(&verdict(provability)),
        _ => warn(&verdict(provability)),
    };
    let mut lines = vec![format!("{}  {verdict}", described.token())];
    lines.extend(reason(provability));
    lines.push(place(client, proven.anchor(), proven.provider()));
    lines.extend(code_lines(described));
    if let Some(layout) = described.layout() {
        lines.extend(layout_lines(layout));
    }
    lines.extend(described.guards().iter().map(guard));
    lines.push("decimals and symbol: this version proves neither; a token list can declare them".to_owned());
    lines
}

fn verdict(provability: Provability) -> String {
    match provability {
        Provability::Slot => "balances can be proven, each from its slot",
        Provability::NotAToken(_) => "there is no token at this address",
        Provability::LayoutUnknown => "balances cannot be proven: no layout is known for its code",
        Provability::GuardFailed => "balances cannot be proven: a condition of its layout does not hold",
        _ => "balances cannot be proven",
    }
    .to_owned()
}

fn reason(provability: Provability) -> Option<String> {
    match provability {
        Provability::NotAToken(NotAToken::NoCode { .. }) => {
            Some("there is no contract: check the address, and the network".to_owned())
        }
        Provability::NotAToken(not) => Some(not.to_string()),
        Provability::LayoutUnknown => Some(
            "saldo knows in which slot the codes of its table keep balances (docs/tokens.md); for any other code it gives no amount"
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
