//! The tokens of a world, and what each of them truly holds.
//!
//! The chain runs no code, so the truth is a model of its own: which contract keeps balances where, by its address. The hashes
//! of codes are those of mainnet.

use alloy_primitives::{Address, B256, Bytes, U256, b256, bytes, hex, keccak256};
use saldo::Holding;
use saldo_drill::{Chain, ChainBuilder};

use super::holding::{
    CLONE, GUARDED, HOLDINGS, NOT_RUN, NOTHING, OTHER, OWNERS, PLAIN, PROXY, PROXY_CODE, of_token,
};

const PLAIN_HASH: B256 = b256!("d0a06b12ac47863b5c7be4185c2deaad1c61557033f56c7d4ea74429cbb25e23");
const GUARDED_HASH: B256 = b256!("b44fb4e949d0f78f87f79ee46428f23a2a5713ce6fc6e0beb3dda78c2ac1ea55");
/// `ERC1967Proxy` of OpenZeppelin 5.
const PROXY_BYTES: Bytes = bytes!(
    "6080604052600a600c565b005b60186014601a565b6051565b565b6000604c7f360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d"
    "382bbc546001600160a01b031690565b905090565b3660008037600080366000845af43d6000803e808015606f573d6000f35b3d6000fdfea264697066"
    "735822122051da5b51f2e43cd956e2b3e18d302642bb371a72f196cc4a9776ab84ef5e725a64736f6c634300081d0033"
);
const PROXY_CODE_HASH: B256 = b256!("cdfb7d322961af3acae7a8f7ee8b69c205b36f576cc5b077f170c7eb8ecbe3ea");
/// keccak256 of "eip1967.proxy.implementation" minus one.
pub(crate) const POINTER: B256 = b256!("360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc");
/// Where USDT keeps `upgradedAddress` and `deprecated`.
const DEPRECATED: B256 = B256::with_last_byte(10);
/// Code that answers every call with the word of a mapping in slot 0, for the address that the call names.
const OTHER_BYTES: Bytes = bytes!("600435600052600060205260406000205460005260206000f3");

/// Code that answers every call with an old block hash.
const NOT_RUN_BYTES: Bytes = bytes!("600243034060005260206000f3");

/// The highest bit of a word, which says in USDC that the owner is blocked.
pub(crate) const BLOCKED: U256 = U256::from_limbs([0, 0, 0, 1 << 63]);

/// What happens to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenEvent {
    /// The holding in this place has so many base units, and is blocked or not, as far as the token can block owners.
    Units {
        /// The place in [`HOLDINGS`].
        place: usize,
        /// How many.
        units: u64,
        /// Whether the owner is blocked.
        is_blocked: bool,
    },
    /// The token with the proxy passes its calls to another contract from now on.
    Upgrade(Target),
    /// Whether the token with the guard is replaced by another contract.
    Deprecated(bool),
}

/// The contract that a proxy passes its calls to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The first implementation.
    First,
    /// Code with a known layout that keeps balances in another slot.
    OtherSlot,
    /// Code without a known layout, which is run.
    Unknown,
    /// Code that cannot be run.
    NotRun,
    /// An address without code.
    NoCode,
}

/// What a token truly holds for an owner after a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    /// So many base units; whether the owner is blocked.
    Units(U256, bool),
    /// So many base units, which follow only from running the code.
    Executed(U256),
    /// The code cannot be run over proven state.
    NotRun,
    /// The code would have to be run, and no provider has its bytes.
    NoCode,
    /// The address is no token.
    NotAToken,
}

impl TokenEvent {
    /// Lets it happen on `chain`.
    pub(crate) fn happen(self, chain: &Chain) {
        match self {
            Self::Units { place, units, is_blocked } => {
                let Some((owner, token)) = HOLDINGS.get(place).and_then(of_token) else { return };
                for (key, word) in words(token, owner, units, is_blocked) {
                    chain.set_storage(token, key, word);
                }
            }
            Self::Upgrade(target) => chain.set_storage(PROXY, POINTER, word_of(target.address())),
            Self::Deprecated(is_it) => chain.set_storage(GUARDED, DEPRECATED, U256::from(u8::from(is_it))),
        }
    }
}

impl Target {
    const fn address(self) -> Address {
        match self {
            Self::First => PROXY_CODE,
            Self::OtherSlot => PLAIN,
            Self::Unknown => OTHER,
            Self::NotRun => NOT_RUN,
            Self::NoCode => NOTHING,
        }
    }
}

/// Adds the tokens to a chain, with `first` base units for each holder. One holder is blocked.
pub(crate) fn deploy(builder: ChainBuilder, first: u64) -> ChainBuilder {
    let (before, after) = (hex!("363d3d373d3d3d363d73"), hex!("5af43d82803e903d91602b57fd5bf3"));
    let clone = [before.as_slice(), PLAIN.as_slice(), &after];
    let builder = builder
        .code_hash(PLAIN, PLAIN_HASH)
        .code_hash(GUARDED, GUARDED_HASH)
        .code(PROXY, PROXY_BYTES)
        .code_hash(PROXY_CODE, PROXY_CODE_HASH)
        .code(CLONE, clone.concat().into())
        .code(OTHER, OTHER_BYTES)
        .code(NOT_RUN, NOT_RUN_BYTES)
        .storage(PROXY, POINTER, word_of(PROXY_CODE));
    // In a trie of one slot, the proof of any other slot is the same.
    let tokens = [PLAIN, GUARDED, PROXY, CLONE, OTHER];
    let strangers =
        tokens.iter().flat_map(|token| (1..=9).map(|owner| (Address::repeat_byte(owner), *token)));
    let holders =
        strangers.chain(HOLDINGS.iter().filter_map(of_token).filter(|(owner, _)| *owner != OWNERS[2]));
    holders.fold(builder, |builder, (owner, token)| {
        let is_blocked = (owner, token) == (OWNERS[1], PROXY);
        let each = words(token, owner, first, is_blocked).into_iter();
        each.fold(builder, |builder, (key, word)| builder.storage(token, key, word))
    })
}

/// What `holding` truly has after the block of that hash; `None` if `chain` has no such block, or it is no token.
pub(crate) fn truth(chain: &Chain, block: B256, holding: &Holding) -> Option<Truth> {
    let (owner, token) = of_token(holding)?;
    let word = |key: B256| chain.storage_at_hash(block, token, key);
    let code = match token {
        PROXY => address_in(word(POINTER)?),
        CLONE => PLAIN,
        other => other,
    };
    let units = word(key_of(code, owner))?;
    Some(match code {
        PLAIN => Truth::Units(units, false),
        GUARDED if !word(DEPRECATED)?.is_zero() => Truth::NoCode,
        GUARDED => Truth::Units(units, false),
        PROXY_CODE => Truth::Units(units & !BLOCKED, units & BLOCKED != U256::ZERO),
        OTHER => Truth::Executed(units),
        NOT_RUN => Truth::NotRun,
        _ => Truth::NotAToken,
    })
}

/// What `event` makes of a balance of `token`, if it is no amount of a known layout.
pub(crate) fn leads_to(event: TokenEvent, token: Address) -> Option<Truth> {
    match event {
        TokenEvent::Upgrade(Target::NoCode) if token == PROXY => Some(Truth::NotAToken),
        TokenEvent::Upgrade(Target::NotRun) if token == PROXY => Some(Truth::NotRun),
        TokenEvent::Upgrade(Target::Unknown) if token == PROXY => Some(Truth::Executed(U256::ZERO)),
        TokenEvent::Deprecated(true) if token == GUARDED => Some(Truth::NoCode),
        _ => None,
    }
}

/// The words that `token` may keep for `owner`: those of other codes than its own are there too, with other amounts.
fn words(token: Address, owner: Address, units: u64, is_blocked: bool) -> Vec<(B256, U256)> {
    match token {
        PROXY => {
            let blocked = if is_blocked { BLOCKED } else { U256::ZERO };
            vec![
                (key_of(PROXY_CODE, owner), U256::from(units) | blocked),
                (key_of(PLAIN, owner), U256::from(units.wrapping_add(1_000))),
                (key_of(OTHER, owner), U256::from(units.wrapping_add(2_000))),
            ]
        }
        CLONE => vec![(key_of(PLAIN, owner), U256::from(units))],
        PLAIN | GUARDED | OTHER => vec![(key_of(token, owner), U256::from(units))],
        _ => Vec::new(),
    }
}

/// The key under which `code` keeps the word of `owner`.
pub(crate) fn key_of(code: Address, owner: Address) -> B256 {
    let base = match code {
        PLAIN | CLONE => 3,
        GUARDED => 2,
        PROXY_CODE | PROXY => 9,
        _ => 0,
    };
    keccak256([owner.into_word(), B256::with_last_byte(base)].concat())
}

fn word_of(address: Address) -> U256 {
    U256::from_be_bytes(address.into_word().0)
}

pub(crate) fn address_in(word: U256) -> Address {
    Address::from_word(B256::from(word))
}
