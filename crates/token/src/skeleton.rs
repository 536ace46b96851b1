//! What a text looks like, so that look-alikes can be found.

/// A text that is the same for texts that look alike.
pub(crate) fn of(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).filter_map(looks_like).collect()
}

/// The Latin letter or the digit that a character in upper case looks like; `None` if it adds nothing that is seen.
fn looks_like(character: char) -> Option<char> {
    Some(match character {
        ' ' | '\u{300}'..='\u{36f}' => return None,
        // Upper case, lower case and the digit look alike in one font or another.
        '1' | '!' | '|' | 'L' | 'I' | 'Ì'..='Ï' | 'Ι' | 'І' | 'Ї' | 'Ӏ' => 'I',
        '0' | 'Ò'..='Ö' | 'Ø' | 'Ο' | 'О' => 'O',
        'À'..='Å' | 'Α' | 'А' => 'A',
        'Β' | 'В' => 'B',
        'Ç' | 'С' | 'Ϲ' => 'C',
        'Ԁ' => 'D',
        'È'..='Ë' | 'Ε' | 'Е' | 'Ё' => 'E',
        'Η' | 'Н' => 'H',
        'Ј' => 'J',
        'Κ' | 'К' => 'K',
        'Μ' | 'М' => 'M',
        'Ñ' | 'Ν' => 'N',
        'Ρ' | 'Р' => 'P',
        'Ԛ' => 'Q',
        'Ѕ' => 'S',
        'Τ' | 'Т' | '₮' => 'T',
        'Ù'..='Ü' => 'U',
        'Ԝ' => 'W',
        'Χ' | 'Х' => 'X',
        'Ý' | 'Υ' | 'У' => 'Y',
        'Ζ' => 'Z',
        other => folded(other),
    })
}

/// A letter of the blocks that repeat ASCII: full-width forms, and mathematical letters. Other characters stay.
fn folded(character: char) -> char {
    const FULL_WIDTH: u32 = 0xff01;
    const MATHEMATICAL: u32 = 0x1_d400;
    let code = u32::from(character);
    let ascii = match character {
        '\u{ff01}'..='\u{ff5e}' => code.checked_sub(FULL_WIDTH).and_then(|place| place.checked_add(0x21)),
        // Alphabets of 26 letters each, one after another.
        '\u{1d400}'..='\u{1d6a3}' => {
            let place = code.checked_sub(MATHEMATICAL).and_then(|place| place.checked_rem(26));
            place.and_then(|place| place.checked_add(0x41))
        }
        _ => return character,
    };
    let letter = ascii.and_then(char::from_u32).unwrap_or(character);
    if letter.is_ascii() { looks_like(letter).unwrap_or(letter) } else { letter }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_look_alike_have_one_skeleton() {
        for (one, other) in [
            ("USDC", "usdc"),
            ("USDC", "USD C"),
            ("USDC", "USD\u{421}"),   // Cyrillic
            ("USDT", "USD\u{3a4}"),   // Greek
            ("USDT", "USD\u{20ae}"),  // the tugrik sign
            ("USDC", "\u{ff35}SDC"),  // full width
            ("USDC", "\u{ff55}SDC"),  // full width, lower case
            ("USDC", "\u{1d414}SDC"), // mathematical
            ("USDC", "\u{1d42e}SDC"), // mathematical, lower case
            ("USDC", "USDC\u{307}"),  // a dot above
            ("LINK", "l1NK"),
            ("SOL", "S0L"),
            ("WBTC", "W\u{412}\u{422}\u{421}"),
            ("\u{ff11}INCH", "IINCH"),
        ] {
            assert_eq!(of(one), of(other));
        }
    }

    #[test]
    fn each_letter_of_another_script_is_that_letter() {
        for (others, letter) in [
            ("ÀÁÅΑАα", 'A'),
            ("ΒВ", 'B'),
            ("ÇСϹ", 'C'),
            ("Ԁ", 'D'),
            ("ÈËΕЕЁ", 'E'),
            ("ΗН", 'H'),
            ("ÌÏΙІЇӀ1!|lL", 'I'),
            ("Ј", 'J'),
            ("ΚК", 'K'),
            ("ΜМ", 'M'),
            ("ÑΝ", 'N'),
            ("ÒÖØΟО0", 'O'),
            ("ΡР", 'P'),
            ("Ԛ", 'Q'),
            ("Ѕ", 'S'),
            ("ΤТ₮", 'T'),
            ("ÙÜ", 'U'),
            ("Ԝ", 'W'),
            ("ΧХ", 'X'),
            ("ÝΥУ", 'Y'),
            ("Ζ", 'Z'),
        ] {
            for other in others.chars() {
                assert_eq!(of(&other.to_string()), letter.to_string(), "{other}");
            }
        }
    }

    #[test]
    fn other_texts_stay_apart() {
        for (one, other) in [
            ("USDC", "USDT"),
            ("USDC", "USDCE"),
            ("USDT", "US\u{394}T"),
            ("DAI", "DA"),
            ("\u{4e2d}", "\u{56fd}"),
        ] {
            assert_ne!(of(one), of(other));
        }
        assert_eq!(of("\u{1d6a4}"), "\u{1d6a4}");
        assert_eq!(of("\u{ff00}\u{ff5f}"), "\u{ff00}\u{ff5f}");
        assert_eq!(of("\u{ff5e}"), "~");
        assert_eq!(of("\u{1d433}"), "Z");
    }
}
