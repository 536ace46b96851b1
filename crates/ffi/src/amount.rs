//! Amounts: exact numbers of base units, which travel as decimal text.

use saldo::U256;

/// An exact number of an asset's base units (wei for the native asset), as decimal digits. Kotlin has it as `BigInteger`,
/// Python as `int`, Swift as a struct.
///
/// Anyone can make one, for a claim that is checked: no function takes one as a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount(String);

uniffi::custom_type!(Amount, String, {
    lower: |amount| amount.0,
    try_lift: |digits| Amount::parse(digits).ok_or_else(|| uniffi::deps::anyhow::anyhow!("not a number of base units")),
});

impl Amount {
    /// Takes at most 78 decimal digits without a sign: what fits into 256 bits.
    pub fn parse(digits: String) -> Option<Self> {
        let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        (is_number && U256::from_str_radix(&digits, 10).is_ok()).then_some(Self(digits))
    }

    /// Returns the digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the number; `None` only for a text that no constructor makes.
    pub(crate) fn base_units(&self) -> Option<U256> {
        U256::from_str_radix(&self.0, 10).ok()
    }

    /// Makes an amount for a sample.
    pub(crate) fn sample(digits: &str) -> Self {
        Self(digits.to_owned())
    }

    fn split(&self, decimals: u8) -> (String, String) {
        let width = usize::from(decimals).saturating_add(1);
        let digits = format!("{:0>width$}", self.0.trim_start_matches('0'));
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(usize::from(decimals)));
        (whole.to_owned(), fraction.trim_end_matches('0').to_owned())
    }
}

impl From<U256> for Amount {
    fn from(base_units: U256) -> Self {
        Self(base_units.to_string())
    }
}

impl From<saldo::Amount> for Amount {
    fn from(amount: saldo::Amount) -> Self {
        Self(amount.base_units().to_string())
    }
}

/// Returns the exact quantity as a decimal fraction, without trailing zeros: 1500000000000000000 wei with 18 decimals is `1.5`.
#[uniffi::export]
#[allow(clippy::needless_pass_by_value, reason = "the bindings hand over owned values")]
pub fn format_amount(amount: Amount, decimals: u8) -> String {
    let (whole, fraction) = amount.split(decimals);
    if fraction.is_empty() { whole } else { format!("{whole}.{fraction}") }
}

/// Returns the quantity cut to `places` digits after the point. An amount that is not zero never reads as zero: one that is too
/// small for the places is `<0.0001`.
#[uniffi::export]
#[allow(clippy::needless_pass_by_value, reason = "the bindings hand over owned values")]
pub fn format_amount_short(amount: Amount, decimals: u8, places: u8) -> String {
    let (whole, fraction) = amount.split(decimals);
    let shown: String = fraction.chars().take(usize::from(places)).collect();
    let cut = shown.len() < fraction.len();
    let shown = shown.trim_end_matches('0');
    match (shown.is_empty(), whole == "0") {
        (true, true) if cut && places == 0 => "<1".to_owned(),
        (true, true) if cut => format!("<0.{:0>width$}", 1, width = usize::from(places)),
        (true, _) => whole,
        (false, _) => format!("{whole}.{shown}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_that_fit_are_an_amount() {
        let most = U256::MAX.to_string();
        for digits in ["0", "7", most.as_str()] {
            assert_eq!(Amount::parse(digits.to_owned()).unwrap().as_str(), digits);
        }
        for digits in ["", "-1", "+1", "1.0", "0x1", "1e3", " 1", &format!("{most}0"), &format!("{most}1")] {
            assert_eq!(Amount::parse(digits.to_owned()), None, "{digits}");
        }
    }

    /// The same results as those of `saldo::Amount`, whose tests have these rows.
    #[test]
    fn amounts_are_formatted_as_in_rust() {
        for (digits, decimals, text) in [
            ("0", 18, "0"),
            ("000", 18, "0"),
            ("1", 18, "0.000000000000000001"),
            ("1500000000000000000", 18, "1.5"),
            ("100", 0, "100"),
            ("100", 2, "1"),
            ("105", 2, "1.05"),
        ] {
            assert_eq!(format_amount(Amount::sample(digits), decimals), text);
        }
        for (digits, places, text) in [
            ("0", 4, "0"),
            ("0", 0, "0"),
            ("1", 4, "<0.0001"),
            ("99999999999999", 4, "<0.0001"),
            ("100000000000000", 4, "0.0001"),
            ("1000000000000000001", 4, "1"),
            ("1234567000000000000", 4, "1.2345"),
            ("1", 0, "<1"),
            ("1", 18, "0.000000000000000001"),
        ] {
            assert_eq!(format_amount_short(Amount::sample(digits), 18, places), text, "{digits} in {places}");
        }
        assert_eq!(format_amount(Amount(U256::MAX.to_string()), 255).len(), 257);
    }
}
