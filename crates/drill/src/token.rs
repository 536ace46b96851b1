//! What the code of a contract says of a balance. The chain runs no code: this is a model of the codes that it knows by name.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, bytes, hex, keccak256};
use saldo_token::{Layout, Place, Pointer, Proxy, layouts, proxies};

use crate::world::{Account, World, token_balance_key};

/// How many contracts a call is passed on to, at most.
const DEPTH: u32 = 3;
/// What is before and after the address in a minimal proxy ([ERC-1167](https://eips.ethereum.org/EIPS/eip-1167)).
const MINIMAL: ([u8; 10], [u8; 15]) = (hex!("363d3d373d3d3d363d73"), hex!("5af43d82803e903d91602b57fd5bf3"));
/// Code that answers every call with the word of a mapping in slot 0, for the address that the call names.
const UNKNOWN: Bytes = bytes!("600435600052600060205260406000205460005260206000f3");

/// Code that answers every call with an old block hash, which no header proves.
const OLD_BLOCK_HASH: Bytes = bytes!("600243034060005260206000f3");
/// The bytes of `ERC1967Proxy` of OpenZeppelin 5.
const PROXY_BYTES: [u8; 170] = hex!(
    "6080604052600a600c565b005b60186014601a565b6051565b565b6000604c7f360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d"
    "382bbc546001600160a01b031690565b905090565b3660008037600080366000845af43d6000803e808015606f573d6000f35b3d6000fdfea264697066"
    "735822122051da5b51f2e43cd956e2b3e18d302642bb371a72f196cc4a9776ab84ef5e725a64736f6c634300081d0033"
);

/// The code of a contract.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ContractCode {
    /// There is none.
    Nothing,
    /// That of a token of mainnet with this layout. Its bytes are not known.
    Layout(&'static Layout),
    /// That of a proxy of mainnet. The bytes of one are known.
    Proxy(&'static Proxy),
    /// A minimal proxy to this address.
    MinimalProxy(Address),
    /// Code whose layout is in no table. It keeps balances in a mapping in slot 0.
    Unknown,
    /// Code whose answer depends on an old block hash: it cannot be run over proven state.
    OldBlockHash,
}

/// What an address holds of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Held {
    /// So much.
    Units {
        /// How many base units.
        units: U256,
        /// Whether the token's issuer has frozen them.
        is_frozen: bool,
    },
    /// There is no token.
    NoToken,
    /// This model does not say it.
    Unsaid,
}

impl PartialEq for ContractCode {
    /// Whether both have the same hash.
    fn eq(&self, other: &Self) -> bool {
        let hash = |code: &Self| code.hash_and_bytes().map(|(hash, _)| hash);
        hash(self) == hash(other)
    }
}

impl Eq for ContractCode {}

impl ContractCode {
    /// The layout or the proxy of that name.
    pub fn named(name: &str) -> Option<Self> {
        let layout = layouts().iter().find(|layout| layout.name == name).map(Self::Layout);
        layout.or_else(|| proxies().iter().find(|proxy| proxy.name == name).map(Self::Proxy))
    }

    /// Its hash, and its bytes as far as they are known; `None` for no code.
    pub(crate) fn hash_and_bytes(&self) -> Option<(B256, Bytes)> {
        match self {
            Self::Nothing => None,
            Self::Layout(layout) => Some((layout.code_hash, Bytes::new())),
            Self::Proxy(proxy) => {
                let is_known = keccak256(PROXY_BYTES) == proxy.code_hash;
                Some((proxy.code_hash, if is_known { PROXY_BYTES.into() } else { Bytes::new() }))
            }
            Self::MinimalProxy(target) => {
                let code = [MINIMAL.0.as_slice(), target.as_slice(), &MINIMAL.1].concat();
                Some((keccak256(&code), code.into()))
            }
            Self::Unknown => Some((keccak256(&UNKNOWN), UNKNOWN)),
            Self::OldBlockHash => Some((keccak256(&OLD_BLOCK_HASH), OLD_BLOCK_HASH)),
        }
    }

    /// Where it keeps the word of `owner`, and that word for `units`; `None` if it is no token of its own.
    pub fn word(&self, owner: Address, units: U256, is_frozen: bool) -> Option<(B256, U256)> {
        match self {
            Self::Layout(layout) => {
                let blocked = U256::ONE.wrapping_shl(255);
                let is_blocked = is_frozen && layout.word.read(blocked).1;
                Some((layout.mapping.slot(owner), if is_blocked { units | blocked } else { units }))
            }
            Self::Unknown => Some((token_balance_key(owner), units)),
            Self::Nothing | Self::Proxy(_) | Self::MinimalProxy(_) | Self::OldBlockHash => None,
        }
    }
}

impl World {
    /// What `owner` holds of `token`.
    pub(crate) fn held(&self, token: Address, owner: Address) -> Held {
        self.held_by_code(token, token, owner, DEPTH, &mut Vec::new())
    }

    /// What the code of `token` reads for that: each contract, and each slot of its storage, as often as it is read. `None` if this
    /// model does not say it.
    pub(crate) fn read_for(&self, token: Address, owner: Address) -> Option<Vec<(Address, Option<B256>)>> {
        let mut read = Vec::new();
        let held = self.held_by_code(token, token, owner, DEPTH, &mut read);
        (held != Held::Unsaid).then_some(read)
    }

    /// What the code at `place` says, when it runs in the storage of `token`. Adds what it reads to `read`.
    fn held_by_code(
        &self,
        token: Address,
        place: Address,
        owner: Address,
        depth: u32,
        read: &mut Vec<(Address, Option<B256>)>,
    ) -> Held {
        let Some(depth) = depth.checked_sub(1) else { return Held::Unsaid };
        read.push((place, None));
        let Some(code) = self.account(place).filter(|it| it.code_hash != KECCAK256_EMPTY) else {
            return Held::NoToken;
        };
        let mut word = |at: Address, key| {
            read.push((at, Some(key)));
            self.account(at).map_or(U256::ZERO, |account| account.storage_at(key))
        };
        if let Some(layout) = layouts().iter().find(|layout| layout.code_hash == code.code_hash) {
            let holds = layout.guards.iter().all(|guard| {
                let at = if let Place::At(address) = guard.place { address } else { token };
                word(at, guard.slot) & guard.mask == guard.expected
            });
            let (units, is_frozen) = layout.word.read(word(token, layout.mapping.slot(owner)));
            return if holds { Held::Units { units, is_frozen } } else { Held::Unsaid };
        }
        if let Some(proxy) = proxies().iter().find(|proxy| proxy.code_hash == code.code_hash) {
            let Pointer::Slot(key) = proxy.pointer else { return Held::Unsaid };
            let target = Address::from_word(B256::from(word(token, key)));
            return self.held_by_code(token, target, owner, depth, read);
        }
        if code.code == UNKNOWN {
            let units = word(token, token_balance_key(owner));
            return Held::Units { units, is_frozen: false };
        }
        match target_of(code) {
            Some(target) => self.held_by_code(token, target, owner, depth, read),
            None => Held::Unsaid,
        }
    }
}

/// The address that a minimal proxy passes its calls to.
fn target_of(account: &Account) -> Option<Address> {
    let target = account.code.strip_prefix(&MINIMAL.0)?.strip_suffix(&MINIMAL.1)?;
    Address::try_from(target).ok()
}
