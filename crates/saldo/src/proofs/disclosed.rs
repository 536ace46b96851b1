//! The disclosure sets: which operators have seen which address.

use std::collections::HashMap;

use alloy_primitives::Address;
use saldo_source::{Answer, DisclosureSet, SortedMap};

/// Keeps the operators that were asked about each address, so that the same ones are asked again. It keeps the
/// newest addresses, for the client's life. Operators are named by their [`Endpoint::operator_key`](saldo_source::Endpoint::operator_key).
#[derive(Debug, Default)]
pub(super) struct Disclosures {
    of: HashMap<Address, Disclosed>,
    /// The addresses in the order in which they were asked about.
    order: SortedMap<u64, Address>,
    /// The addresses by the revision of their last change.
    changed: SortedMap<u64, Address>,
    /// Counts the changes.
    revision: u64,
}

/// The disclosure set of one address.
#[derive(Debug, Default)]
struct Disclosed {
    /// Sorted by name. A list takes less memory than a tree, and a set has few operators.
    operators: Vec<Operator>,
    /// The position in the order in which addresses were asked about.
    order: u64,
    /// The revision of the last change; 0 if the set did not change since it was restored.
    revision: u64,
}

/// An operator in a disclosure set.
#[derive(Debug)]
struct Operator {
    /// Its operator key.
    key: String,
    /// Whether a request is known to have reached it.
    has_seen: bool,
}

impl Disclosed {
    fn place(&self, key: &str) -> Result<usize, usize> {
        self.operators.binary_search_by(|operator| operator.key.as_str().cmp(key))
    }

    fn contains(&self, key: &str) -> bool {
        self.place(key).is_ok()
    }

    /// Adds an operator, and returns whether it is new in the set.
    fn add(&mut self, key: &str, has_seen: bool) -> bool {
        let place = self.place(key);
        match place {
            Ok(place) => {
                if let Some(operator) = self.operators.get_mut(place) {
                    operator.has_seen |= has_seen;
                }
            }
            Err(place) => self.operators.insert(place, Operator { key: key.to_owned(), has_seen }),
        }
        place.is_err()
    }
}

/// The place of a provider in the disclosure set of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Its operator was added just now.
    New,
    /// Its operator was in the set before.
    Member,
    /// It has no place: the set has as many operators as the policy allows.
    Full,
}

impl Disclosures {
    /// The most addresses; each takes about 200 bytes.
    const CAPACITY: usize = 4_096;
    const HALF: u64 = 2_048;

    /// The operators that may be asked about `address`.
    pub(super) fn disclosure(&self, address: Address, most: usize, strict: bool) -> DisclosureSet {
        let operators = self.operators(address).cloned().collect();
        DisclosureSet { operators, most, strict, ..DisclosureSet::unrestricted() }
    }

    /// Whether `operator` is in the disclosure set of `address`, or there is room for it.
    pub(super) fn admits(&self, address: Address, operator: &str, most: usize) -> bool {
        self.of
            .get(&address)
            .is_none_or(|disclosed| disclosed.operators.len() < most || disclosed.contains(operator))
    }

    /// Whether `operator` is in the disclosure set of `address`.
    pub(super) fn contains(&self, address: Address, operator: &str) -> bool {
        self.of.get(&address).is_some_and(|disclosed| disclosed.contains(operator))
    }

    /// Adds `operator` to the disclosure set of `address`, if there is room, before the request
    /// is sent. Check and change are one step, because another read may be about to ask another provider.
    pub(super) fn admit(&mut self, address: Address, operator: &str, most: usize) -> Place {
        if !self.admits(address, operator, most) {
            return Place::Full;
        }
        if self.add(address, operator, false) { Place::New } else { Place::Member }
    }

    /// Records that `operator` has seen a request about `address`, or proved something of it. It
    /// joins the disclosure set in any case, and stays.
    pub(super) fn record_seen(&mut self, address: Address, operator: &str) {
        self.add(address, operator, true);
    }

    /// Records what the `answer` to a request shows: whether `operator`, in its `place`, has seen `address`.
    pub(super) fn record_answer<T>(
        &mut self,
        address: Address,
        operator: &str,
        place: Place,
        answer: &Answer<T>,
    ) {
        let is_unseen = matches!(answer, Answer::Failed(failure) if !failure.may_have_been_seen());
        match place {
            Place::New if is_unseen => self.withdraw(address, operator),
            // The request reached the operator, so it has seen the address, whatever happens to another call.
            Place::New | Place::Member if !is_unseen => self.record_seen(address, operator),
            Place::Full if matches!(answer, Answer::Accepted(_)) => self.record_seen(address, operator),
            Place::New | Place::Member | Place::Full => {}
        }
    }

    /// Adds an operator, and returns whether it is new in the set.
    fn add(&mut self, address: Address, operator: &str, has_seen: bool) -> bool {
        self.renew(address);
        while self.order.len() > Self::CAPACITY
            && let Some((_, oldest)) = self.order.first_key_value()
        {
            self.remove(*oldest);
        }
        let is_new = self.of.entry(address).or_default().add(operator, has_seen);
        if is_new {
            self.mark_changed(address);
        }
        is_new
    }

    /// Makes `address` the newest one, unless it is one of the newer half. Other addresses, which code can make without end, then
    /// never push out one that is asked about again and again.
    fn renew(&mut self, address: Address) {
        let next = self.order.last_key_value().map_or(0, |(newest, _)| newest.saturating_add(1));
        let Some(disclosed) = self.of.get_mut(&address) else { return self.insert(address, next) };
        if next.saturating_sub(disclosed.order) > Self::HALF {
            self.order.remove(&disclosed.order);
            disclosed.order = next;
            self.order.insert(next, address);
            self.mark_changed(address);
        }
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
        self.of
            .get(&address)
            .into_iter()
            .flat_map(|disclosed| &disclosed.operators)
            .map(|operator| &operator.key)
    }

    /// The changes since `revision`: each address, its position in the order, and its operators.
    pub(super) fn changed_since(
        &self,
        revision: u64,
    ) -> impl Iterator<Item = (Address, u64, impl Iterator<Item = &String>)> {
        let changed = self.changed.starting_at(&revision.saturating_add(1));
        changed.filter_map(|(_, address)| {
            let order = self.of.get(address)?.order;
            Some((*address, order, self.operators(*address)))
        })
    }

    /// The number of changes so far.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// Restores the stored disclosure set of `address`, and merges it with the present one.
    pub(super) fn restore(&mut self, address: Address, order: u64, operators: &[String]) {
        if let Some(disclosed) = self.of.get_mut(&address) {
            let is_all = disclosed.operators.iter().all(|operator| operators.contains(&operator.key));
            for operator in operators {
                disclosed.add(operator, true);
            }
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
            let disclosed = self.of.entry(address).or_default();
            for operator in operators {
                disclosed.add(operator, true);
            }
        }
    }

    /// Drops the disclosure set of `address`.
    pub(super) fn remove(&mut self, address: Address) {
        if let Some(disclosed) = self.of.remove(&address) {
            self.order.remove(&disclosed.order);
            self.changed.remove(&disclosed.revision);
        }
    }

    /// Removes `operator`, because the request to it did not arrive. It stays if another
    /// read reached it.
    pub(super) fn withdraw(&mut self, address: Address, operator: &str) {
        if let Some(disclosed) = self.of.get_mut(&address)
            && let Ok(place) = disclosed.place(operator)
            && disclosed.operators.get(place).is_some_and(|operator| !operator.has_seen)
        {
            disclosed.operators.remove(place);
            self.mark_changed(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disclosure_set_has_the_size_of_the_policy_plus_operators_that_proved() {
        let address = Address::repeat_byte(1);
        let mut disclosures = Disclosures::default();
        let places = ["a", "a", "b", "c", "a"]
            .map(|name| format!("{name}.example"))
            .map(|name| disclosures.admit(address, &name, 2));
        assert_eq!(places, [Place::New, Place::Member, Place::New, Place::Full, Place::Member]);
        assert_eq!(disclosures.disclosure(address, 2, false).operators.len(), 2);
        disclosures.withdraw(address, "a.example");
        assert_eq!(disclosures.admit(address, "c.example", 2), Place::New);
        disclosures.record_seen(address, "d.example");
        let known: Vec<String> = disclosures.disclosure(address, 2, true).operators.into_iter().collect();
        assert_eq!(known, ["b.example", "c.example", "d.example"]);
    }

    /// Two reads ask the same provider: one request arrives, the other does not.
    #[test]
    fn an_operator_that_was_reached_once_stays() {
        let address = Address::repeat_byte(1);
        let mut disclosures = Disclosures::default();
        assert_eq!(disclosures.admit(address, "a.example", 1), Place::New);
        assert_eq!(disclosures.admit(address, "a.example", 1), Place::Member);
        disclosures.record_seen(address, "a.example");
        disclosures.withdraw(address, "a.example");
        assert_eq!(disclosures.disclosure(address, 1, false).operators.len(), 1);
    }

    #[test]
    fn the_oldest_addresses_are_forgotten() {
        let mut disclosures = Disclosures::default();
        let address = |number: usize| Address::left_padding_from(&number.to_be_bytes());
        for number in 0..=Disclosures::CAPACITY {
            disclosures.admit(address(number), "a.example", 1);
        }
        assert_eq!(disclosures.of.len(), Disclosures::CAPACITY);
        assert_eq!((disclosures.order.len(), disclosures.changed.len()), (4_096, 4_096));
        assert!(disclosures.disclosure(address(0), 1, false).operators.is_empty());
        assert!(!disclosures.disclosure(address(1), 1, false).operators.is_empty());
    }

    #[test]
    fn an_address_that_is_asked_about_again_is_not_forgotten() {
        let mut disclosures = Disclosures::default();
        let address = |number: usize| Address::left_padding_from(&number.to_be_bytes());
        disclosures.admit(address(0), "a.example", 1);
        for number in 1..3 * Disclosures::CAPACITY {
            disclosures.admit(address(number), "a.example", 1);
            if number % 2_000 == 0 {
                assert_eq!(disclosures.admit(address(0), "b.example", 2), Place::New, "{number}");
                disclosures.withdraw(address(0), "b.example");
            }
        }
        assert!(disclosures.contains(address(0), "a.example"));
        assert!(!disclosures.contains(address(1), "a.example"));
        assert_eq!((disclosures.of.len(), disclosures.order.len()), (4_096, 4_096));
    }

    #[test]
    fn a_restored_set_is_merged_and_only_a_difference_is_a_change() {
        let [first, second] = [1, 2].map(Address::repeat_byte);
        let mut disclosures = Disclosures::default();
        disclosures.admit(first, "a.example", 2);
        let revision = disclosures.revision();
        disclosures.restore(second, 7, &["b.example".to_owned()]);
        disclosures.restore(first, 8, &["a.example".to_owned(), "b.example".to_owned()]);
        assert_eq!(disclosures.changed_since(revision).count(), 0);
        disclosures.restore(first, 8, &["c.example".to_owned()]);
        let changed: Vec<(Address, Vec<String>)> = disclosures
            .changed_since(revision)
            .map(|(address, _, operators)| (address, operators.cloned().collect()))
            .collect();
        assert_eq!(changed, [(first, ["a.example", "b.example", "c.example"].map(str::to_owned).to_vec())]);
        // An address that comes later is the newest.
        let third = Address::repeat_byte(3);
        disclosures.admit(third, "a.example", 2);
        assert_eq!(disclosures.order.last_key_value().map(|(_, address)| *address), Some(third));
    }
}
