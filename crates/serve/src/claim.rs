//! `saldo_check`: claims in, verdicts out. A claim has the words of `saldo check`: `address`, `asset`, `amount` and, if known, `block`.

use std::borrow::Cow;

use saldo::{Address, Asset, Claim, Client, Holding};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::claim_words::{self, PLACEHOLDERS, exact_number};
use crate::error::RpcError;
use crate::own::form;
use crate::params::Params;
use crate::unanswered::Unanswered;

/// The most claims of one call.
const MOST_CLAIMS: usize = 1_000;

/// `saldo_check`: a verdict for each claim, in their order, by the schema `saldo.verdict/1`. The list is read whole, or not at all.
pub(crate) async fn check(client: &Client, params: Option<&RawValue>) -> Result<Value, Unanswered> {
    let given = Params::read(params, usize::MAX)?;
    if given.all().len() > MOST_CLAIMS {
        return Err(RpcError::too_many_claims(MOST_CLAIMS).into());
    }
    let read = |(place, raw): (usize, &&RawValue)| {
        let claim = Words::read(raw.get()).map_err(Cow::from).and_then(|words| words.claim(client));
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

    fn claim(&self, client: &Client) -> Result<Claim, Cow<'static, str>> {
        let asset = asset(self.asset.trim())?;
        let number = |value, key: &str| exact_number(value).map_err(|wrong| format!("`{key}` {wrong}"));
        let amount = claim_words::amount(&number(&self.amount, "amount")?, asset == Asset::Native)?;
        let block = self.block.as_ref().map(|block| number(block, "block")).transpose()?;
        let block = block.map(|block| claim_words::block(&block).ok_or("`block` is not a number"));
        let block = block.transpose()?;
        let holding = Holding::of(client.network_id(), address(self.address.trim())?, asset);
        Ok(Claim { holding, amount, block })
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

#[cfg(test)]
mod tests {
    use super::*;

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
