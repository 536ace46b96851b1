//! The tokens of a world, and what each of them truly holds.
//!
//! The chain runs no code, so the truth is a model of its own: which contract keeps balances where, by its address. The hashes
//! of codes are those of mainnet.

use alloy_primitives::{Address, B256, Bytes, U256, b256, bytes, hex, keccak256};
use saldo::Holding;
use saldo_drill::{Chain, ChainBuilder};

use super::holding::{CLONE, GUARDED, HOLDINGS, NOTHING, OTHER, OWNERS, PLAIN, PROXY, PROXY_CODE, of_token};

const PLAIN_HASH: B256 = b256!("d0a06b12ac47863b5c7be4185c2deaad1c61557033f56c7d4ea74429cbb25e23");
const GUARDED_HASH: B256 = b256!("b44fb4e949d0f78f87f79ee46428f23a2a5713ce6fc6e0beb3dda78c2ac1ea55");
const PROXY_HASH: B256 = b256!("d80d4b7c890cb9d6a4893e6b52bc34b56b25335cb13716e0d1d31383e6b41505");
const PROXY_CODE_HASH: B256 = b256!("cdfb7d322961af3acae7a8f7ee8b69c205b36f576cc5b077f170c7eb8ecbe3ea");
/// keccak256 of "org.zeppelinos.proxy.implementation".
pub(crate) const POINTER: B256 = b256!("7050c9e0f4ca769c69bd3a8ef740bc37934f8e2c036e5a723fd8ee048ed3f8c3");
/// Where USDT keeps `upgradedAddress` and `deprecated`.
const DEPRECATED: B256 = B256::with_last_byte(10);
/// Code that answers every call with the word of a mapping in slot 0, for the address that the call names.
const OTHER_BYTES: Bytes = bytes!("600435600052600060205260406000205460005260206000f3");

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
    /// Code without a known layout.
    Unknown,
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
    /// No slot and no code of the token itself says how much.
    Unprovable,
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
        .code_hash(PROXY, PROXY_HASH)
        .code_hash(PROXY_CODE, PROXY_CODE_HASH)
        .code(CLONE, clone.concat().into())
        .code(OTHER, OTHER_BYTES)
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
        GUARDED if !word(DEPRECATED)?.is_zero() => Truth::Unprovable,
        GUARDED => Truth::Units(units, false),
        PROXY_CODE => Truth::Units(units & !BLOCKED, units & BLOCKED != U256::ZERO),
        OTHER => Truth::Executed(units),
        _ => Truth::NotAToken,
    })
}

/// Whether `event` makes the reason `code` true of `holding`.
pub(crate) fn leads_to(event: TokenEvent, holding: &Holding, code: &str) -> bool {
    let Some((_, token)) = of_token(holding) else { return false };
    match event {
        TokenEvent::Upgrade(Target::NoCode) => token == PROXY && code == "not_a_token",
        TokenEvent::Upgrade(Target::Unknown) => token == PROXY && code == "token_layout_unproven",
        TokenEvent::Deprecated(true) => token == GUARDED && code == "token_layout_unproven",
        _ => false,
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
