//! What a token is, as far as the state proves it, without any owner.

use alloy_primitives::{Address, B256};
use saldo_proof::{ProvenState, Query, StateRoot};

use crate::layout::{Guard, Layout};
use crate::route::{self, NotAToken, Obstacle, Route, View};
use crate::table;

/// The code of a token, the proxy and the implementation, the layout of its balances and the layout's conditions, as the state under
/// a state root proves them. It holds on the chain only *if* this root belongs to the chain, which this crate cannot know.
#[derive(Clone, Debug)]
pub struct TokenDescription {
    token: Address,
    state_root: StateRoot,
    code_hash: B256,
    proxy: Option<&'static str>,
    implementation: Option<(Address, B256)>,
    layout: Option<&'static Layout>,
    guards: Vec<CheckedGuard>,
    not_a_token: Option<NotAToken>,
}

/// A condition of a layout, and whether it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckedGuard {
    /// The condition.
    pub guard: Guard,
    /// The contract whose storage has its slot.
    pub address: Address,
    /// Whether it holds.
    pub holds: bool,
}

/// How a balance of a token can be proven, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Provability {
    /// From a slot: the layout of its code is known, and its conditions hold.
    Slot,
    /// The address is no token.
    NotAToken(NotAToken),
    /// No layout was established for its code.
    LayoutUnknown,
    /// A condition of its layout does not hold.
    GuardFailed,
}

impl Provability {
    /// Returns a stable name, in snake case.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Slot => "slot",
            Self::NotAToken(_) => "not_a_token",
            Self::LayoutUnknown => "layout_unknown",
            Self::GuardFailed => "guard_failed",
        }
    }
}

impl TokenDescription {
    /// Describes `token` by what `state` proves.
    ///
    /// # Errors
    /// A [`Query`]: what else has to be proven first.
    pub fn of(state: &ProvenState, token: Address) -> Result<Self, Query> {
        Self::describe(state, token, state.root())
    }

    fn describe(view: &impl View, token: Address, state_root: StateRoot) -> Result<Self, Query> {
        let (implementation, layout, not_a_token) = match route::find(view, token) {
            Err(Obstacle::Missing(query)) => return Err(query),
            Ok(Route { implementation, layout }) => (implementation, Some(layout), None),
            Err(Obstacle::NotAToken(not @ NotAToken::ImplementationWithoutCode { implementation })) => {
                (Some(implementation), None, Some(not))
            }
            Err(Obstacle::NotAToken(not)) => (None, None, Some(not)),
            Err(Obstacle::LayoutUnknown { implementation, .. }) => (implementation, None, None),
            Err(_) => (None, None, None),
        };
        let hash_of = |address: Address| view.code_hash(address).ok_or_else(|| Query::account(address));
        let code_hash = hash_of(token)?;
        let described = Self {
            token,
            state_root,
            code_hash,
            proxy: implementation.map(|_| proxy_name(view, code_hash)),
            implementation: implementation.map(|address| Ok((address, hash_of(address)?))).transpose()?,
            layout,
            guards: Vec::new(),
            not_a_token,
        };
        described.with_guards(view)
    }

    fn with_guards(mut self, view: &impl View) -> Result<Self, Query> {
        let mut missing = Query::default();
        for guard in self.layout.iter().flat_map(|layout| layout.guards) {
            let address = guard.place.of(self.token);
            match view.slot(address, guard.slot) {
                Some(word) => {
                    let holds = word & guard.mask == guard.expected;
                    self.guards.push(CheckedGuard { guard: *guard, address, holds });
                }
                None => missing.add_slot(address, guard.slot),
            }
        }
        if missing.is_empty() { Ok(self) } else { Err(missing) }
    }

    /// Returns the token's address.
    pub const fn token(&self) -> Address {
        self.token
    }

    /// Returns the state root under which everything was proven.
    pub const fn state_root(&self) -> StateRoot {
        self.state_root
    }

    /// Returns the hash of the code at the token's address; that of no bytes for an account without code.
    pub const fn code_hash(&self) -> B256 {
        self.code_hash
    }

    /// Returns the name of the proxy; `None` if the token is none that is known.
    pub const fn proxy(&self) -> Option<&'static str> {
        self.proxy
    }

    /// Returns the contract whose code runs in the token's storage, and the hash of that code; `None` if it is the token's own.
    pub const fn implementation(&self) -> Option<(Address, B256)> {
        self.implementation
    }

    /// Returns the layout that was established for the code; `None` if there is none.
    pub const fn layout(&self) -> Option<&'static Layout> {
        self.layout
    }

    /// Returns the conditions of the layout, and whether each holds.
    pub fn guards(&self) -> &[CheckedGuard] {
        &self.guards
    }

    /// Returns how a balance of the token can be proven, or why not.
    pub fn provability(&self) -> Provability {
        match (self.not_a_token, self.layout) {
            (Some(not), _) => Provability::NotAToken(not),
            (None, None) => Provability::LayoutUnknown,
            (None, Some(_)) if self.guards.iter().all(|guard| guard.holds) => Provability::Slot,
            (None, Some(_)) => Provability::GuardFailed,
        }
    }
}

/// The name of the proxy that has this code.
fn proxy_name(view: &impl View, code_hash: B256) -> &'static str {
    let code = view.code(code_hash).unwrap_or_default();
    let known = table::proxy(code_hash).or_else(|| table::proxy_with_immutable(code).map(|(proxy, _)| proxy));
    match known {
        Some(proxy) => proxy.name,
        None if code.starts_with(&[0xef]) => "delegated account (EIP-7702)",
        None => "minimal proxy (ERC-1167)",
    }
}

#[cfg(test)]
#[path = "description_tests.rs"]
mod tests;
