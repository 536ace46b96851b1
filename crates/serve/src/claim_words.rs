//! The words of a claim, as `saldo_check` and the command `saldo check` take them. Exact: no number is ever rounded.

use std::borrow::Cow;

use saldo::{Address, U256};
use serde_json::Value;

/// What some programs write in place of a contract when they mean the native coin.
pub const PLACEHOLDERS: [Address; 2] = [Address::repeat_byte(0xee), Address::ZERO];
/// The largest whole number that every program writes exactly.
const EXACT: u64 = 1 << 53;
/// How many decimals the native coin has.
const DECIMALS: usize = 18;

/// Reads an amount: base units in decimal or hexadecimal digits, or for the native coin `1.5 ether`.
///
/// # Errors
/// What is wrong with it.
pub fn amount(text: &str, is_native: bool) -> Result<U256, &'static str> {
    if let Some(number) = text.strip_suffix("ether") {
        if !is_native {
            return Err("a token's amount is in base units: only the native coin has `ether`");
        }
        return ether(number.trim_end());
    }
    if text.contains('.') {
        return Err("base units have no decimals: write base units, or for the native coin `1.5 ether`");
    }
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => number(digits, 16),
        None => number(text, 10),
    }
}

fn number(digits: &str, radix: u8) -> Result<U256, &'static str> {
    let is_digit = |digit: char| digit.is_digit(u32::from(radix));
    if digits.is_empty() || !digits.chars().all(is_digit) {
        return Err("an amount is base units, in decimal digits or in hexadecimal ones after 0x");
    }
    U256::from_str_radix(digits, u64::from(radix)).map_err(|_| TOO_LARGE)
}

const TOO_LARGE: &str = "an amount has at most 256 bits";

fn ether(text: &str) -> Result<U256, &'static str> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.len() > DECIMALS {
        return Err("ether has 18 decimals");
    }
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return Err("write an amount in ether as `1.5 ether`");
    }
    let digits = format!("{whole}{fraction:0<DECIMALS$}");
    U256::from_str_radix(&digits, 10).map_err(|_| TOO_LARGE)
}

/// A number as text. As a JSON number it is refused where a program could have rounded it before it wrote it.
///
/// # Errors
/// What is wrong with it, as a predicate.
pub fn exact_number(value: &Value) -> Result<Cow<'_, str>, &'static str> {
    match value {
        Value::String(text) => Ok(text.trim().into()),
        Value::Number(number) => match number.as_u64().filter(|number| *number <= EXACT) {
            Some(number) => Ok(number.to_string().into()),
            None => Err(
                "is a JSON number that is not whole, or too large to be sure that it is exact: write it as text",
            ),
        },
        _ => Err("is neither a text nor a whole number"),
    }
}

/// Reads the number of a block, in decimal digits or in hexadecimal ones after 0x.
pub fn block(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            u64::from_str_radix(digits, 16).ok()
        }
        None if text.bytes().all(|digit| digit.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        let wei = |text| amount(text, true).map(|wei| wei.to_string());
        let of = |text: &str| Ok(text.to_owned());
        assert_eq!(wei("0"), of("0"));
        assert_eq!(wei("0x0"), of("0"));
        assert_eq!(wei("0xDe0b6b3a7640000"), of("1000000000000000000"));
        assert_eq!(wei("1 ether"), of("1000000000000000000"));
        assert_eq!(wei("1.5 ether"), of("1500000000000000000"));
        assert_eq!(wei("0.000000000000000001 ether"), of("1"));
        assert_eq!(wei("9007199254740993.1ether"), of("9007199254740993100000000000000000"));
        assert_eq!(wei(&U256::MAX.to_string()), of(&U256::MAX.to_string()));
        assert_eq!(amount("7250000", false), Ok(U256::from(7_250_000)));
    }

    #[test]
    fn what_is_no_exact_number_is_refused() {
        let most = format!("{}0", U256::MAX);
        for wrong in [
            "",
            "1.5",
            "-1",
            "+1",
            "1e18",
            "1_000",
            "1,5",
            "1 000",
            "0x",
            "0xg",
            "x",
            "1.5 Ether",
            "NaN",
            "٣",
            ".5 ether",
            "1. ether",
            "1.5.0 ether",
            " ether",
            "-1 ether",
            "0.0000000000000000001 ether",
            "1 gwei",
            "1.5 ETH",
            most.as_str(),
            "0x1 ether",
        ] {
            assert!(amount(wrong, true).is_err(), "{wrong}");
        }
        assert!(amount(&format!("{} ether", U256::MAX), true).is_err());
        assert!(amount("1 ether", false).is_err());
    }

    #[test]
    fn a_number_that_may_have_been_rounded_is_refused() {
        let number = |json: &str| exact_number(&serde_json::from_str(json).unwrap()).map(Cow::into_owned);
        assert_eq!(number("9007199254740992").as_deref(), Ok("9007199254740992"));
        assert_eq!(number("\" 9007199254740993 \"").as_deref(), Ok("9007199254740993"));
        for wrong in ["9007199254740993", "1.5", "-1", "1e3", "null", "true", "[]"] {
            assert!(number(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_block_is_a_number() {
        assert_eq!((block("12"), block("0xc"), block("0")), (Some(12), Some(12), Some(0)));
        for wrong in ["", "0x", "latest", "-1", "+1", "1.0", "0xg", "18446744073709551616"] {
            assert_eq!(block(wrong), None, "{wrong}");
        }
    }
}
