//! Fewer than two thirds of a sync committee prove nothing: no head, no finality, and nothing to be forced later.

use saldo_beacon::unit::Slot;
use saldo_beacon::{AdvanceError, Advanced, Fault, LightClient, LightClientUpdate, Network};
use saldo_tests::beacon::{Forge, MINIMAL_FULU, PERIOD};

fn refused(client: &mut LightClient, update: LightClientUpdate, forge: &Forge, signers: usize, size: usize) {
    let now = forge.now(update.attested_slot().get());
    let before = format!("{client:?}");
    let refusal = client.advance(update, now).unwrap_err();
    assert_eq!(refusal, AdvanceError::TooFewSigners { signers, size });
    assert_eq!(refusal.fault(), Fault::Chain, "low participation is not the source's fault");
    assert_eq!(format!("{client:?}"), before);
}

#[test]
fn every_number_below_two_thirds_is_refused() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    for signers in 0..=21 {
        let mut update = forge.update(20, 16);
        forge.sign(&mut update, signers);
        refused(&mut client, update, &forge, signers, 32);
    }
}

#[test]
fn two_thirds_are_enough_and_are_reported() {
    let forge = Forge::default();
    for signers in [22, 31, 32] {
        let mut client = forge.client(8);
        let mut update = forge.update(20, 16);
        forge.sign(&mut update, signers);
        client.advance(update, forge.now(20)).unwrap();
        let head = client.signed_head().unwrap();
        assert_eq!((head.signers(), head.committee_size()), (signers, 32));
        assert_eq!(head.slot(), Slot::new(20));
    }
}

#[test]
fn a_known_head_keeps_its_first_signature() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    let mut update = forge.optimistic(20);
    client.advance(update.clone(), forge.now(20)).unwrap();
    forge.sign(&mut update, 22);
    assert_eq!(client.advance(update, forge.now(20)).unwrap(), Advanced::default());
    assert_eq!(client.signed_head().unwrap().signers(), 32);
}

/// Two thirds of 512 are 341 and a third of a member: 342 are needed.
#[test]
fn the_line_is_exact_for_a_committee_of_512() {
    let toml = MINIMAL_FULU.replace("sync_committee_size = 32", "sync_committee_size = 512");
    let forge = Forge { network: Network::from_toml(&toml).unwrap(), seed: 1 };
    let mut client = forge.client(8);
    for signers in [1, 341] {
        let mut update = forge.optimistic(20);
        forge.sign(&mut update, signers);
        refused(&mut client, update, &forge, signers, 512);
    }
    let mut update = forge.optimistic(20);
    forge.sign(&mut update, 342);
    client.advance(update, forge.now(20)).unwrap();
    assert_eq!(client.signed_head().unwrap().signers(), 342);
}

/// The spec stores a valid update of one signer, and would install its next committee after a period.
#[test]
fn one_signer_cannot_be_forced_into_a_hand_over() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    let mut update = forge.update(20, 16);
    update.finality = None;
    forge.sign(&mut update, 1);
    refused(&mut client, update, &forge, 1, 32);
    assert_eq!(client.force_update(forge.now(8 + 3 * PERIOD)), None);
    assert!(!client.next_committee_known());
    assert_eq!(client.finalized_head().slot(), Slot::new(8));
}

#[test]
fn signers_are_bits_within_the_committee() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    for bits in [vec![0xff; 5], vec![0xff; 3], vec![0xff; 64], vec![]] {
        let mut update = forge.optimistic(20);
        update.sync_aggregate.bits = bits;
        let refusal = client.advance(update, forge.now(20)).unwrap_err();
        assert_eq!(refusal, AdvanceError::ParticipationBits { size: 32 });
        assert_eq!(refusal.fault(), Fault::Source);
    }
    let mut update = forge.optimistic(20);
    update.sync_aggregate.size = 24;
    update.sync_aggregate.bits = vec![0xff; 3];
    let refusal = client.advance(update, forge.now(20)).unwrap_err();
    assert_eq!(refusal, AdvanceError::ParticipationBits { size: 32 });
}
