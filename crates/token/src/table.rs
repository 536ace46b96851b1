//! The layouts and the proxies that were established, each for exactly one code.
//!
//! Metadata and immutable values make most deployed codes unique, so the tables are short. A token whose code is not listed here
//! is no error: its balance has to be found by running its code.

use alloy_primitives::{B256, U256, b256};

use crate::key::Mapping;
use crate::layout::{Guard, Layout, Place, Word};
use crate::proxy::{Pointer, Proxy, ZEPPELINOS_IMPLEMENTATION};

/// Returns all layouts.
pub const fn layouts() -> &'static [Layout] {
    LAYOUTS
}

/// Returns all proxies.
pub const fn proxies() -> &'static [Proxy] {
    PROXIES
}

pub(crate) fn layout(code_hash: B256) -> Option<&'static Layout> {
    LAYOUTS.iter().find(|layout| layout.code_hash == code_hash)
}

pub(crate) fn proxy(code_hash: B256) -> Option<&'static Proxy> {
    PROXIES.iter().find(|proxy| proxy.code_hash == code_hash)
}

const fn slot(number: u8) -> B256 {
    B256::with_last_byte(number)
}

const LAYOUTS: &[Layout] = &[
    Layout {
        code_hash: b256!("d0a06b12ac47863b5c7be4185c2deaad1c61557033f56c7d4ea74429cbb25e23"),
        name: "WETH9",
        mapping: Mapping::Solidity { base: slot(3) },
        word: Word::Amount,
        guards: &[],
        source: "https://etherscan.io/address/0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2#code",
        argument: "`balanceOf` is the getter of `mapping (address => uint) public balanceOf`, which is the fourth variable after \
                   `name`, `symbol` and `decimals`. A getter has one path. The code has no `delegatecall` and no assembly.",
    },
    Layout {
        code_hash: b256!("b44fb4e949d0f78f87f79ee46428f23a2a5713ce6fc6e0beb3dda78c2ac1ea55"),
        name: "TetherToken",
        mapping: Mapping::Solidity { base: slot(2) },
        word: Word::Amount,
        guards: &[Guard {
            place: Place::Token,
            slot: slot(10),
            mask: U256::MAX,
            expected: U256::ZERO,
            meaning: "the token was not replaced by another contract (`deprecated` and `upgradedAddress`)",
        }],
        source: "https://etherscan.io/address/0xdAC17F958D2ee523a2206206994597C13D831ec7#code",
        argument: "`balanceOf` returns `balances[who]` if `deprecated` is false, and asks `upgradedAddress` if it is true. Slot 0 \
                   has `owner` and `paused`, 1 `_totalSupply`, 2 `balances`, 3 and 4 the fees, 5 `allowed`, 6 `isBlackListed`, \
                   7 to 9 name, symbol and decimals, 10 `upgradedAddress` and `deprecated`.",
    },
    Layout {
        code_hash: b256!("cdfb7d322961af3acae7a8f7ee8b69c205b36f576cc5b077f170c7eb8ecbe3ea"),
        name: "FiatTokenV2_2",
        mapping: Mapping::Solidity { base: slot(9) },
        word: Word::BlockedBitAndAmount,
        guards: &[],
        source: "https://github.com/circlefin/stablecoin-evm/blob/master/contracts/v2/FiatTokenV2_2.sol",
        argument: "`balanceOf` returns `balanceAndBlacklistStates[account]` without the highest bit, whether or not the token is \
                   paused or the account is blocked. The mapping is at slot 9, where earlier versions kept `balances`.",
    },
];

const PROXIES: &[Proxy] = &[Proxy {
    code_hash: b256!("d80d4b7c890cb9d6a4893e6b52bc34b56b25335cb13716e0d1d31383e6b41505"),
    name: "FiatTokenProxy",
    pointer: Pointer::Slot(ZEPPELINOS_IMPLEMENTATION),
    source: "https://etherscan.io/address/0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48#code",
    argument: "The fallback function passes every call to the implementation, except calls of the admin itself, which it refuses. \
               The admin's own functions have other selectors than `balanceOf`.",
}];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_code_is_listed_twice() {
        let hashes = LAYOUTS.iter().map(|it| it.code_hash).chain(PROXIES.iter().map(|it| it.code_hash));
        let distinct: BTreeSet<B256> = hashes.collect();
        assert_eq!(distinct.len(), LAYOUTS.len() + PROXIES.len());
    }

    #[test]
    fn each_entry_says_where_it_comes_from_and_why_it_holds() {
        for layout in LAYOUTS {
            assert!(layout.source.starts_with("https://") && layout.argument.len() > 80, "{}", layout.name);
        }
        for proxy in PROXIES {
            assert!(proxy.source.starts_with("https://") && proxy.argument.len() > 80, "{}", proxy.name);
        }
    }
}
