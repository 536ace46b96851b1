//! Which operators know of which address.

use std::collections::{BTreeMap, VecDeque};

use alloy_primitives::Address;
use saldo_source::{Answer, DisclosureSet, Endpoint};

/// Keeps the operators that were asked about an address, so that the same ones are asked again and not always others. For
/// the client's life, of the addresses that were asked about last.
#[derive(Debug, Default)]
pub(super) struct Disclosures {
    /// Of each operator, whether a request is known to have come as far as it.
    of: BTreeMap<Address, BTreeMap<String, bool>>,
    /// The addresses in the order in which they were first asked about.
    order: VecDeque<Address>,
    /// Counts the changes.
    revision: u64,
}

/// What place a provider has in the circle of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Its operator came to it just now.
    New,
    /// Its operator knew of the address before.
    Member,
    /// None: as many operators know of it as may.
    Full,
}

impl Disclosures {
    /// Of how many addresses this is kept: some 200 bytes each.
    const CAPACITY: usize = 4_096;

    /// Who may be asked about `address`.
    pub(super) fn disclosure(&self, address: Address, most: usize, strict: bool) -> DisclosureSet {
        let operators = self.of.get(&address).into_iter().flat_map(BTreeMap::keys).cloned().collect();
        DisclosureSet { operators, most, strict, ..DisclosureSet::unrestricted() }
    }

    /// Whether `provider` knows of `address`, or may come to know of it.
    pub(super) fn admits(&self, address: Address, provider: &Endpoint, most: usize) -> bool {
        self.of.get(&address).is_none_or(|disclosed| {
            disclosed.len() < most || disclosed.contains_key(&provider.operator_key())
        })
    }

    /// Whether `provider` knows of `address`.
    pub(super) fn knows(&self, address: Address, provider: &Endpoint) -> bool {
        self.of.get(&address).is_some_and(|disclosed| disclosed.contains_key(&provider.operator_key()))
    }

    /// `provider` is about to be asked about `address`: its operator belongs to the circle if there is room. Decided and
    /// noted in one, since another read may be about to ask somebody else.
    pub(super) fn tell(&mut self, address: Address, provider: &Endpoint, most: usize) -> Place {
        if !self.admits(address, provider, most) {
            return Place::Full;
        }
        if self.enter(address, provider, false) { Place::New } else { Place::Member }
    }

    /// `provider` has seen that somebody asks about `address`, or proved something of it: its operator belongs to the circle
    /// in any case, and for good.
    pub(super) fn admit(&mut self, address: Address, provider: &Endpoint) {
        self.enter(address, provider, true);
    }

    /// Records what the `answer` to a request shows: whether `provider`, in the place that it had, has seen `address`.
    pub(super) fn record_answer<T>(
        &mut self,
        address: Address,
        provider: &Endpoint,
        place: Place,
        answer: &Answer<T>,
    ) {
        let is_unseen = matches!(answer, Answer::Failed(failure) if !failure.may_have_been_seen());
        match place {
            Place::New if is_unseen => self.forget(address, provider),
            // It was reached, so that it knows the address, whatever another call meets.
            Place::New | Place::Member if !is_unseen => self.admit(address, provider),
            Place::Full if matches!(answer, Answer::Accepted(_)) => self.admit(address, provider),
            Place::New | Place::Member | Place::Full => {}
        }
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
        let disclosed = self.of.entry(address).or_default();
        let is_new = !disclosed.contains_key(&provider.operator_key());
        self.revision = self.revision.wrapping_add(u64::from(is_new));
        *disclosed.entry(provider.operator_key()).or_default() |= has_seen;
        is_new
    }

    /// The addresses, those that were asked about last first, and who knows of them.
    pub(super) fn newest(&self) -> impl Iterator<Item = (&Address, impl Iterator<Item = &String>)> {
        self.order.iter().rev().filter_map(|address| Some((address, self.of.get(address)?.keys())))
    }

    /// How often anything of it changed.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// Takes back who knew of `address` before a restart.
    pub(super) fn restore(&mut self, address: Address, operators: impl IntoIterator<Item = String>) {
        if self.order.len() < Self::CAPACITY && !self.of.contains_key(&address) {
            self.order.push_back(address);
            self.of.insert(address, operators.into_iter().map(|operator| (operator, true)).collect());
        }
    }

    /// Gives up who knows of `address`.
    pub(super) fn remove(&mut self, address: Address) {
        self.order.retain(|held| *held != address);
        self.of.remove(&address);
        self.revision = self.revision.wrapping_add(1);
    }

    /// `provider` turned out not to have been reached: unless another read reached it, it knows nothing of `address`.
    pub(super) fn forget(&mut self, address: Address, provider: &Endpoint) {
        let operator = provider.operator_key();
        if let Some(disclosed) = self.of.get_mut(&address)
            && disclosed.get(&operator) == Some(&false)
        {
            disclosed.remove(&operator);
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
        let mut disclosures = Disclosures::default();
        let places = ["a", "a", "b", "c", "a"].map(|name| disclosures.tell(address, &provider(name), 2));
        assert_eq!(places, [Place::New, Place::Member, Place::New, Place::Full, Place::Member]);
        assert_eq!(disclosures.disclosure(address, 2, false).operators.len(), 2);
        disclosures.forget(address, &provider("a"));
        assert_eq!(disclosures.tell(address, &provider("c"), 2), Place::New);
        disclosures.admit(address, &provider("d"));
        let known: Vec<String> = disclosures.disclosure(address, 2, true).operators.into_iter().collect();
        assert_eq!(known, ["b.example", "c.example", "d.example"]);
    }

    /// Two reads ask the same provider: one reaches it, the other does not.
    #[test]
    fn who_was_reached_once_stays() {
        let provider: Endpoint = "https://a.example".parse().unwrap();
        let address = Address::repeat_byte(1);
        let mut disclosures = Disclosures::default();
        assert_eq!(disclosures.tell(address, &provider, 1), Place::New);
        assert_eq!(disclosures.tell(address, &provider, 1), Place::Member);
        disclosures.admit(address, &provider);
        disclosures.forget(address, &provider);
        assert_eq!(disclosures.disclosure(address, 1, false).operators.len(), 1);
    }

    #[test]
    fn the_oldest_addresses_are_forgotten() {
        let provider: Endpoint = "https://a.example".parse().unwrap();
        let mut disclosures = Disclosures::default();
        let address = |number: usize| Address::left_padding_from(&number.to_be_bytes());
        for number in 0..=Disclosures::CAPACITY {
            disclosures.tell(address(number), &provider, 1);
        }
        assert_eq!(disclosures.of.len(), Disclosures::CAPACITY);
        assert!(disclosures.disclosure(address(0), 1, false).operators.is_empty());
        assert!(!disclosures.disclosure(address(1), 1, false).operators.is_empty());
    }
}
