//! A committee is followed only by the next one that two thirds of it named, and no period is ever skipped.

use saldo_beacon::unit::{Period, Slot};
use saldo_beacon::{AdvanceError, Advanced, Fault, Wants, decode};
use saldo_tests::beacon::{Forge, PERIOD};

#[test]
fn a_head_by_all_does_not_excuse_a_hand_over_by_few() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    client.advance(forge.optimistic(20), forge.now(20)).unwrap();
    let mut update = forge.update(24, 16);
    forge.sign(&mut update, 21);
    let refusal = client.advance(update, forge.now(24)).unwrap_err();
    assert_eq!(refusal, AdvanceError::TooFewSigners { signers: 21, size: 32 });
    assert!(!client.next_committee_known());
    assert_eq!(client.signed_head().unwrap().slot(), Slot::new(20));
}

#[test]
fn a_hand_over_that_is_never_served_stops_the_client_and_nothing_else() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    let later = forge.now(PERIOD + 20);
    let refusal = client.advance(forge.update(PERIOD + 20, PERIOD + 16), later).unwrap_err();
    assert_eq!(refusal, AdvanceError::CommitteeUnknown { period: Period::new(1), known: Period::new(0) });
    assert_eq!(refusal.fault(), Fault::Caller);
    assert_eq!(client.wants(later), Wants::Updates { start: Period::new(0), count: 2 });
    assert!(!client.knows_committee_at(later));
    let nothing = decode::updates(b"[]", decode::Encoding::Json, &forge.network).unwrap();
    assert_eq!(nothing, []);
    assert_eq!(client.finalized_head().slot(), Slot::new(8));
    client.advance(forge.update(20, 16), later).unwrap();
    assert!(client.knows_committee_at(later));
    assert_eq!(client.wants(later), Wants::Heads);
}

#[test]
fn no_period_is_skipped() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    client.advance(forge.update(20, 16), forge.now(20)).unwrap();
    let later = forge.now(2 * PERIOD + 20);
    let refusal = client.advance(forge.update(2 * PERIOD + 20, 2 * PERIOD + 16), later).unwrap_err();
    assert_eq!(refusal, AdvanceError::CommitteeUnknown { period: Period::new(2), known: Period::new(0) });
    assert_eq!(client.wants(later), Wants::Updates { start: Period::new(1), count: 2 });
    for period in 1..=2 {
        let start = period * PERIOD;
        let advanced = client.advance(forge.update(start + 20, start + 16), later).unwrap();
        let period = Some(Period::new(period));
        assert_eq!(advanced, Advanced { finalized: true, signed: true, next_committee: true, period });
    }
    assert_eq!(client.wants(later), Wants::Heads);
}

/// A finality update moves the client into the new period, but names no committee for the period after it.
#[test]
fn a_period_entered_without_its_update_asks_for_it() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    client.advance(forge.update(20, 16), forge.now(20)).unwrap();
    let mut finality = forge.update(PERIOD + 20, PERIOD + 16);
    finality.next_sync_committee = None;
    let advanced = client.advance(finality, forge.now(PERIOD + 20)).unwrap();
    assert_eq!(advanced.period, Some(Period::new(1)));
    assert!(!advanced.next_committee && !client.next_committee_known());
    let wants = Wants::Updates { start: Period::new(1), count: 1 };
    assert_eq!(client.wants(forge.now(PERIOD + 20)), wants);
    assert!(client.knows_committee_at(forge.now(PERIOD + 20)), "heads of this period can be verified");
}

#[test]
fn a_swapped_next_committee_is_refused() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    let mut update = forge.update(20, 16);
    let other = Forge { seed: 2, ..forge.clone() }.committee(Period::new(1));
    update.next_sync_committee.as_mut().unwrap().committee = other;
    let refusal = client.advance(update, forge.now(20)).unwrap_err();
    assert_eq!(refusal, AdvanceError::CommitteeBranch);
    assert_eq!(refusal.fault(), Fault::Source);
    assert!(!client.next_committee_known());
}

#[test]
fn the_aggregate_key_is_part_of_what_is_proven() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    let mut update = forge.update(20, 16);
    let next = &mut update.next_sync_committee.as_mut().unwrap().committee;
    next.aggregate_pubkey = next.pubkeys[0];
    assert_eq!(client.advance(update, forge.now(20)).unwrap_err(), AdvanceError::CommitteeBranch);
}

/// Although it is signed by all and proven by the attested state, it must not replace the known committee.
#[test]
fn a_next_committee_that_differs_from_the_known_one_is_refused() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    client.advance(forge.update(20, 16), forge.now(20)).unwrap();
    let known = forge.committee(Period::new(1));
    let other = Forge { seed: 2, ..forge.clone() }.committee(Period::new(1));
    let finalized = forge.block(17, None).header;
    let block = forge.block_with(24, Some(&finalized), &forge.committee(Period::new(0)), &other);
    let update = forge.update_of(&block, Some(finalized), Some(other.clone()));
    let (got, expected) = (other.hash_tree_root(), known.hash_tree_root());
    let refusal = client.advance(update, forge.now(24)).unwrap_err();
    assert_eq!(refusal, AdvanceError::OtherNextCommittee { got, expected });
    assert_eq!(client.finalized_head().slot(), Slot::new(16));
}

#[test]
fn a_committee_of_another_size_is_refused() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    let mut half = forge.committee(Period::new(1));
    half.pubkeys.truncate(16);
    let finalized = forge.block(16, None).header;
    let block = forge.block_with(20, Some(&finalized), &forge.committee(Period::new(0)), &half);
    let update = forge.update_of(&block, Some(finalized), Some(half));
    let refusal = client.advance(update, forge.now(20)).unwrap_err();
    assert_eq!(refusal, AdvanceError::CommitteeSize { got: 16, expected: 32 });
}

/// A source's best update can be older than the checkpoint. It proves the committee nevertheless.
#[test]
fn an_older_update_may_bring_the_committee_that_is_missing() {
    let forge = Forge::default();
    let mut client = forge.client(30);
    let advanced = client.advance(forge.update(20, 16), forge.now(30)).unwrap();
    assert_eq!(advanced, Advanced { next_committee: true, ..Advanced::default() });
    assert_eq!(client.finalized_head().slot(), Slot::new(30));
    assert_eq!(client.signed_head(), None);
    let refusal = client.advance(forge.update(20, 16), forge.now(30)).unwrap_err();
    assert_eq!(refusal, AdvanceError::NotNewer { attested: Slot::new(20), finalized: Slot::new(30) });
    assert_eq!(refusal.fault(), Fault::Source);
}

/// Attested in one period and finalized in the period before: the update is valid, but its next committee is not
/// final, so nothing changes.
#[test]
fn a_committee_that_is_not_final_is_not_accepted() {
    let forge = Forge::default();
    let mut client = forge.client(PERIOD + 30);
    let advanced = client.advance(forge.update(PERIOD + 2, PERIOD - 8), forge.now(PERIOD + 30)).unwrap();
    assert_eq!(advanced, Advanced::default());
    assert!(!client.next_committee_known());
}

/// Attested in the last slot of the previous period and signed in this one: the committee it names is this period's.
#[test]
fn the_committee_before_names_this_one_not_the_next() {
    let forge = Forge::default();
    let mut client = forge.client(PERIOD + 8);
    let update = forge.update(PERIOD - 1, PERIOD - 8);
    assert_eq!(forge.network.period_at(update.signature_slot), client.period());
    let refusal = client.advance(update, forge.now(PERIOD + 8)).unwrap_err();
    let (attested, finalized) = (Slot::new(PERIOD - 1), Slot::new(PERIOD + 8));
    assert_eq!(refusal, AdvanceError::NotNewer { attested, finalized });
    assert!(!client.next_committee_known());
}
