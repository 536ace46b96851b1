//! Amounts of a list of claims. Exact: no number is ever rounded.

use saldo::U256;

/// How many decimals the native coin has.
const DECIMALS: usize = 18;

/// Reads an amount: base units in decimal or hexadecimal digits, or for the native coin `1.5 ether`.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse(text: &str, is_native: bool) -> Result<U256, &'static str> {
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

/// An amount with its unit: the native coin in ether, a token in base units.
pub(crate) fn shown(amount: U256, is_native: bool) -> String {
    if !is_native {
        return format!("{amount} base units");
    }
    let digits = format!("{:0>width$}", amount.to_string(), width = DECIMALS.saturating_add(1));
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(DECIMALS));
    match fraction.trim_end_matches('0') {
        "" => format!("{whole} ether"),
        fraction => format!("{whole}.{fraction} ether"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        let wei = |text| parse(text, true).map(|amount| amount.to_string());
        let of = |text: &str| Ok(text.to_owned());
        assert_eq!(wei("0"), of("0"));
        assert_eq!(wei("0x0"), of("0"));
        assert_eq!(wei("0xDe0b6b3a7640000"), of("1000000000000000000"));
        assert_eq!(wei("1 ether"), of("1000000000000000000"));
        assert_eq!(wei("1.5 ether"), of("1500000000000000000"));
        assert_eq!(wei("0.000000000000000001 ether"), of("1"));
        assert_eq!(wei("9007199254740993.1ether"), of("9007199254740993100000000000000000"));
        assert_eq!(wei(&U256::MAX.to_string()), of(&U256::MAX.to_string()));
        assert_eq!(parse("7250000", false), Ok(U256::from(7_250_000)));
    }

    #[test]
    fn a_shown_amount_is_read_again() {
        for (wei, text) in
            [("0", "0 ether"), ("1", "0.000000000000000001 ether"), ("1500000000000000000", "1.5 ether")]
        {
            let amount: U256 = wei.parse().unwrap();
            assert_eq!(shown(amount, true), text);
            assert_eq!(parse(text, true), Ok(amount));
        }
        assert_eq!(shown(U256::MAX, false), format!("{} base units", U256::MAX));
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
            assert!(parse(wrong, true).is_err(), "{wrong}");
        }
        assert!(parse(&format!("{} ether", U256::MAX), true).is_err());
        assert!(parse("1 ether", false).is_err());
    }
}
