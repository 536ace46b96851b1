//! Which operators know of which address.

use std::collections::BTreeMap;

use alloy_primitives::Address;
use saldo_source::{Answer, DisclosureSet, Endpoint};

/// Keeps the operators that were asked about an address, so that the same ones are asked again and not always others. For
/// the client's life, of the addresses that were asked about last.
#[derive(Debug, Default)]
pub(super) struct Disclosures {
    of: BTreeMap<Address, Disclosed>,
    /// The addresses in the order in which they were first asked about.
    order: BTreeMap<u64, Address>,
    /// The addresses by the revision of their last change.
    changed: BTreeMap<u64, Address>,
    /// Counts the changes.
    revision: u64,
}

/// Which operators know of one address.
#[derive(Debug, Default)]
struct Disclosed {
    /// Of each operator, whether a request is known to have come as far as it.
    operators: BTreeMap<String, bool>,
    /// The place in the order in which addresses were first asked about.
    order: u64,
    /// When it changed last; 0 if it did not change since it was restored.
    revision: u64,
}

/// What place a provider has in the disclosure set of an address.
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
        let operators = self.operators(address).cloned().collect();
        DisclosureSet { operators, most, strict, ..DisclosureSet::unrestricted() }
    }

    /// Whether `provider` knows of `address`, or may come to know of it.
    pub(super) fn admits(&self, address: Address, provider: &Endpoint, most: usize) -> bool {
        self.of.get(&address).is_none_or(|disclosed| {
            disclosed.operators.len() < most || disclosed.operators.contains_key(&provider.operator_key())
        })
    }

    /// Whether `provider` knows of `address`.
    pub(super) fn knows(&self, address: Address, provider: &Endpoint) -> bool {
        let key = provider.operator_key();
        self.of.get(&address).is_some_and(|disclosed| disclosed.operators.contains_key(&key))
    }

    /// `provider` is about to be asked about `address`: its operator joins the disclosure set if there is room. Decided and
    /// recorded in one step, because another read may be about to ask another provider.
    pub(super) fn tell(&mut self, address: Address, provider: &Endpoint, most: usize) -> Place {
        if !self.admits(address, provider, most) {
            return Place::Full;
        }
        if self.enter(address, provider, false) { Place::New } else { Place::Member }
    }

    /// `provider` has seen a request about `address`, or proved something of it: its operator joins the disclosure set in any
    /// case, and stays.
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
            let order = self.order.last_key_value().map_or(0, |(newest, _)| newest.saturating_add(1));
            self.insert(address, order);
            while self.order.len() > Self::CAPACITY
                && let Some((_, oldest)) = self.order.first_key_value()
            {
                self.remove(*oldest);
            }
        }
        let disclosed = self.of.entry(address).or_default();
        let is_new = !disclosed.operators.contains_key(&provider.operator_key());
        *disclosed.operators.entry(provider.operator_key()).or_default() |= has_seen;
        if is_new {
            self.mark_changed(address);
        }
        is_new
    }

    fn insert(&mut self, address: Address, order: u64) {
        self.order.insert(order, address);
        self.of.insert(address, Disclosed { order, ..Disclosed::default() });
    }

    fn mark_changed(&mut self, address: Address) {
        self.revision = self.revision.saturating_add(1);
        let Some(disclosed) = self.of.get_mut(&address) else { return };
        self.changed.remove(&disclosed.revision);
        disclosed.revision = self.revision;
        self.changed.insert(self.revision, address);
    }

    fn operators(&self, address: Address) -> impl Iterator<Item = &String> {
        self.of.get(&address).into_iter().flat_map(|disclosed| disclosed.operators.keys())
    }

    /// What changed since `revision`: each address, its place in the order, and who knows of it.
    pub(super) fn changed_since(
        &self,
        revision: u64,
    ) -> impl Iterator<Item = (Address, u64, impl Iterator<Item = &String>)> {
        let changed = self.changed.range(revision.saturating_add(1)..);
        changed.filter_map(|(_, address)| {
            let order = self.of.get(address)?.order;
            Some((*address, order, self.operators(*address)))
        })
    }

    /// How often anything of it changed.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// Takes what storage says of who knows of `address`, beside what is known already.
    pub(super) fn restore(&mut self, address: Address, order: u64, operators: Vec<String>) {
        if let Some(disclosed) = self.of.get_mut(&address) {
            let is_all = disclosed.operators.keys().all(|operator| operators.contains(operator));
            disclosed.operators.extend(operators.into_iter().map(|operator| (operator, true)));
            if !is_all {
                self.mark_changed(address);
            }
            return;
        }
        let is_free = !self.order.contains_key(&order);
        let order = if is_free {
            order
        } else {
            self.order.keys().next_back().map_or(0, |last| last.saturating_add(1))
        };
        if self.order.len() < Self::CAPACITY {
            self.insert(address, order);
            let operators = operators.into_iter().map(|operator| (operator, true)).collect();
            self.of.entry(address).or_default().operators = operators;
        }
    }

    /// Drops who knows of `address`.
    pub(super) fn remove(&mut self, address: Address) {
        if let Some(disclosed) = self.of.remove(&address) {
            self.order.remove(&disclosed.order);
            self.changed.remove(&disclosed.revision);
        }
    }

    /// `provider` turned out not to have been reached: unless another read reached it, it knows nothing of `address`.
    pub(super) fn forget(&mut self, address: Address, provider: &Endpoint) {
        let operator = provider.operator_key();
        if let Some(disclosed) = self.of.get_mut(&address)
            && disclosed.operators.get(&operator) == Some(&false)
        {
            disclosed.operators.remove(&operator);
            self.mark_changed(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disclosure_set_is_as_large_as_the_policy_says_and_those_who_proved() {
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
        assert_eq!((disclosures.order.len(), disclosures.changed.len()), (4_096, 4_096));
        assert!(disclosures.disclosure(address(0), 1, false).operators.is_empty());
        assert!(!disclosures.disclosure(address(1), 1, false).operators.is_empty());
    }

    #[test]
    fn what_is_restored_joins_what_is_known_and_only_what_differs_is_a_change() {
        let provider = |name: &str| format!("https://{name}.example").parse::<Endpoint>().unwrap();
        let [first, second] = [1, 2].map(Address::repeat_byte);
        let mut disclosures = Disclosures::default();
        disclosures.tell(first, &provider("a"), 2);
        let revision = disclosures.revision();
        disclosures.restore(second, 7, vec!["b.example".to_owned()]);
        disclosures.restore(first, 8, vec!["a.example".to_owned(), "b.example".to_owned()]);
        assert_eq!(disclosures.changed_since(revision).count(), 0);
        disclosures.restore(first, 8, vec!["c.example".to_owned()]);
        let changed: Vec<(Address, Vec<String>)> = disclosures
            .changed_since(revision)
            .map(|(address, _, operators)| (address, operators.cloned().collect()))
            .collect();
        assert_eq!(changed, [(first, ["a.example", "b.example", "c.example"].map(str::to_owned).to_vec())]);
        // One that comes later is the newest.
        let third = Address::repeat_byte(3);
        disclosures.tell(third, &provider("a"), 2);
        assert_eq!(disclosures.order.last_key_value().map(|(_, address)| *address), Some(third));
    }
}
