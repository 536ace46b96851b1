//! Token lists: what their authors say, which proves nothing.

use std::collections::BTreeSet;

use alloy_primitives::Address;
use serde::Deserialize;
use serde_json::Value;

use crate::symbol::Symbol;

/// A list of tokens in the [Uniswap schema](https://uniswap.org/tokenlist.schema.json). It says which tokens to look at; what it
/// says of their decimals and symbols is declared, not proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenList {
    /// The name of the list.
    pub name: Symbol,
    /// The tokens, each once for each network.
    pub tokens: Vec<ListedToken>,
    /// How many entries could not be read, or were there twice.
    pub skipped: usize,
}

/// What a list says of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedToken {
    /// The chain id of its network.
    pub chain_id: u64,
    /// Its contract.
    pub address: Address,
    /// The number of decimals that the list declares.
    pub decimals: u8,
    /// The symbol that the list declares.
    pub symbol: Symbol,
    /// The name that the list declares.
    pub name: Symbol,
}

/// Why a token list cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// It is larger than [`TokenList::MAX_BYTES`].
    #[error("the token list has {got} bytes, more than {limit}")]
    TooLarge {
        /// Its size.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// It has more entries than [`TokenList::MAX_TOKENS`].
    #[error("the token list has {got} tokens, more than {limit}")]
    TooMany {
        /// The number of its entries.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// It is not JSON, or has no list `tokens`.
    #[error("this is no token list: {0}")]
    Malformed(String),
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    name: String,
    tokens: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    chain_id: u64,
    address: String,
    decimals: u8,
    #[serde(default)]
    symbol: String,
    #[serde(default)]
    name: String,
}

impl TokenList {
    /// The most bytes that are read.
    pub const MAX_BYTES: usize = 8 << 20;
    /// The most entries that are read.
    pub const MAX_TOKENS: usize = 50_000;

    /// Reads a token list. Entries that cannot be read are left out and counted.
    ///
    /// # Errors
    /// [`ListError`]. Fault: the author of the list.
    pub fn from_json(json: &[u8]) -> Result<Self, ListError> {
        if json.len() > Self::MAX_BYTES {
            return Err(ListError::TooLarge { got: json.len(), limit: Self::MAX_BYTES });
        }
        let document: Document =
            serde_json::from_slice(json).map_err(|error| ListError::Malformed(error.to_string()))?;
        let entries = document.tokens.len();
        if entries > Self::MAX_TOKENS {
            return Err(ListError::TooMany { got: entries, limit: Self::MAX_TOKENS });
        }
        let mut seen = BTreeSet::new();
        let mut tokens = document.tokens.into_iter().filter_map(ListedToken::read).collect::<Vec<_>>();
        tokens.retain(|token| seen.insert((token.chain_id, token.address)));
        let skipped = entries.saturating_sub(tokens.len());
        Ok(Self { name: Symbol::new(&document.name), tokens, skipped })
    }

    /// Returns the tokens of one network.
    pub fn of_network(&self, chain_id: u64) -> impl Iterator<Item = &ListedToken> {
        self.tokens.iter().filter(move |token| token.chain_id == chain_id)
    }
}

impl ListedToken {
    fn read(entry: Value) -> Option<Self> {
        let entry: Entry = serde_json::from_value(entry).ok()?;
        // A checksum that is wrong is a mistyped address.
        let digits = entry.address.strip_prefix("0x")?;
        let is_mixed = digits.contains(|c: char| c.is_ascii_uppercase())
            && digits.contains(|c: char| c.is_ascii_lowercase());
        let address: Address = match is_mixed {
            true => Address::parse_checksummed(&entry.address, None).ok()?,
            false => digits.parse().ok()?,
        };
        Some(Self {
            chain_id: entry.chain_id,
            address,
            decimals: entry.decimals,
            symbol: Symbol::new(&entry.symbol),
            name: Symbol::new(&entry.name),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USDC: &str = r#"{"chainId":1,"address":"0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48","decimals":6,"symbol":"USDC","name":"USD Coin"}"#;

    fn list(tokens: &str) -> Result<TokenList, ListError> {
        TokenList::from_json(
            format!(r#"{{"name":"Test","timestamp":"2026-01-01","tokens":[{tokens}]}}"#).as_bytes(),
        )
    }

    #[test]
    fn a_token_is_read_once_for_each_network() {
        let elsewhere = USDC.replace("\"chainId\":1", "\"chainId\":10");
        let read = list(&[USDC, USDC, &elsewhere].join(",")).unwrap();
        assert_eq!((read.tokens.len(), read.skipped), (2, 1));
        let token = read.of_network(10).next().unwrap();
        assert_eq!((token.decimals, token.symbol.as_str(), token.name.as_str()), (6, "USDC", "USD Coin"));
    }

    /// Without letters in both cases there is no checksum.
    #[test]
    fn an_address_in_one_case_needs_no_checksum() {
        let digits = "A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48";
        for other in [digits.to_lowercase(), digits.to_uppercase()] {
            let read = list(&USDC.replace(digits, &other)).unwrap();
            assert_eq!(read.tokens, list(USDC).unwrap().tokens, "{other}");
        }
    }

    #[test]
    fn a_malformed_entry_is_left_out_and_counted() {
        for (from, to) in [
            ("0xA0b", "0xa0b"),  // The checksum is wrong.
            ("0xA0b", "A0b"),    // No prefix.
            ("eB48\"", "eB4\""), // Too short.
            ("\"decimals\":6", "\"decimals\":256"),
            ("\"decimals\":6", "\"decimals\":-1"),
            ("\"decimals\":6", "\"decimals\":6.5"),
            ("\"chainId\":1", "\"chainId\":\"1\""),
        ] {
            let read = list(&[USDC.replace(from, to).as_str(), USDC].join(",")).unwrap();
            assert_eq!((read.tokens.len(), read.skipped), (1, 1), "{to}");
        }
        assert_eq!(list("null,7,[]").unwrap().skipped, 3);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for json in ["", "[]", "{}", r#"{"tokens":{}}"#, "<html>"] {
            assert!(matches!(TokenList::from_json(json.as_bytes()), Err(ListError::Malformed(_))), "{json}");
        }
        let large = vec![b' '; TokenList::MAX_BYTES + 1];
        assert!(matches!(TokenList::from_json(&large), Err(ListError::TooLarge { .. })));
        let many = vec!["0"; TokenList::MAX_TOKENS + 1].join(",");
        assert!(matches!(list(&many), Err(ListError::TooMany { .. })));
        let most = vec!["0"; TokenList::MAX_TOKENS].join(",");
        assert_eq!(list(&most).unwrap().skipped, TokenList::MAX_TOKENS);
        let mut largest = br#"{"tokens":[]}"#.to_vec();
        largest.resize(TokenList::MAX_BYTES, b' ');
        assert!(TokenList::from_json(&largest).is_ok());
    }
}
