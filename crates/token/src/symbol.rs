//! The symbol of a token: text that anyone can choose, also to deceive.

use std::fmt;

use crate::skeleton;

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
    /// It is the symbol of a network's own coin, which no token is, or looks like it.
    NativeCoin,
    /// Another token of the same list has a symbol that looks the same.
    LookAlike,
}

impl SymbolFlaw {
    /// Returns a stable name, in snake case.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too_long",
            Self::Invisible => "invisible",
            Self::Direction => "direction",
            Self::NotAscii => "not_ascii",
            Self::NativeCoin => "native_coin",
            Self::LookAlike => "look_alike",
        }
    }
}

/// What is wrong, as a clause.
impl fmt::Display for SymbolFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::TooLong => "it was too long and is cut",
            Self::Invisible => "it had invisible characters",
            Self::Direction => "it had characters that turn text around",
            Self::NotAscii => "it has characters that can look like other letters",
            Self::NativeCoin => "it looks like the symbol of a network's own coin",
            Self::LookAlike => "another token has a symbol that looks the same",
        })
    }
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
        let looks = skeleton::of(&shown);
        if Self::NATIVE.iter().any(|coin| skeleton::of(coin) == looks) {
            note(SymbolFlaw::NativeCoin);
        }
        flaws.sort();
        Self { shown, flaws }
    }

    /// Returns a text that is the same for symbols that look alike: letter case, spaces and accents do not count, and letters of
    /// other scripts count as the Latin letters that they look like. It knows the common cases of
    /// [UTS #39](https://www.unicode.org/reports/tr39/), not all of them. It is never shown.
    pub fn skeleton(&self) -> String {
        skeleton::of(&self.shown)
    }

    /// The same symbol with the mark that another token's symbol looks the same.
    pub(crate) fn mark_look_alike(&mut self) {
        if !self.flaws.contains(&SymbolFlaw::LookAlike) {
            self.flaws.push(SymbolFlaw::LookAlike);
        }
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

    /// The first and the last of each range, and what is beside it.
    #[test]
    fn each_range_of_marks_begins_and_ends_where_it_should() {
        let invisible = "\u{ad}\u{34f}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180b}\u{180f}\u{200b}\u{200d}\u{2060}\u{2064}\u{206a}\
                         \u{206f}\u{3164}\u{fe00}\u{fe0f}\u{feff}\u{ffa0}\u{fff0}\u{fffb}\u{fffd}\u{1d173}\u{1d17a}\u{e0000}\
                         \u{e0fff}\u{0}\u{1f}\u{7f}\u{9f}\u{a0}\u{2003}\u{3000}";
        let direction = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}";
        let seen = "\u{ae}\u{350}\u{115e}\u{1161}\u{17b3}\u{17b6}\u{180a}\u{1810}\u{2010}\u{2070}\u{3163}\u{fdff}\u{fe10}\u{ff9f}\
                    \u{fffc}\u{1d172}\u{1d17b}";
        for (characters, flaw, is_shown) in [
            (invisible, SymbolFlaw::Invisible, false),
            (direction, SymbolFlaw::Direction, false),
            (seen, SymbolFlaw::NotAscii, true),
        ] {
            for character in characters.chars() {
                let symbol = Symbol::new(&format!("US{character}DC"));
                assert_eq!(
                    (symbol.flaws(), symbol.as_str().contains(character)),
                    (&[flaw][..], is_shown),
                    "{character:?}"
                );
            }
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
        assert_eq!(flaws(&"A".repeat(24)), []);
        assert_eq!(Symbol::new(&"A".repeat(1_000_000)).as_str().len(), Symbol::MAX_CHARS);
        assert_eq!(flaws(""), [SymbolFlaw::Empty]);
        assert_eq!(flaws("\u{200b}"), [SymbolFlaw::Empty, SymbolFlaw::Invisible]);
        assert_eq!(flaws("eth"), [SymbolFlaw::NativeCoin]);
        assert_eq!(flaws("E\u{200b}TH"), [SymbolFlaw::Invisible, SymbolFlaw::NativeCoin]);
        for cyrillic in ["\u{415}TH", "E\u{422}\u{41d}", "\u{ff25}TH"] {
            assert_eq!(flaws(cyrillic), [SymbolFlaw::NotAscii, SymbolFlaw::NativeCoin]);
        }
        assert_eq!(flaws("ETHX"), []);
    }

    #[test]
    fn a_mark_is_set_once_and_each_flaw_has_its_own_code_and_words() {
        let mut symbol = Symbol::new("USDC");
        symbol.mark_look_alike();
        symbol.mark_look_alike();
        assert_eq!((symbol.flaws(), symbol.as_str()), (&[SymbolFlaw::LookAlike][..], "USDC"));
        let all = [
            SymbolFlaw::Empty,
            SymbolFlaw::TooLong,
            SymbolFlaw::Invisible,
            SymbolFlaw::Direction,
            SymbolFlaw::NotAscii,
            SymbolFlaw::NativeCoin,
            SymbolFlaw::LookAlike,
        ];
        let distinct = |texts: [String; 7]| texts.into_iter().collect::<std::collections::BTreeSet<_>>();
        assert_eq!(distinct(all.map(|flaw| flaw.code().to_owned())).len(), 7);
        assert_eq!(distinct(all.map(|flaw| flaw.to_string())).len(), 7);
        assert_eq!((SymbolFlaw::NotAscii.code(), SymbolFlaw::TooLong.code()), ("not_ascii", "too_long"));
        assert_eq!(Symbol::new("a b").skeleton(), "AB");
        assert_eq!(Symbol::new("\u{0}USDC").to_string(), "USDC");
    }
}
