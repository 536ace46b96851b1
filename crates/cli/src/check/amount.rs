//! Amounts with their units, as they are shown.

use saldo::U256;

/// How many decimals the native coin has.
const DECIMALS: usize = 18;

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
    use saldo_serve::claim_words::amount;

    use super::*;

    #[test]
    fn a_shown_amount_is_read_again() {
        for (wei, text) in
            [("0", "0 ether"), ("1", "0.000000000000000001 ether"), ("1500000000000000000", "1.5 ether")]
        {
            let wei: U256 = wei.parse().unwrap();
            assert_eq!(shown(wei, true), text);
            assert_eq!(amount(text, true), Ok(wei));
        }
        assert_eq!(shown(U256::MAX, false), format!("{} base units", U256::MAX));
    }
}
