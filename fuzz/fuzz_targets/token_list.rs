//! Any bytes as a token list, and any text as a symbol: no panic, each token once, and nothing that is shown has characters that
//! are not seen or that turn the text around.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use saldo_token::{Symbol, SymbolFlaw, TokenList};

fuzz_target!(|input: &[u8]| {
    is_harmless(&Symbol::new(&String::from_utf8_lossy(input)));
    let Ok(list) = TokenList::from_json(input) else { return };
    is_harmless(&list.name);
    let distinct: BTreeSet<_> = list.tokens.iter().map(|token| (token.chain_id, token.address)).collect();
    assert_eq!(distinct.len(), list.tokens.len());
    // Text in a field that is not read can be text that this reader refuses.
    if let Ok(document) = serde_json::from_slice::<serde_json::Value>(input) {
        let entries = document["tokens"].as_array().expect("a list has tokens").len();
        assert_eq!(list.tokens.len() + list.skipped, entries);
    }
    for token in &list.tokens {
        is_harmless(&token.symbol);
        is_harmless(&token.name);
        assert!(list.of_network(token.chain_id).any(|listed| listed == token));
    }
});

fn is_harmless(symbol: &Symbol) {
    let shown = symbol.as_str();
    assert!(shown.chars().count() <= Symbol::MAX_CHARS);
    assert!(
        !shown
            .chars()
            .any(|character| character.is_control() || "\u{202e}\u{200b}\u{feff}".contains(character))
    );
    assert_eq!(shown.trim(), shown);
    assert_eq!(shown.is_empty(), symbol.flaws().contains(&SymbolFlaw::Empty));
    assert_eq!(!shown.is_ascii(), symbol.flaws().contains(&SymbolFlaw::NotAscii));
    // What is shown has nothing left to remove.
    assert_eq!(Symbol::new(shown).as_str(), shown);
}
