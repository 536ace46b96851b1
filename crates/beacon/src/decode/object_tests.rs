use super::*;

/// The first slot of Deneb on mainnet.
const DENEB: Slot = Slot::new(269_568 * 32);

fn fork(
    network: &Network,
    slot: Slot,
    label: Option<Fork>,
    is_of: impl Fn(Fork) -> bool,
) -> Result<Fork, DecodeError> {
    shape(slot, label, network, is_of).map(|shape| shape.fork)
}

#[test]
fn a_label_names_the_fork_of_the_slot_or_the_next() {
    let network = Network::mainnet();
    let labelled = |label| fork(&network, DENEB, Some(label), |_| false);
    assert_eq!(labelled(Fork::Deneb).unwrap(), Fork::Deneb);
    assert_eq!(labelled(Fork::Electra).unwrap(), Fork::Electra);
    for label in [Fork::Altair, Fork::Capella, Fork::Fulu, Fork::Gloas] {
        let refusal = labelled(label).unwrap_err();
        let expected = (label, Fork::Deneb, DENEB);
        assert!(
            matches!(refusal, DecodeError::Relabelled { label, scheduled, slot } if (label, scheduled, slot) == expected),
            "{refusal}"
        );
    }
}

#[test]
fn a_later_fork_outside_the_table_is_unknown_and_not_relabelled() {
    let text = Network::mainnet().to_toml();
    let (before, _) = text.split_once("[[forks]]\nname = \"electra\"").unwrap();
    let network = Network::from_toml(before).unwrap();
    let labelled = |label| fork(&network, DENEB, Some(label), |_| false).unwrap_err();
    for later in [Fork::Electra, Fork::Gloas] {
        let refusal = labelled(later);
        assert!(
            matches!(&refusal, DecodeError::UnknownFork(fork) if fork.name() == later.name()),
            "{refusal}"
        );
    }
    let refusal = labelled(Fork::Capella);
    assert!(matches!(refusal, DecodeError::Relabelled { label: Fork::Capella, .. }), "{refusal}");
}

#[test]
fn without_a_label_the_next_fork_is_read_only_if_the_scheduled_one_cannot_be() {
    let network = Network::mainnet();
    for (forms, expected) in [
        (&[][..], Fork::Deneb),
        (&[Fork::Deneb], Fork::Deneb),
        (&[Fork::Electra], Fork::Electra),
        (&[Fork::Deneb, Fork::Electra], Fork::Deneb),
        (&[Fork::Gloas], Fork::Deneb),
    ] {
        assert_eq!(fork(&network, DENEB, None, |fork| forms.contains(&fork)).unwrap(), expected, "{forms:?}");
    }
}

#[test]
fn an_object_is_read_up_to_the_limit() {
    for encoding in [Encoding::Json, Encoding::Ssz] {
        let zeros = |got: usize| {
            let bytes = vec![0; got];
            decode::<OptimisticUpdate>(&bytes, encoding, None, &Network::mainnet()).unwrap_err()
        };
        let read = zeros(MAX_OBJECT_BYTES);
        assert!(matches!(read, DecodeError::Ssz(_) | DecodeError::Json(_)), "{read}");
        for more in [1, 2] {
            let refusal = zeros(MAX_OBJECT_BYTES.saturating_add(more));
            assert!(matches!(refusal, DecodeError::TooLarge { limit: MAX_OBJECT_BYTES, .. }), "{refusal}");
        }
    }
}
