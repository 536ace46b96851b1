//! The label of an object is a hint how to read it.
//!
//! Servers label objects wrongly, or not at all. A label protects nothing: the slot and the schedule say which fork an object
//! is of, its bytes say whether they have that form, and branches and the signature prove it.

use super::error::DecodeError;
use super::wire::Shape;
use crate::fork::{Fork, UnknownFork};
use crate::network::{Network, ScheduledFork};
use crate::unit::Slot;

/// What the labels of an object say about its fork.
#[derive(Clone, Debug, Default)]
pub(super) struct Hint {
    label: Option<String>,
}

impl Hint {
    pub(super) fn of(label: Option<&str>) -> Self {
        Self { label: label.map(str::to_owned) }
    }

    /// Adds another label, which counts if there was none.
    pub(super) fn or(&self, label: Option<&str>) -> Self {
        Self { label: self.label.clone().or_else(|| label.map(str::to_owned)) }
    }

    /// Reads an object whose header has the slot `slot`, with `read` in the form of a fork: of the scheduled one, or else of the next known one, because
    /// fork times change after a release. If the label names the next one, it is tried first.
    ///
    /// # Errors
    /// That of the form that was tried first. If the label names a fork that this network or this version does not know, that
    /// explains the failure: [`DecodeError::UnknownFork`].
    pub(super) fn read<O>(
        &self,
        slot: Result<Slot, DecodeError>,
        network: &Network,
        read: &dyn Fn(&Shape<'_>) -> Result<O, DecodeError>,
    ) -> Result<O, DecodeError> {
        let read = |fork: Fork| read(&Shape { fork, network });
        let slot = slot.map_err(|refusal| self.explain(refusal, network))?;
        let scheduled = network.fork_at(slot)?;
        let next = network.fork_after(slot).and_then(ScheduledFork::fork);
        let label = self.label.as_deref().and_then(|label| label.parse::<Fork>().ok());
        let is_next = |next: &Fork| label == Some(*next);
        let (first, second) = match next {
            Some(next) if is_next(&next) => (next, Some(scheduled)),
            next => (scheduled, next),
        };
        let refusal = match read(first) {
            Ok(object) => return Ok(object),
            Err(refusal) => refusal,
        };
        if let Some(Ok(object)) = second.map(read) {
            return Ok(object);
        }
        Err(self.explain(refusal, network))
    }

    /// The reason why an object could not be read: its label, if that names a fork which this version or the network's table does
    /// not know; otherwise `refusal`.
    pub(super) fn explain(&self, refusal: DecodeError, network: &Network) -> DecodeError {
        self.unknown(network).map_or(refusal, DecodeError::from)
    }

    /// The fork that the label names, if this version or the network's table does not know it.
    pub(super) fn unknown(&self, network: &Network) -> Option<UnknownFork> {
        let is_later =
            |label: Fork| network.forks().iter().filter_map(ScheduledFork::fork).all(|fork| fork < label);
        match self.label.as_deref()?.parse::<Fork>() {
            Err(unknown) => Some(unknown),
            Ok(label) if is_later(label) => Some(UnknownFork::named(label.name())),
            Ok(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// The first slot of Deneb on mainnet.
    const DENEB: Slot = Slot::new(269_568 * 32);

    /// Reads an object with this label that has the forms of `forms`: in which form it was read, or the refusal, and which forms
    /// were tried.
    fn read(
        network: &Network,
        label: Option<&str>,
        forms: &[Fork],
    ) -> (Result<Fork, DecodeError>, Vec<Fork>) {
        let tried = RefCell::new(Vec::new());
        let result = Hint::of(label).read(Ok(DENEB), network, &|shape| {
            tried.borrow_mut().push(shape.fork);
            let is_of = forms.contains(&shape.fork);
            is_of.then_some(shape.fork).ok_or(DecodeError::ExecutionLayout { slot: DENEB })
        });
        (result, tried.into_inner())
    }

    #[test]
    fn the_scheduled_form_comes_first_and_then_the_next() {
        let network = Network::mainnet();
        let labels =
            [None, Some("deneb"), Some("DENEB"), Some("capella"), Some("gloas"), Some("Elektra"), Some("")];
        for label in labels {
            for (forms, expected) in [
                (&[Fork::Deneb, Fork::Electra][..], Fork::Deneb),
                (&[Fork::Deneb], Fork::Deneb),
                (&[Fork::Electra], Fork::Electra),
            ] {
                assert_eq!(read(&network, label, forms).0.unwrap(), expected, "{label:?}, {forms:?}");
            }
        }
    }

    #[test]
    fn a_label_of_the_next_fork_is_tried_first() {
        let network = Network::mainnet();
        for label in ["electra", "Electra"] {
            let both = read(&network, Some(label), &[Fork::Deneb, Fork::Electra]);
            assert_eq!((both.0.unwrap(), both.1), (Fork::Electra, vec![Fork::Electra]));
            let one = read(&network, Some(label), &[Fork::Deneb]);
            assert_eq!((one.0.unwrap(), one.1), (Fork::Deneb, vec![Fork::Electra, Fork::Deneb]));
        }
    }

    /// No other form than these two is ever tried.
    #[test]
    fn bytes_of_another_form_are_refused() {
        let network = Network::mainnet();
        for label in [None, Some("deneb"), Some("capella"), Some("fulu")] {
            let (result, tried) = read(&network, label, &[Fork::Capella, Fork::Fulu, Fork::Gloas]);
            assert!(matches!(result, Err(DecodeError::ExecutionLayout { .. })), "{label:?}");
            assert_eq!(tried, [Fork::Deneb, Fork::Electra], "{label:?}");
        }
    }

    #[test]
    fn an_unknown_label_explains_bytes_that_cannot_be_read() {
        let text = Network::mainnet().to_toml();
        let (before, _) = text.split_once("[[forks]]\nname = \"electra\"").unwrap();
        let until_deneb = Network::from_toml(before).unwrap();
        for (network, label) in [
            (&until_deneb, "electra"),
            (&until_deneb, "gloas"),
            (&until_deneb, "heze"),
            (&Network::mainnet(), "heze"),
        ] {
            let refusal = read(network, Some(label), &[]).0.unwrap_err();
            assert!(matches!(&refusal, DecodeError::UnknownFork(fork) if fork.name() == label), "{refusal}");
            assert_eq!(read(network, Some(label), &[Fork::Deneb]).0.unwrap(), Fork::Deneb, "{label}");
        }
        let without_slot = |label| {
            let refusal = Err(DecodeError::ExecutionLayout { slot: DENEB });
            Hint::of(Some(label)).read(refusal, &until_deneb, &|_| Ok(())).unwrap_err()
        };
        assert!(matches!(without_slot("heze"), DecodeError::UnknownFork(_)));
        assert!(matches!(without_slot("deneb"), DecodeError::ExecutionLayout { .. }));
        let refusal = read(&until_deneb, Some("capella"), &[]).0.unwrap_err();
        assert!(matches!(refusal, DecodeError::ExecutionLayout { .. }), "{refusal}");
    }
}
