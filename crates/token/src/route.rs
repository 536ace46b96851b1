//! How to get from a token's address to the layout of its balances.

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use saldo_proof::{ProvenState, Query};

use crate::layout::Layout;
use crate::proxy::{self, BeaconPlace, Pointer};
use crate::table;

/// What is known of accounts, slots and codes. `None` is not known; it is neither zero nor empty.
pub(crate) trait View {
    /// The hash of the code; that of no bytes for an account without code.
    fn code_hash(&self, address: Address) -> Option<B256>;
    /// The word in a slot.
    fn slot(&self, address: Address, key: B256) -> Option<U256>;
    /// The code with that hash.
    fn code(&self, hash: B256) -> Option<&[u8]>;
}

impl View for ProvenState {
    fn code_hash(&self, address: Address) -> Option<B256> {
        self.code_hash_of(address)
    }

    fn slot(&self, address: Address, key: B256) -> Option<U256> {
        self.word(address, key)
    }

    fn code(&self, hash: B256) -> Option<&[u8]> {
        self.code_with_hash(hash).map(|code| code.code().as_ref())
    }
}

/// Why there is no verified balance.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Obstacle {
    /// Something has to be proven first.
    #[error("not everything is proven yet")]
    Missing(Query),
    /// The address is no token.
    #[error(transparent)]
    NotAToken(#[from] NotAToken),
    /// No layout was established for the token's code. A slot says nothing then: the code has to be run.
    #[error("no layout was established for the code {code_hash}")]
    LayoutUnknown {
        /// The hash of the code that reads the balances.
        code_hash: B256,
        /// The contract that has this code, if it is not the token itself.
        implementation: Option<Address>,
    },
    /// The layout holds only under a condition, and the condition does not hold. The code has to be run.
    #[error("the layout does not hold now: it needs that {meaning}")]
    GuardFailed {
        /// The condition.
        meaning: &'static str,
    },
    /// The token's code was run, and the run was given up.
    #[cfg(feature = "execute")]
    #[error("the token's code was not run to its end: {0}")]
    NotRun(saldo_execute::Refusal),
    /// Another call was run than the one that asks for the balance. Fault: the caller.
    #[error("another call was run")]
    OtherCall,
}

/// Why an address is no token. It is proven, and it is not a balance of zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAToken {
    /// The account has no code.
    #[error("there is no contract at {address}")]
    NoCode {
        /// The token's address.
        address: Address,
    },
    /// The contract passes its calls to an address without code.
    #[error("the contract passes its calls to {implementation}, where there is no contract")]
    ImplementationWithoutCode {
        /// That address.
        implementation: Address,
    },
    /// The contract's own code fails when it is asked for a balance.
    #[error("the contract at {address} fails when it is asked for a balance")]
    Fails {
        /// The token's address.
        address: Address,
    },
    /// The contract's own code returns no number when it is asked for a balance.
    #[error("the contract at {address} returns {bytes} of 32 bytes when it is asked for a balance")]
    ReturnsTooLittle {
        /// The token's address.
        address: Address,
        /// How many bytes it returns; a number has 32.
        bytes: usize,
    },
}

/// Which code reads the balances of a token, and from where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    /// The contract whose code runs in the token's storage, if it is not the token's own.
    pub(crate) implementation: Option<Address>,
    pub(crate) layout: &'static Layout,
}

/// Finds the layout of `token`.
///
/// # Errors
/// [`Obstacle`]; [`Obstacle::Missing`] names what the next step needs.
pub(crate) fn find(view: &impl View, token: Address) -> Result<Route, Obstacle> {
    let code_hash = code_hash(view, token)?;
    if code_hash == KECCAK256_EMPTY {
        return Err(NotAToken::NoCode { address: token }.into());
    }
    if let Some(layout) = table::layout(code_hash) {
        return Ok(Route { implementation: None, layout });
    }
    let Some(implementation) = implementation(view, token, code_hash)? else {
        return Err(Obstacle::LayoutUnknown { code_hash, implementation: None });
    };
    let its_code = self::code_hash(view, implementation)?;
    if its_code == KECCAK256_EMPTY {
        return Err(NotAToken::ImplementationWithoutCode { implementation }.into());
    }
    let implementation = Some(implementation);
    match table::layout(its_code) {
        Some(layout) => Ok(Route { implementation, layout }),
        None => Err(Obstacle::LayoutUnknown { code_hash: its_code, implementation }),
    }
}

/// The contract whose code `token` runs; `None` if its code is no proxy that is known.
fn implementation(view: &impl View, token: Address, code_hash: B256) -> Result<Option<Address>, Obstacle> {
    let (proxy, immutable) = match table::proxy(code_hash) {
        Some(proxy) => (proxy, None),
        None => {
            let code = view.code(code_hash).ok_or_else(|| Obstacle::Missing(Query::code(token)))?;
            // The address can be written in the code itself.
            if let Some(target) = proxy::target_in_code(code) {
                return Ok(Some(target));
            }
            let Some((proxy, value)) = table::proxy_with_immutable(code) else { return Ok(None) };
            (proxy, Some(value))
        }
    };
    let beacon = match (proxy.pointer, immutable) {
        (Pointer::Slot(key), _) => return Ok(proxy::address_of(slot(view, token, key)?)),
        (Pointer::Beacon(BeaconPlace::Slot(key)), _) => slot(view, token, key)?,
        (Pointer::Beacon(BeaconPlace::Immutable), Some(value)) => value,
        (Pointer::Beacon(BeaconPlace::Immutable), None) => return Ok(None),
    };
    let Some(beacon) = proxy::address_of(beacon) else { return Ok(None) };
    match table::beacon(self::code_hash(view, beacon)?) {
        Some(known) => Ok(proxy::address_of(slot(view, beacon, known.slot)?)),
        None => Ok(None),
    }
}

fn code_hash(view: &impl View, address: Address) -> Result<B256, Obstacle> {
    view.code_hash(address).ok_or_else(|| Obstacle::Missing(Query::account(address)))
}

fn slot(view: &impl View, address: Address, key: B256) -> Result<U256, Obstacle> {
    view.slot(address, key).ok_or_else(|| Obstacle::Missing(Query::slot(address, key)))
}

impl Route {
    /// Reads the word of `owner`, after the guards of the layout.
    ///
    /// # Errors
    /// [`Obstacle::Missing`] with all slots that are not known; [`Obstacle::GuardFailed`].
    pub(crate) fn word(&self, view: &impl View, token: Address, owner: Address) -> Result<U256, Obstacle> {
        let key = self.layout.mapping.slot(owner);
        let word = view.slot(token, key);
        let mut missing = Query::default();
        if word.is_none() {
            missing.add_slot(token, key);
        }
        for guard in self.layout.guards {
            let place = guard.place.of(token);
            match view.slot(place, guard.slot) {
                Some(found) if found & guard.mask == guard.expected => {}
                Some(_) => return Err(Obstacle::GuardFailed { meaning: guard.meaning }),
                None => missing.add_slot(place, guard.slot),
            }
        }
        match word {
            Some(word) if missing.is_empty() => Ok(word),
            _ => Err(Obstacle::Missing(missing)),
        }
    }
}

#[cfg(test)]
#[path = "route_tests.rs"]
mod tests;
