//! Which operators know of which address.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use alloy_primitives::Address;
use saldo_source::{Audience, Endpoint};

/// Keeps the operators that were asked about an address, so that the same ones are asked again and not always others. For
/// the client's life, of the addresses that were asked about last.
#[derive(Debug, Default)]
pub(crate) struct Circles {
    of: BTreeMap<Address, BTreeSet<String>>,
    /// The addresses in the order in which they were first asked about.
    order: VecDeque<Address>,
}

impl Circles {
    /// Of how many addresses this is kept: some 200 bytes each.
    const CAPACITY: usize = 4_096;

    /// Who may be asked about `address`.
    pub(crate) fn audience(&self, address: Address, most: usize, strict: bool) -> Audience {
        Audience { operators: self.of.get(&address).cloned().unwrap_or_default(), most, strict }
    }

    /// Whether `provider` knows of `address`, or may come to know of it.
    pub(crate) fn admits(&self, address: Address, provider: &Endpoint, most: usize) -> bool {
        self.of
            .get(&address)
            .is_none_or(|circle| circle.len() < most || circle.contains(&provider.operator_key()))
    }

    /// Whether `provider` was asked about `address` before.
    pub(crate) fn knows(&self, address: Address, provider: &Endpoint) -> bool {
        self.of.get(&address).is_some_and(|circle| circle.contains(&provider.operator_key()))
    }

    /// `provider` is asked about `address`: its operator belongs to the circle if there is room. Gives whether it is new.
    pub(crate) fn tell(&mut self, address: Address, provider: &Endpoint, most: usize) -> bool {
        self.admits(address, provider, most) && self.admit(address, provider)
    }

    /// `provider` proved something of `address`: its operator belongs to the circle in any case.
    pub(crate) fn admit(&mut self, address: Address, provider: &Endpoint) -> bool {
        if !self.of.contains_key(&address) {
            self.order.push_back(address);
            if self.order.len() > Self::CAPACITY
                && let Some(oldest) = self.order.pop_front()
            {
                self.of.remove(&oldest);
            }
        }
        self.of.entry(address).or_default().insert(provider.operator_key())
    }

    /// The addresses, those that were asked about last first, and who knows of them.
    pub(crate) fn newest(&self) -> impl Iterator<Item = (&Address, &BTreeSet<String>)> {
        self.order.iter().rev().filter_map(|address| self.of.get_key_value(address))
    }

    /// How often anything of it changed.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Takes back who knew of `address` before a restart.
    pub(crate) fn restore(&mut self, address: Address, operators: impl IntoIterator<Item = String>) {
        if self.order.len() < Self::CAPACITY && !self.of.contains_key(&address) {
            self.order.push_back(address);
            self.of.insert(address, operators.into_iter().collect());
        }
    }

    /// Gives up who knows of `address`.
    pub(crate) fn remove(&mut self, address: Address) {
        self.order.retain(|held| *held != address);
        self.of.remove(&address);
        self.revision = self.revision.wrapping_add(1);
    }

    /// `provider` turned out not to have been reached, so that it knows nothing of `address`.
    pub(crate) fn forget(&mut self, address: Address, provider: &Endpoint) {
        if let Some(circle) = self.of.get_mut(&address) {
            circle.remove(&provider.operator_key());
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
        assert!(circles.tell(address, &provider("a"), 2) && !circles.tell(address, &provider("a"), 2));
        assert!(circles.tell(address, &provider("b"), 2));
        assert!(!circles.tell(address, &provider("c"), 2));
        assert_eq!(circles.audience(address, 2, false).operators.len(), 2);
        circles.forget(address, &provider("a"));
        assert!(circles.tell(address, &provider("c"), 2) && circles.admit(address, &provider("d")));
        let known: Vec<String> = circles.audience(address, 2, true).operators.into_iter().collect();
        assert_eq!(known, ["b.example", "c.example", "d.example"]);
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
