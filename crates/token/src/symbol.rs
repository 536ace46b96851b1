//! The symbol of a token: text that anyone can choose, also to deceive.

use std::fmt;

/// A symbol or a name as it may be shown, and what was wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    shown: String,
    flaws: Vec<SymbolFlaw>,
}

/// What is wrong with a symbol. A wallet shows a flawed symbol with a mark, and with the token's address beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SymbolFlaw {
    /// Nothing is left to be shown.
    Empty,
    /// It was cut to [`Symbol::MAX_CHARS`] characters.
    TooLong,
    /// It had characters that are not seen: control characters, joiners, spaces without width. They were removed.
    Invisible,
    /// It had characters that change the direction of the text around them. They were removed.
    Direction,
    /// It has characters beyond ASCII. Some of them look like others: Cyrillic `Е` like Latin `E`.
    NotAscii,
    /// It is the symbol of a network's own coin, which no token is.
    NativeCoin,
}

impl Symbol {
    /// The most characters that are shown.
    pub const MAX_CHARS: usize = 24;
    /// The symbols of the coins of the built-in networks.
    const NATIVE: [&str; 3] = ["ETH", "XDAI", "SEPOLIAETH"];

    /// Reads a text of unknown origin.
    pub fn new(text: &str) -> Self {
        let mut flaws = Vec::new();
        let mut note = |flaw| {
            if !flaws.contains(&flaw) {
                flaws.push(flaw);
            }
        };
        let mut shown = String::new();
        for (taken, character) in text.trim().chars().enumerate() {
            if taken >= Self::MAX_CHARS {
                note(SymbolFlaw::TooLong);
                break;
            }
            if is_direction(character) {
                note(SymbolFlaw::Direction);
            } else if is_invisible(character) {
                note(SymbolFlaw::Invisible);
            } else {
                if !character.is_ascii() {
                    note(SymbolFlaw::NotAscii);
                }
                shown.push(character);
            }
        }
        let shown = shown.trim().to_owned();
        if shown.is_empty() {
            note(SymbolFlaw::Empty);
        }
        if Self::NATIVE.contains(&shown.to_uppercase().as_str()) {
            note(SymbolFlaw::NativeCoin);
        }
        flaws.sort();
        Self { shown, flaws }
    }

    /// Returns what may be shown. It has no control characters.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// Returns what was wrong with the text.
    pub fn flaws(&self) -> &[SymbolFlaw] {
        &self.flaws
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// The marks of [UAX #9](https://www.unicode.org/reports/tr9/) that change the direction of text.
fn is_direction(character: char) -> bool {
    matches!(character, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters that take no place, or only the place of a space.
fn is_invisible(character: char) -> bool {
    let is_odd_space = character.is_whitespace() && character != ' ';
    let has_no_width = matches!(
        character,
        '\u{00ad}' | '\u{034f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    );
    character.is_control() || is_odd_space || has_no_width || character == '\u{fffd}'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaws(text: &str) -> Vec<SymbolFlaw> {
        Symbol::new(text).flaws().to_vec()
    }

    #[test]
    fn an_ordinary_symbol_has_no_flaw() {
        for text in ["USDC", "wstETH", "USD0++", "yvCurve-3pool", " DAI "] {
            let symbol = Symbol::new(text);
            assert_eq!((symbol.as_str(), symbol.flaws()), (text.trim(), &[][..]));
        }
    }

    #[test]
    fn what_is_not_seen_is_removed_and_marked() {
        for text in [
            "US\u{200b}DC",
            "US\u{0}DC",
            "US\u{feff}DC",
            "US\nDC",
            "US\u{ad}DC",
            "US\u{e0041}DC",
            "US\u{1b}DC",
        ] {
            assert_eq!(
                (Symbol::new(text).as_str(), flaws(text)),
                ("USDC", vec![SymbolFlaw::Invisible]),
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_turns_the_text_around_is_removed_and_marked() {
        for text in ["\u{202e}CDSU", "US\u{2066}DC", "USDC\u{200f}", "\u{61c}USDC"] {
            assert_eq!(flaws(text), [SymbolFlaw::Direction], "{text:?}");
            assert!(Symbol::new(text).as_str().is_ascii());
        }
    }

    #[test]
    fn what_looks_like_other_characters_is_marked() {
        // Cyrillic С, full-width letters, Greek Τ, an accent that is put over the letter before it.
        for text in ["USD\u{421}", "\u{ff35}SDC", "US\u{3a4}D", "USDC\u{307}"] {
            assert_eq!(flaws(text), [SymbolFlaw::NotAscii], "{text:?}");
        }
    }

    #[test]
    fn length_emptiness_and_the_names_of_coins_are_marked() {
        assert_eq!(flaws(&"A".repeat(25)), [SymbolFlaw::TooLong]);
        assert_eq!(Symbol::new(&"A".repeat(1_000_000)).as_str().len(), Symbol::MAX_CHARS);
        assert_eq!(flaws(""), [SymbolFlaw::Empty]);
        assert_eq!(flaws("\u{200b}"), [SymbolFlaw::Empty, SymbolFlaw::Invisible]);
        assert_eq!(flaws("eth"), [SymbolFlaw::NativeCoin]);
        assert_eq!(flaws("E\u{200b}TH"), [SymbolFlaw::Invisible, SymbolFlaw::NativeCoin]);
    }
}
