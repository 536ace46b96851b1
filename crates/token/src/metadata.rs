//! The decimals and the symbol of a token by running the token's own code.

use alloy_primitives::{Address, Bytes, U256};
use saldo_execute::{Call, Environment, Executed, Meter, Output, Refusal, execute_within};
use saldo_proof::{ProvenState, Query};

use crate::info::{InfoSource, TokenInfo};
use crate::route::Obstacle;
use crate::symbol::Symbol;

/// The first four bytes of the hash of `decimals()`.
const DECIMALS: [u8; 4] = [0x31, 0x3c, 0xe5, 0x67];
/// The first four bytes of the hash of `symbol()`.
const SYMBOL: [u8; 4] = [0x95, 0xd8, 0x9b, 0x41];

impl TokenInfo {
    /// Reads what the code of `token` says of its decimals and its symbol, in the block of `environment`. `None` if the code gives no
    /// decimals from 0 to 255: they are optional in [ERC-20](https://eips.ethereum.org/EIPS/eip-20).
    ///
    /// # Errors
    /// [`Obstacle::Missing`]: what has to be proven first. [`Obstacle::NotRun`] if a run does not end.
    pub fn from_execution(
        state: &ProvenState,
        environment: &Environment,
        token: Address,
    ) -> Result<Option<Self>, Obstacle> {
        Self::from_execution_within(state, environment, token, &mut Meter::default())
    }

    /// The same with what `meter` has left, as one of several rounds: each round of requests runs the code again.
    ///
    /// # Errors
    /// Those of [`Self::from_execution`].
    pub fn from_execution_within(
        state: &ProvenState,
        environment: &Environment,
        token: Address,
        meter: &mut Meter,
    ) -> Result<Option<Self>, Obstacle> {
        let mut run = |selector: [u8; 4]| {
            execute_within(state, environment, &Call::new(token, Bytes::copy_from_slice(&selector)), meter)
        };
        let (decimals, symbol) = both(run(DECIMALS), run(SYMBOL))?;
        let Some(decimals) = number(decimals.output()) else { return Ok(None) };
        let symbol = Symbol::new(&text(symbol.output()).unwrap_or_default());
        Ok(Some(Self { decimals, symbol, source: InfoSource::Execution }))
    }
}

/// Both runs. What both lack is asked for together.
fn both(
    one: Result<Executed, Refusal>,
    other: Result<Executed, Refusal>,
) -> Result<(Executed, Executed), Obstacle> {
    let mut missing = Query::default();
    let mut take = |run| match run {
        Ok(executed) => Ok(Some(executed)),
        Err(Refusal::Missing(query)) => {
            missing.merge(query);
            Ok(None)
        }
        Err(refusal) => Err(Obstacle::NotRun(refusal)),
    };
    match (take(one)?, take(other)?) {
        (Some(one), Some(other)) => Ok((one, other)),
        _ => Err(Obstacle::Missing(missing)),
    }
}

/// The number of decimals that a call returned.
fn number(output: &Output) -> Option<u8> {
    let Output::Returned(bytes) = output else { return None };
    u8::try_from(U256::from_be_bytes(*bytes.first_chunk::<32>()?)).ok()
}

/// The text that a call returned: as ABI encodes it, or in 32 bytes, as some old tokens do (MKR).
fn text(output: &Output) -> Option<String> {
    let Output::Returned(bytes) = output else { return None };
    let raw = if bytes.len() == 32 {
        bytes.split(|byte| *byte == 0).next()?
    } else {
        // The place of the text, then its length, then its bytes.
        let rest = bytes.get(at(bytes, 0)?..)?;
        rest.get(32..)?.get(..at(rest, 0)?)?
    };
    Some(String::from_utf8_lossy(raw).into_owned())
}

/// The word of 32 bytes at `place`, as a place in these bytes.
fn at(bytes: &[u8], place: usize) -> Option<usize> {
    let word = U256::from_be_bytes(*bytes.get(place..)?.first_chunk::<32>()?);
    usize::try_from(word).ok()
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{hex, keccak256};

    use super::*;

    fn returned(hexadecimal: &str) -> Output {
        Output::Returned(hex::decode(hexadecimal.replace([' ', '\n'], "")).unwrap().into())
    }

    fn word(number: u8) -> String {
        format!("{number:064x}")
    }

    #[test]
    fn selectors_follow_from_their_names() {
        assert_eq!(keccak256("decimals()")[..4], DECIMALS);
        assert_eq!(keccak256("symbol()")[..4], SYMBOL);
    }

    #[test]
    fn decimals_are_a_number_that_fits_into_a_byte() {
        assert_eq!(number(&returned(&word(6))), Some(6));
        assert_eq!(number(&returned(&word(255))), Some(255));
        assert_eq!(number(&returned(&format!("{}ff", word(18)))), Some(18), "what follows is ignored");
        for none in [format!("{:064x}", 256), "ff".repeat(32), "06".to_owned(), String::new()] {
            assert_eq!(number(&returned(&none)), None, "{none}");
        }
    }

    #[test]
    fn a_symbol_is_read_in_both_forms() {
        let usdc = format!("{}{}{:0<64}", word(32), word(4), "55534443");
        assert_eq!(text(&returned(&usdc)).as_deref(), Some("USDC"));
        assert_eq!(text(&returned(&format!("{:0<64}", "4d4b52"))).as_deref(), Some("MKR"));
        // The text may be at any place.
        let elsewhere = format!("{}{}{}{:0<64}", word(64), word(0), word(3), "444149");
        assert_eq!(text(&returned(&elsewhere)).as_deref(), Some("DAI"));
        assert_eq!(text(&returned(&format!("{}{}", word(32), word(0)))).as_deref(), Some(""));
    }

    #[test]
    fn a_malformed_symbol_is_no_symbol() {
        let most = "ff".repeat(32);
        for malformed in [
            String::new(),
            "55".to_owned(),
            format!("{}{}", most, word(1)),
            format!("{}{}", word(32), most),
            format!("{}{}", word(32), word(33)),
            format!("{}{}55", word(32), word(2)),
            format!("{}{}", word(33), word(4)),
        ] {
            assert_eq!(text(&returned(&malformed)), None, "{malformed}");
        }
        // Bytes that are no text become a mark, which `Symbol` removes.
        let not_utf8 = format!("{}{}{:0<64}", word(32), word(2), "ff55");
        assert_eq!(Symbol::new(&text(&returned(&not_utf8)).unwrap()).as_str(), "U");
    }
}
