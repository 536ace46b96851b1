//! Amounts as people write them.

use alloy_primitives::U256;
use alloy_primitives::utils::{format_ether, parse_ether};
use serde::Deserialize;

/// An amount that a file gives in ether, in wei.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Ether(pub U256);

impl TryFrom<String> for Ether {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        const EXPECTED: &str = "expected an amount of ether in quotes, such as \"1.5\"";
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
        let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        // The parser would cut what is finer than a wei.
        if !are_digits(whole) || !are_digits(fraction) || fraction.len() > 18 {
            return Err(EXPECTED);
        }
        parse_ether(&text).map(Self).map_err(|_| EXPECTED)
    }
}

/// Wei as ether, exactly and without trailing zeros.
pub fn ether(wei: U256) -> String {
    let text = format_ether(wei);
    match text.split_once('.') {
        Some((whole, fraction)) => match fraction.trim_end_matches('0') {
            "" => whole.to_owned(),
            fraction => format!("{whole}.{fraction}"),
        },
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written() {
        for text in ["0", "1.5", "2.25", "1000000", "0.000000000000000001"] {
            assert_eq!(ether(Ether::try_from(text.to_owned()).unwrap().0), text);
        }
        for wrong in ["", ".", "1.", ".5", "1.2.3", "-1", "1e3", "1.5 ether", "1.0000000000000000001", "0x10"]
        {
            assert!(Ether::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
