//! Without finality for a period, the client moves only on request, and labels the head that it then treats as final.

use saldo_beacon::unit::{Period, Slot};
use saldo_beacon::{Advanced, Finality};
use saldo_tests::beacon::{Forge, PERIOD};

#[test]
fn no_head_is_forced_without_a_call_or_too_early() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    let mut update = forge.update(20, 16);
    update.finality = None;
    let advanced = client.advance(update, forge.now(20)).unwrap();
    assert_eq!(advanced, Advanced { signed: true, ..Advanced::default() });
    let timeout = forge.network.slot_start(Slot::new(8 + PERIOD));
    assert_eq!(client.force_update(timeout), None, "one period is not more than one period");
    assert_eq!(client.finalized_head().finality(), Finality::Checkpoint);
}

#[test]
fn a_forced_head_is_labelled_until_the_chain_finalizes() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    let mut update = forge.update(20, 16);
    update.finality = None;
    forge.sign(&mut update, 25);
    client.advance(update, forge.now(20)).unwrap();
    let late = forge.now(8 + PERIOD);
    let expected = Advanced { finalized: true, next_committee: true, ..Advanced::default() };
    assert_eq!(client.force_update(late), Some(expected));
    assert_eq!(client.finalized_head().slot(), Slot::new(20));
    assert_eq!(client.finalized_head().finality(), Finality::Forced { signers: 25, size: 32 });
    assert_eq!(client.force_update(late), None, "an update can be forced only once");
    client.advance(forge.update(PERIOD + 20, PERIOD + 16), forge.now(PERIOD + 20)).unwrap();
    assert_eq!(client.finalized_head().finality(), Finality::Signed { signers: 32, size: 32 });
    assert_eq!(client.period(), Period::new(1));
}

#[test]
fn a_newer_update_with_less_content_is_not_forced() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    let mut update = forge.update(20, 16);
    update.finality = None;
    client.advance(update, forge.now(20)).unwrap();
    assert!(client.advance(forge.optimistic(22), forge.now(22)).unwrap().signed);
    assert!(client.force_update(forge.now(8 + PERIOD)).unwrap().next_committee);
    assert_eq!(client.finalized_head().slot(), Slot::new(20));
}

#[test]
fn an_update_that_finalizes_leaves_nothing_to_force() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    client.advance(forge.optimistic(18), forge.now(18)).unwrap();
    client.advance(forge.update(20, 16), forge.now(20)).unwrap();
    assert_eq!(client.force_update(forge.now(3 * PERIOD)), None);
    assert_eq!(client.finalized_head().slot(), Slot::new(16));
}

/// While the chain does not finalize, each update names the same final block.
#[test]
fn an_update_without_newer_finality_can_be_forced() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    client.advance(forge.update(20, 16), forge.now(20)).unwrap();
    let advanced = client.advance(forge.update(24, 16), forge.now(24)).unwrap();
    assert_eq!(advanced, Advanced { signed: true, ..Advanced::default() });
    assert_eq!(client.advance(forge.update(24, 16), forge.now(24)).unwrap(), Advanced::default());
    assert!(client.force_update(forge.now(16 + PERIOD)).unwrap().finalized);
    assert_eq!(client.finalized_head().slot(), Slot::new(24));
}

#[test]
fn a_committee_update_at_the_checkpoint_keeps_its_label() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    let advanced = client.advance(forge.update(12, 8), forge.now(12)).unwrap();
    assert_eq!(advanced, Advanced { signed: true, next_committee: true, ..Advanced::default() });
    assert_eq!(client.finalized_head().finality(), Finality::Checkpoint);
}
