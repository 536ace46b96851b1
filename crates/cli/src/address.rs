//! Addresses as people write them.

use alloy_primitives::Address;

use crate::failure::CommandFailure;

/// Reads an address: 0x and 40 hexadecimal digits, with a right EIP-55 checksum if both cases occur.
///
/// # Errors
/// A usage failure that says what is wrong.
pub(crate) fn parse(text: &str) -> Result<Address, CommandFailure> {
    let usage = |code, detail: &str, next_step: &str| Err(CommandFailure::usage(code, detail, next_step));
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let Some(digits) = digits else {
        if text.contains('.') && !text.contains('/') && !text.contains(':') {
            return usage(
                "name_not_supported",
                "names such as x.eth are not resolved: a name's address cannot be proven by an account proof alone",
                "Look the name up in a place you trust, and give the address.",
            );
        }
        return usage(
            "not_an_address",
            "this is not an address",
            "Give 0x and 40 hexadecimal digits, or `-` to read addresses from standard input.",
        );
    };
    if digits.len() != 40 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return usage(
            "not_an_address",
            &format!(
                "an address has 40 hexadecimal digits after 0x; this one has {} characters",
                digits.chars().count()
            ),
            "Copy the address again.",
        );
    }
    let upper = digits.bytes().any(|digit| digit.is_ascii_uppercase());
    let lower = digits.bytes().any(|digit| digit.is_ascii_lowercase());
    let checked = if upper && lower {
        Address::parse_checksummed(format!("0x{digits}"), None).ok()
    } else {
        format!("0x{}", digits.to_lowercase()).parse().ok()
    };
    match checked {
        Some(address) => Ok(address),
        None => usage(
            "wrong_checksum",
            "the address's checksum is wrong (EIP-55): at least one character is not as it was",
            "Copy the address again; do not retype it.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_cases_together_are_a_checksum() {
        let right = "0x95222290DD7278Aa3Ddd389Cc1E1d165CC4BAfe5";
        let address = parse(right).unwrap();
        assert_eq!(parse(&right.to_lowercase()).unwrap(), address);
        assert_eq!(parse(&right.to_uppercase()).unwrap(), address);
        let code = |text: &str| parse(text).unwrap_err().to_json_code();
        assert_eq!(code("0x95222290dD7278Aa3Ddd389Cc1E1d165CC4BAfe5"), "wrong_checksum");
        assert_eq!(code("vitalik.eth"), "name_not_supported");
        assert_eq!(code("0x1234"), "not_an_address");
        assert_eq!(code("95222290DD7278Aa3Ddd389Cc1E1d165CC4BAfe5"), "not_an_address");
        assert_eq!(code("https://node.example/KEY"), "not_an_address");
    }

    impl CommandFailure {
        fn to_json_code(&self) -> String {
            let shown = format!("{self:?}");
            shown.split('"').nth(1).unwrap().to_owned()
        }
    }
}
