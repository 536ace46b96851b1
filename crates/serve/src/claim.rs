//! `saldo_check`: claims in, verdicts out. A claim has the words of `saldo check`: `address`, `asset`, `amount` and, if known, `block`.

use std::borrow::Cow;

use saldo::{Address, Asset, Claim, Client, Holding, U256};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::RpcError;
use crate::own::form;
use crate::params::Params;
use crate::unanswered::Unanswered;

/// The most claims of one call.
const MOST_CLAIMS: usize = 1_000;
/// How many decimals the native coin has.
const DECIMALS: usize = 18;
/// The largest whole number that every program writes exactly.
const EXACT: u64 = 1 << 53;
/// What some programs write in place of a contract when they mean the native coin.
const PLACEHOLDERS: [Address; 2] = [Address::repeat_byte(0xee), Address::ZERO];

/// `saldo_check`: a verdict for each claim, in their order, by the schema `saldo.verdict/1`. The list is read whole, or not at all.
pub(crate) async fn check(client: &Client, params: Option<&RawValue>) -> Result<Value, Unanswered> {
    let given = Params::read(params, usize::MAX)?;
    if given.all().len() > MOST_CLAIMS {
        return Err(RpcError::too_many_claims(MOST_CLAIMS).into());
    }
    let read = |(place, raw): (usize, &&RawValue)| {
        let claim = Words::read(raw.get()).and_then(|words| words.claim(client));
        claim.map_err(|what| RpcError::invalid_params(format_args!("claim {place}: {what}")))
    };
    let claims = given.all().iter().enumerate().map(|(place, raw)| read((place, raw)));
    let claims: Vec<Claim> = claims.collect::<Result<_, _>>()?;
    form(&client.check(&claims).await)
}

/// The words of one claim. Any other key is refused, and one that is there twice.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    address: String,
    asset: String,
    amount: Value,
    block: Option<Value>,
}

/// What is wrong with a claim.
type Wrong = &'static str;

impl Words {
    fn read(json: &str) -> Result<Self, Wrong> {
        serde_json::from_str(json).map_err(
            |_| "it must be an object with `address`, `asset`, `amount` and at most `block`, each once",
        )
    }

    fn claim(&self, client: &Client) -> Result<Claim, Wrong> {
        let asset = asset(self.asset.trim())?;
        let amount = amount(&whole(&self.amount)?, asset == Asset::Native)?;
        let block = self.block.as_ref().map(|block| self::block(&whole(block)?)).transpose()?;
        let holding = Holding::of(client.network_id(), address(self.address.trim())?, asset);
        Ok(Claim { holding, amount, block })
    }
}

/// A number as text. As a JSON number it is refused where a program could have rounded it before it wrote it.
fn whole(value: &Value) -> Result<Cow<'_, str>, Wrong> {
    match value {
        Value::String(text) => Ok(text.trim().into()),
        Value::Number(number) => match number.as_u64().filter(|number| *number <= EXACT) {
            Some(number) => Ok(number.to_string().into()),
            None => {
                Err("a JSON number that is not whole, or above 2^53, may have been rounded: write a text")
            }
        },
        _ => Err("`amount` and `block` are texts or whole numbers"),
    }
}

/// Both cases together are a checksum (EIP-55).
fn address(text: &str) -> Result<Address, Wrong> {
    const WRONG: Wrong = "`address`, and an `asset` that is a token, are 0x and 40 hexadecimal digits";
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).ok_or(WRONG)?;
    if digits.len() != 40 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(WRONG);
    }
    let has = |is_case: fn(&u8) -> bool| digits.bytes().any(|digit| is_case(&digit));
    if has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) {
        return Address::parse_checksummed(format!("0x{digits}"), None).map_err(
            |_| "the checksum of an address is wrong (EIP-55): at least one character is not as it was",
        );
    }
    digits.parse().map_err(|_| WRONG)
}

fn asset(text: &str) -> Result<Asset, Wrong> {
    if text.eq_ignore_ascii_case("native") || text.eq_ignore_ascii_case("eth") {
        return Ok(Asset::Native);
    }
    let token =
        address(text).map_err(|_| "`asset` is neither `native` nor the address of a token's contract")?;
    if PLACEHOLDERS.contains(&token) {
        return Err("this `asset` is no contract: for the native coin, write `native`");
    }
    Ok(Asset::Erc20(token))
}

/// Reads base units in decimal or hexadecimal digits, or for the native coin `1.5 ether`. No number is rounded.
fn amount(text: &str, is_native: bool) -> Result<U256, Wrong> {
    const WRONG: Wrong = "`amount` is base units, in decimal digits or after 0x, of at most 256 bits; for the native coin also `1.5 ether`";
    let number = |digits: &str, radix: u32| {
        let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
        let read = is_number.then(|| U256::from_str_radix(digits, radix.into()).ok()).flatten();
        read.ok_or(WRONG)
    };
    if let Some(ether) = text.strip_suffix("ether").filter(|_| is_native) {
        let ether = ether.trim_end();
        let (units, fraction) = ether.split_once('.').unwrap_or((ether, "0"));
        if units.is_empty() || fraction.is_empty() || fraction.len() > DECIMALS {
            return Err(WRONG);
        }
        return number(&format!("{units}{fraction:0<DECIMALS$}"), 10);
    }
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => number(digits, 16),
        None => number(text, 10),
    }
}

fn block(text: &str) -> Result<u64, Wrong> {
    let number = match text.strip_prefix("0x") {
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            u64::from_str_radix(digits, 16).ok()
        }
        None if text.bytes().all(|digit| digit.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    };
    number.ok_or("`block` is not a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE_ETHER: &str = "1000000000000000000";

    #[test]
    fn amounts_are_exact() {
        let wei = |text| amount(text, true).map(|amount| amount.to_string());
        for (text, expected) in [
            ("0", "0"),
            ("0xDe0b6b3a7640000", ONE_ETHER),
            ("1 ether", ONE_ETHER),
            ("0.000000000000000001 ether", "1"),
            ("9007199254740993.1ether", "9007199254740993100000000000000000"),
        ] {
            assert_eq!(wei(text).as_deref(), Ok(expected));
        }
        let most = format!("{}0", U256::MAX);
        for wrong in [
            "", "1.5", "-1", "+1", "1e18", "1_000", "0x", "1. ether", ".5 ether", "+1 ether", " ether", &most,
        ] {
            assert!(amount(wrong, true).is_err(), "{wrong}");
        }
        assert!(amount("0.0000000000000000001 ether", true).is_err());
        assert!(amount("1 ether", false).is_err(), "only the native coin has `ether`");
    }

    #[test]
    fn a_number_that_may_have_been_rounded_is_refused() {
        let whole = |json: &str| whole(&serde_json::from_str(json).unwrap()).map(Cow::into_owned);
        assert_eq!(whole("9007199254740992").as_deref(), Ok("9007199254740992"));
        assert_eq!(whole("\" 9007199254740993 \"").as_deref(), Ok("9007199254740993"));
        for wrong in ["9007199254740993", "1.5", "-1", "1e3", "null", "true", "[]"] {
            assert!(whole(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_claim_has_its_own_keys_each_once() {
        let address = Address::repeat_byte(1);
        let with =
            |rest: &str| Words::read(&format!(r#"{{"address":"{address}","asset":"native"{rest}}}"#)).is_ok();
        assert!(with(r#","amount":"1""#) && with(r#","amount":1,"block":null"#));
        for wrong in ["", r#","amount":1,"amount":2"#, r#","amount":1,"x":2"#, r#","amount":1,"asset":"eth""#]
        {
            assert!(!with(wrong), "{wrong}");
        }
    }
}
