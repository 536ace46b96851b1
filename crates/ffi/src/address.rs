//! Addresses as people write them.

use saldo::Address;

/// Reads an address: 0x and 40 hexadecimal digits, with a right EIP-55 checksum if both cases occur.
pub(crate) fn parse(text: &str) -> Option<Address> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    if digits.len() != 40 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let has_upper = digits.bytes().any(|digit| digit.is_ascii_uppercase());
    let has_lower = digits.bytes().any(|digit| digit.is_ascii_lowercase());
    if has_upper && has_lower {
        return Address::parse_checksummed(format!("0x{digits}"), None).ok();
    }
    format!("0x{}", digits.to_lowercase()).parse().ok()
}

/// Returns `text` as an address with its EIP-55 checksum; `None` if it is not an address, or has a wrong checksum.
#[uniffi::export]
#[allow(clippy::needless_pass_by_value, reason = "the bindings hand over owned values")]
pub fn normalize_address(text: String) -> Option<String> {
    parse(text.trim()).map(|address| address.to_checksum(None))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECKSUMMED: &str = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045";

    #[test]
    fn one_case_needs_no_checksum_and_two_cases_need_the_right_one() {
        for text in [CHECKSUMMED.to_owned(), CHECKSUMMED.to_lowercase(), format!(" {CHECKSUMMED}\n")] {
            assert_eq!(normalize_address(text).as_deref(), Some(CHECKSUMMED));
        }
        let digits = CHECKSUMMED.strip_prefix("0x").unwrap();
        let upper = format!("0x{}", digits.to_uppercase());
        assert_eq!(normalize_address(upper).as_deref(), Some(CHECKSUMMED));
        for text in ["", "0x", "vitalik.eth", digits, CHECKSUMMED.strip_suffix('5').unwrap()] {
            assert_eq!(normalize_address(text.to_owned()), None, "{text}");
        }
        assert_eq!(normalize_address(CHECKSUMMED.replace('B', "b")), None);
    }
}
