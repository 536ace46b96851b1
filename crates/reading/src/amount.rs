//! A quantity of an asset. It exists only if it was read from verified leaves.

use alloy_primitives::U256;

/// A quantity in the asset's base units (wei for the native asset).
///
/// It has no `Default`, no `Sum`, no conversion from an integer and no zero constant. Code that has no answer therefore
/// cannot invent one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Amount(U256);

impl Amount {
    pub(crate) fn new(base_units: U256) -> Self {
        Self(base_units)
    }

    /// Returns the sum; `None` if it does not fit. Only [`Totals`](crate::Totals) adds, because it knows which holdings are
    /// missing.
    pub(crate) fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Returns the quantity in base units (wei for the native asset).
    pub fn base_units(&self) -> U256 {
        self.0
    }

    /// Returns the exact quantity as a decimal fraction, without trailing zeros: 1500000000000000000 wei with 18 decimals
    /// is `1.5`.
    pub fn format(&self, decimals: u8) -> String {
        let (whole, fraction) = self.split(decimals);
        if fraction.is_empty() { whole } else { format!("{whole}.{fraction}") }
    }

    /// Returns the quantity cut to `places` digits after the point. An amount that is not zero never reads as zero: one that
    /// is too small for the places is `<0.0001`.
    pub fn format_short(&self, decimals: u8, places: u8) -> String {
        let (whole, fraction) = self.split(decimals);
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

    /// Returns the digits before the point, and the digits after it without trailing zeros.
    fn split(&self, decimals: u8) -> (String, String) {
        let width = usize::from(decimals).saturating_add(1);
        let digits = format!("{:0>width$}", self.0.to_string());
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(usize::from(decimals)));
        (whole.to_owned(), fraction.trim_end_matches('0').to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(base_units: u64) -> Amount {
        Amount::new(U256::from(base_units))
    }

    #[test]
    fn the_exact_format_keeps_every_digit() {
        for (base_units, decimals, text) in [
            (0, 18, "0"),
            (1, 18, "0.000000000000000001"),
            (1_500_000_000_000_000_000, 18, "1.5"),
            (100, 0, "100"),
            (100, 2, "1"),
            (105, 2, "1.05"),
        ] {
            assert_eq!(amount(base_units).format(decimals), text);
        }
        assert_eq!(Amount::new(U256::MAX).format(255).len(), 257);
    }

    #[test]
    fn the_short_format_never_shows_a_positive_amount_as_zero() {
        for (base_units, places, text) in [
            (0, 4, "0"),
            (1, 4, "<0.0001"),
            (99_999_999_999_999, 4, "<0.0001"),
            (100_000_000_000_000, 4, "0.0001"),
            (1_000_000_000_000_000_000, 4, "1"),
            (1_000_000_000_000_000_001, 4, "1"),
            (1_234_567_000_000_000_000, 4, "1.2345"),
            (1, 0, "<1"),
            (1, 18, "0.000000000000000001"),
        ] {
            assert_eq!(amount(base_units).format_short(18, places), text, "{base_units} in {places} places");
        }
    }
}
