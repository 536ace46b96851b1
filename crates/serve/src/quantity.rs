//! Numbers as JSON-RPC writes them: hexadecimal, without leading zeros.

use alloy_primitives::U256;

/// Writes a quantity.
pub(crate) fn quantity(number: impl std::fmt::LowerHex) -> String {
    format!("{number:#x}")
}

/// Reads a quantity, as strictly as geth does; `None` if it is none.
pub(crate) fn read_quantity(text: &str) -> Option<U256> {
    let digits = text.strip_prefix("0x")?;
    let is_short = digits == "0" || !digits.starts_with('0');
    let is_hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if digits.is_empty() || digits.len() > 64 || !is_short || !is_hexadecimal {
        return None;
    }
    U256::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_written_and_read_as_geth_does() {
        assert_eq!(quantity(0_u64), "0x0");
        assert_eq!(quantity(1024_u64), "0x400");
        assert_eq!(quantity(U256::MAX), format!("0x{}", "f".repeat(64)));
        for (text, number) in [("0x0", 0_u64), ("0x400", 1024), ("0xAb", 171)] {
            assert_eq!(read_quantity(text), Some(U256::from(number)), "{text}");
        }
        let long = format!("0x1{}", "0".repeat(64));
        for wrong in
            ["", "0", "0x", "0x00", "0x01", "1", "0xg", "0x 1", "-0x1", "0x+1", "0x1_0", "0X1", &long]
        {
            assert_eq!(read_quantity(wrong), None, "{wrong}");
        }
    }
}
