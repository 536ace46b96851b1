//! The decimals and the symbol of a token, and how they are known.

use crate::list::ListedToken;
use crate::symbol::Symbol;

/// How to show the amounts of a token, and how that is known. A balance in base units needs none of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenInfo {
    pub(crate) decimals: u8,
    pub(crate) symbol: Symbol,
    pub(crate) source: InfoSource,
}

/// How decimals and symbol of a token are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InfoSource {
    /// The author of a token list declares them. Nothing proves them.
    List,
    /// The token's own code returned them, run over proven state. Any token can return any symbol.
    Execution,
}

impl InfoSource {
    /// Returns a stable name, in snake case.
    pub const fn code(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Execution => "execution",
        }
    }
}

impl TokenInfo {
    /// Returns the number of decimals.
    pub const fn decimals(&self) -> u8 {
        self.decimals
    }

    /// Returns the symbol. Show its flaws, and the token's address beside it.
    pub const fn symbol(&self) -> &Symbol {
        &self.symbol
    }

    /// Returns how both are known. Say it where they are shown.
    pub const fn source(&self) -> InfoSource {
        self.source
    }
}

impl From<&ListedToken> for TokenInfo {
    fn from(listed: &ListedToken) -> Self {
        Self { decimals: listed.decimals, symbol: listed.symbol.clone(), source: InfoSource::List }
    }
}
