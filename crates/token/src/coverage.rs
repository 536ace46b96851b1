//! Which tokens are looked at.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::Address;

use crate::info::TokenInfo;
use crate::list::TokenList;

/// The tokens that are looked at, of one network. An owner can hold other tokens too: nothing follows for a token that is not
/// among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    tokens: Vec<Address>,
    info: BTreeMap<Address, TokenInfo>,
    other_networks: usize,
    skipped: usize,
}

impl Coverage {
    /// Makes the coverage of these tokens, each once.
    pub fn of_tokens(tokens: impl IntoIterator<Item = Address>) -> Self {
        let mut coverage = Self::default();
        coverage.add(tokens);
        coverage
    }

    /// Adds the tokens of `list` on the network with this chain id, and what the list declares of them. Symbols of the list that
    /// look alike are marked.
    #[must_use]
    pub fn with_list(mut self, list: &TokenList, chain_id: u64) -> Self {
        let listed: Vec<_> = list.of_network(chain_id).collect();
        let mut of_skeleton: BTreeMap<String, usize> = BTreeMap::new();
        for token in &listed {
            let count = of_skeleton.entry(token.symbol.skeleton()).or_default();
            *count = count.saturating_add(1);
        }
        for token in &listed {
            let mut info = TokenInfo::from(*token);
            let looks = info.symbol.skeleton();
            if !looks.is_empty() && of_skeleton.get(&looks).is_some_and(|count| *count > 1) {
                info.symbol.mark_look_alike();
            }
            self.info.insert(token.address, info);
        }
        self.add(listed.iter().map(|token| token.address));
        self.other_networks = list.tokens.len().saturating_sub(listed.len());
        self.skipped = list.skipped;
        self
    }

    fn add(&mut self, tokens: impl IntoIterator<Item = Address>) {
        let mut known: BTreeSet<Address> = self.tokens.iter().copied().collect();
        self.tokens.extend(tokens.into_iter().filter(|token| known.insert(*token)));
    }

    /// Returns the tokens: first those that were named, then those of the list, each once.
    pub fn tokens(&self) -> &[Address] {
        &self.tokens
    }

    /// Returns the decimals and the symbol of `token`, and how they are known; `None` if they are not known.
    pub fn info(&self, token: Address) -> Option<&TokenInfo> {
        self.info.get(&token)
    }

    /// Returns how many entries of the list are of other networks.
    pub const fn other_networks(&self) -> usize {
        self.other_networks
    }

    /// Returns how many entries of the list could not be read, or were there twice.
    pub const fn skipped(&self) -> usize {
        self.skipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::info::InfoSource;
    use crate::symbol::SymbolFlaw;

    fn list(entries: &[(u64, u8, &str)]) -> TokenList {
        let entry = |(chain, byte, symbol): &(u64, u8, &str)| {
            let address = Address::repeat_byte(*byte);
            serde_json::json!({ "chainId": chain, "address": address, "decimals": 6, "symbol": symbol })
        };
        let tokens: Vec<_> = entries.iter().map(entry).collect();
        let json = serde_json::json!({ "name": "Test", "tokens": tokens });
        TokenList::from_json(json.to_string().as_bytes()).unwrap()
    }

    fn addresses(bytes: &[u8]) -> Vec<Address> {
        bytes.iter().map(|byte| Address::repeat_byte(*byte)).collect()
    }

    #[test]
    fn each_token_is_there_once_and_entries_of_other_networks_are_counted() {
        let list = list(&[(1, 1, "ONE"), (10, 1, "OTHER"), (1, 2, "TWO"), (1, 2, "TWO"), (5, 9, "NINE")]);
        let coverage = Coverage::of_tokens(addresses(&[3, 2, 3])).with_list(&list, 1);
        assert_eq!(coverage.tokens(), addresses(&[3, 2, 1]));
        assert_eq!((coverage.other_networks(), coverage.skipped()), (2, 1));
        // A token that was named has what the list says of it.
        let two = coverage.info(Address::repeat_byte(2)).unwrap();
        assert_eq!((two.decimals(), two.symbol().as_str(), two.source()), (6, "TWO", InfoSource::List));
        assert_eq!(two.source().code(), "list");
        assert!(two.symbol().flaws().is_empty());
        assert_eq!(coverage.info(Address::repeat_byte(1)).unwrap().symbol().as_str(), "ONE");
        assert!(
            coverage.info(Address::repeat_byte(3)).is_none()
                && coverage.info(Address::repeat_byte(9)).is_none()
        );
    }

    #[test]
    fn symbols_that_look_alike_are_marked_and_only_those_of_the_network_count() {
        let list = list(&[
            (1, 1, "USDC"),
            (1, 2, "USD\u{421}"),
            (1, 3, "DAI"),
            (10, 4, "DAI"),
            (1, 5, "usdc"),
            (1, 6, ""),
            (1, 7, ""),
        ]);
        let coverage = Coverage::default().with_list(&list, 1);
        let flaws = |byte| coverage.info(Address::repeat_byte(byte)).unwrap().symbol().flaws().to_vec();
        assert_eq!(flaws(1), [SymbolFlaw::LookAlike]);
        assert_eq!(flaws(2), [SymbolFlaw::NotAscii, SymbolFlaw::LookAlike]);
        assert_eq!(flaws(5), [SymbolFlaw::LookAlike]);
        assert!(flaws(3).is_empty());
        assert_eq!(flaws(6), [SymbolFlaw::Empty]);
        assert_eq!((coverage.other_networks(), coverage.skipped()), (1, 0));
    }
}
