//! What a token is, and what lists say of tokens. Nothing of it is an amount.

use saldo::{CheckedGuard, Coverage, Layout, Provability, Word};

use crate::attempt::Attempt;
use crate::block::Block;
use crate::number::narrow;
use crate::setup::SetupError;
use crate::why::Why;

/// What is known about a token right now: `proven`, or `why` nothing was proven. It has no amount.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TokenReading {
    /// The contract that was asked about.
    pub token: String,
    /// What was proven, under a header that the chain's sync committee signed.
    pub proven: Option<ProvenToken>,
    /// Why nothing was proven; none if `proven` is there.
    pub why: Option<Why>,
    /// The requests; empty if `proven` is there.
    pub attempts: Vec<Attempt>,
}

/// What a token is, proven at a block. A proxy can get another implementation in any later block.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ProvenToken {
    /// `slot`: each balance can be proven from its slot. `not_a_token`: there is no contract, or a proxy passes its calls to an
    /// address without code. `layout_unknown` and `guard_failed`: only the token's own code tells a balance, and a library with the
    /// feature `execute` runs it. A later version may have others.
    pub provable: String,
    /// The hash of the code at the token's address, 0x and 64 hexadecimal digits; that of no bytes where there is no code.
    pub code_hash: String,
    /// The name of the proxy; none if the token is no proxy that is known.
    pub proxy: Option<String>,
    /// The contract whose code runs in the token's storage; none if it is the token's own.
    pub implementation: Option<TokenImplementation>,
    /// The layout that was established for exactly this code; none if there is none.
    pub layout: Option<TokenLayout>,
    /// The conditions of the layout.
    pub guards: Vec<TokenGuard>,
    /// What the token's own code says of its decimals and its symbol; none if it was not run, or does not say.
    pub info: Option<TokenInfo>,
    /// The block that it is true at.
    pub block: Block,
    /// The provider that served the proofs.
    pub provider: String,
}

/// The contract whose code runs in the storage of a token.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TokenImplementation {
    /// Its address.
    pub address: String,
    /// The hash of its code.
    pub code_hash: String,
}

/// Where a code keeps the balances of a token.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TokenLayout {
    /// Its name.
    pub name: String,
    /// Whether the word in the slot says that an owner is frozen.
    pub tells_frozen: bool,
    /// Where the source of the code is.
    pub source: String,
    /// Why `balanceOf` reads that slot on every path.
    pub argument: String,
}

/// A condition of a layout.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TokenGuard {
    /// The condition, for people.
    pub meaning: String,
    /// The contract whose storage has the slot.
    pub address: String,
    /// The slot, 0x and 64 hexadecimal digits.
    pub slot: String,
    /// Whether the condition holds.
    pub holds: bool,
}

/// How to show the amounts of a token, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TokenInfo {
    /// The number of decimals.
    pub decimals: u8,
    /// The symbol. Show its flaws, and the token's address beside it.
    pub symbol: TokenSymbol,
    /// How both are known: `list` (its author declares them, and nothing proves it) or `execution` (the token's own code returned
    /// them). Say it where they are shown.
    pub source: String,
}

/// A symbol or a name, which anyone can choose, also to deceive.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TokenSymbol {
    /// What may be shown: at most 24 characters, without control characters and without characters that turn text around.
    pub text: String,
    /// What was wrong with it: `empty`, `too_long`, `invisible`, `direction`, `not_ascii`, `native_coin`, `look_alike`. A later version
    /// may have others.
    pub flaws: Vec<String>,
}

/// The tokens of a list on the client's network. An owner can hold other tokens too: nothing follows for one that is not listed.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TokenList {
    /// The name of the list.
    pub name: TokenSymbol,
    /// The tokens, each once.
    pub tokens: Vec<ListedToken>,
    /// How many entries are of other networks.
    pub other_networks: u32,
    /// How many entries could not be read, or were there twice.
    pub skipped: u32,
}

/// What a list declares of a token.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ListedToken {
    /// Its contract: the `token` of a holding.
    pub address: String,
    /// Its name.
    pub name: TokenSymbol,
    /// Its decimals and its symbol.
    pub info: TokenInfo,
}

impl TokenReading {
    pub(crate) fn unknown(token: String, why: Why) -> Self {
        Self { token, proven: None, why: Some(why), attempts: Vec::new() }
    }

    pub(crate) fn of(token: String, reading: &saldo::TokenReading) -> Self {
        match reading {
            saldo::TokenReading::Proven(proven) => {
                Self { token, proven: Some((&**proven).into()), why: None, attempts: Vec::new() }
            }
            saldo::TokenReading::Unknown(unknown) => {
                let attempts = unknown.attempts().iter().map(Attempt::from).collect();
                Self { attempts, ..Self::unknown(token, unknown.why().into()) }
            }
        }
    }
}

impl From<&saldo::ProvenToken> for ProvenToken {
    fn from(proven: &saldo::ProvenToken) -> Self {
        let described = proven.description();
        let provability: Provability = described.provability();
        let implementation = described.implementation().map(|(address, code_hash)| TokenImplementation {
            address: address.to_checksum(None),
            code_hash: code_hash.to_string(),
        });
        Self {
            provable: provability.code().to_owned(),
            code_hash: described.code_hash().to_string(),
            proxy: described.proxy().map(ToOwned::to_owned),
            implementation,
            layout: described.layout().map(TokenLayout::from),
            guards: described.guards().iter().map(TokenGuard::from).collect(),
            info: proven.info().map(TokenInfo::from),
            block: proven.anchor().into(),
            provider: proven.provider().as_str().to_owned(),
        }
    }
}

impl From<&Layout> for TokenLayout {
    fn from(layout: &Layout) -> Self {
        Self {
            name: layout.name.to_owned(),
            tells_frozen: layout.word == Word::BlockedBitAndAmount,
            source: layout.source.to_owned(),
            argument: layout.argument.to_owned(),
        }
    }
}

impl From<&CheckedGuard> for TokenGuard {
    fn from(checked: &CheckedGuard) -> Self {
        Self {
            meaning: checked.guard.meaning.to_owned(),
            address: checked.address.to_checksum(None),
            slot: checked.guard.slot.to_string(),
            holds: checked.holds,
        }
    }
}

impl From<&saldo::TokenInfo> for TokenInfo {
    fn from(info: &saldo::TokenInfo) -> Self {
        Self {
            decimals: info.decimals(),
            symbol: info.symbol().into(),
            source: info.source().code().to_owned(),
        }
    }
}

impl From<&saldo::Symbol> for TokenSymbol {
    fn from(symbol: &saldo::Symbol) -> Self {
        let flaws = symbol.flaws().iter().map(|flaw| flaw.code().to_owned()).collect();
        Self { text: symbol.as_str().to_owned(), flaws }
    }
}

impl TokenList {
    /// Reads the tokens of the network with this chain id.
    pub(crate) fn read(json: &[u8], chain_id: u64) -> Result<Self, SetupError> {
        let list = saldo::TokenList::from_json(json)?;
        // It marks the symbols that look alike.
        let coverage = Coverage::default().with_list(&list, chain_id);
        let listed = list.of_network(chain_id).filter_map(|token| {
            let info = coverage.info(token.address)?.into();
            Some(ListedToken { address: token.address.to_checksum(None), name: (&token.name).into(), info })
        });
        Ok(Self {
            name: (&list.name).into(),
            tokens: listed.collect(),
            other_networks: narrow(coverage.other_networks()),
            skipped: narrow(coverage.skipped()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"{"name":"Test","tokens":[
        {"chainId":1,"address":"0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48","decimals":6,"symbol":"USDC","name":"USD Coin"},
        {"chainId":1,"address":"0xdAC17F958D2ee523a2206206994597C13D831ec7","decimals":6,"symbol":"U\u202eSDС","name":"\u0007"},
        {"chainId":10,"address":"0xdAC17F958D2ee523a2206206994597C13D831ec7","decimals":6,"symbol":"USDT","name":"T"},
        {"chainId":1,"address":"0x1234","decimals":6,"symbol":"X","name":"X"}]}"#;

    #[test]
    fn a_list_says_what_it_declares_and_what_was_left_out() {
        let list = TokenList::read(LIST.as_bytes(), 1).unwrap();
        assert_eq!((list.name.text.as_str(), list.other_networks, list.skipped), ("Test", 1, 1));
        let [usdc, odd] = list.tokens.as_slice() else { panic!("{list:?}") };
        assert_eq!(usdc.address, "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48");
        assert_eq!((usdc.info.decimals, usdc.info.source.as_str()), (6, "list"));
        assert_eq!((usdc.info.symbol.text.as_str(), usdc.name.text.as_str()), ("USDC", "USD Coin"));
        assert_eq!(usdc.info.symbol.flaws, ["look_alike"]);
        assert_eq!(odd.info.symbol.flaws, ["direction", "not_ascii", "look_alike"]);
        assert!(!odd.info.symbol.text.contains('\u{202e}'));
        assert_eq!((odd.name.text.as_str(), odd.name.flaws.concat()), ("", "emptyinvisible".to_owned()));
    }

    /// The error of the parser could quote the list.
    #[test]
    fn what_is_no_list_is_refused_without_its_text() {
        for json in ["SECRET", r#"{"tokens":"SECRET"}"#] {
            let error = TokenList::read(json.as_bytes(), 1).unwrap_err();
            assert_eq!(error.code(), "token_list");
            assert!(!error.to_string().contains("SECRET"), "{error}");
        }
        let large = vec![b' '; saldo::TokenList::MAX_BYTES + 1];
        assert_eq!(TokenList::read(&large, 1).unwrap_err().code(), "token_list");
    }
}
