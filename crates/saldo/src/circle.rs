//! Which operators know of which address.

use std::collections::{BTreeMap, VecDeque};

use alloy_primitives::Address;
use saldo_source::{Audience, Endpoint};

/// Keeps the operators that were asked about an address, so that the same ones are asked again and not always others. For
/// the client's life, of the addresses that were asked about last.
#[derive(Debug, Default)]
pub(crate) struct Circles {
    /// Of each operator, whether a request is known to have come as far as it.
    of: BTreeMap<Address, BTreeMap<String, bool>>,
    /// The addresses in the order in which they were first asked about.
    order: VecDeque<Address>,
    /// Counts the changes.
    revision: u64,
}

/// What place a provider has in the circle of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Its operator came to it just now.
    New,
    /// Its operator knew of the address before.
    Member,
    /// None: as many operators know of it as may.
    Full,
}

impl Circles {
    /// Of how many addresses this is kept: some 200 bytes each.
    const CAPACITY: usize = 4_096;

    /// Who may be asked about `address`.
    pub(crate) fn audience(&self, address: Address, most: usize, strict: bool) -> Audience {
        let operators = self.of.get(&address).into_iter().flat_map(BTreeMap::keys).cloned().collect();
        Audience { operators, most, strict, ..Audience::everybody() }
    }

    /// Whether `provider` knows of `address`, or may come to know of it.
    pub(crate) fn admits(&self, address: Address, provider: &Endpoint, most: usize) -> bool {
        self.of
            .get(&address)
            .is_none_or(|circle| circle.len() < most || circle.contains_key(&provider.operator_key()))
    }

    /// Whether `provider` knows of `address`.
    pub(crate) fn knows(&self, address: Address, provider: &Endpoint) -> bool {
        self.of.get(&address).is_some_and(|circle| circle.contains_key(&provider.operator_key()))
    }

    /// `provider` is about to be asked about `address`: its operator belongs to the circle if there is room. Decided and
    /// noted in one, since another read may be about to ask somebody else.
    pub(crate) fn tell(&mut self, address: Address, provider: &Endpoint, most: usize) -> Place {
        if !self.admits(address, provider, most) {
            return Place::Full;
        }
        if self.enter(address, provider, false) { Place::New } else { Place::Member }
    }

    /// `provider` has seen that somebody asks about `address`, or proved something of it: its operator belongs to the circle
    /// in any case, and for good.
    pub(crate) fn admit(&mut self, address: Address, provider: &Endpoint) {
        self.enter(address, provider, true);
    }

    /// Gives whether it is new.
    fn enter(&mut self, address: Address, provider: &Endpoint, has_seen: bool) -> bool {
        if !self.of.contains_key(&address) {
            self.order.push_back(address);
            if self.order.len() > Self::CAPACITY
                && let Some(oldest) = self.order.pop_front()
            {
                self.of.remove(&oldest);
            }
        }
        let circle = self.of.entry(address).or_default();
        let is_new = !circle.contains_key(&provider.operator_key());
        self.revision = self.revision.wrapping_add(u64::from(is_new));
        *circle.entry(provider.operator_key()).or_default() |= has_seen;
        is_new
    }

    /// The addresses, those that were asked about last first, and who knows of them.
    pub(crate) fn newest(&self) -> impl Iterator<Item = (&Address, impl Iterator<Item = &String>)> {
        self.order.iter().rev().filter_map(|address| Some((address, self.of.get(address)?.keys())))
    }

    /// How often anything of it changed.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Takes back who knew of `address` before a restart.
    pub(crate) fn restore(&mut self, address: Address, operators: impl IntoIterator<Item = String>) {
        if self.order.len() < Self::CAPACITY && !self.of.contains_key(&address) {
            self.order.push_back(address);
            self.of.insert(address, operators.into_iter().map(|operator| (operator, true)).collect());
        }
    }

    /// Gives up who knows of `address`.
    pub(crate) fn remove(&mut self, address: Address) {
        self.order.retain(|held| *held != address);
        self.of.remove(&address);
        self.revision = self.revision.wrapping_add(1);
    }

    /// `provider` turned out not to have been reached: unless another read reached it, it knows nothing of `address`.
    pub(crate) fn forget(&mut self, address: Address, provider: &Endpoint) {
        let operator = provider.operator_key();
        if let Some(circle) = self.of.get_mut(&address)
            && circle.get(&operator) == Some(&false)
        {
            circle.remove(&operator);
            self.revision = self.revision.wrapping_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_as_large_as_the_policy_says_and_those_who_proved() {
        let provider = |name: &str| format!("https://{name}.example").parse::<Endpoint>().unwrap();
        let address = Address::repeat_byte(1);
        let mut circles = Circles::default();
        let places = ["a", "a", "b", "c", "a"].map(|name| circles.tell(address, &provider(name), 2));
        assert_eq!(places, [Place::New, Place::Member, Place::New, Place::Full, Place::Member]);
        assert_eq!(circles.audience(address, 2, false).operators.len(), 2);
        circles.forget(address, &provider("a"));
        assert_eq!(circles.tell(address, &provider("c"), 2), Place::New);
        circles.admit(address, &provider("d"));
        let known: Vec<String> = circles.audience(address, 2, true).operators.into_iter().collect();
        assert_eq!(known, ["b.example", "c.example", "d.example"]);
    }

    /// Two reads ask the same provider: one reaches it, the other does not.
    #[test]
    fn who_was_reached_once_stays() {
        let provider: Endpoint = "https://a.example".parse().unwrap();
        let address = Address::repeat_byte(1);
        let mut circles = Circles::default();
        assert_eq!(circles.tell(address, &provider, 1), Place::New);
        assert_eq!(circles.tell(address, &provider, 1), Place::Member);
        circles.admit(address, &provider);
        circles.forget(address, &provider);
        assert_eq!(circles.audience(address, 1, false).operators.len(), 1);
    }

    #[test]
    fn the_oldest_addresses_are_forgotten() {
        let provider: Endpoint = "https://a.example".parse().unwrap();
        let mut circles = Circles::default();
        let address = |number: usize| Address::left_padding_from(&number.to_be_bytes());
        for number in 0..=Circles::CAPACITY {
            circles.tell(address(number), &provider, 1);
        }
        assert_eq!(circles.of.len(), Circles::CAPACITY);
        assert!(circles.audience(address(0), 1, false).operators.is_empty());
        assert!(!circles.audience(address(1), 1, false).operators.is_empty());
    }
}
