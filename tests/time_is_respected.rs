//! Heads from the future and expired trust are refused, and a clock that is a little slow stops nothing.

use std::time::Duration;

use saldo_beacon::decode::{self, Encoding};
use saldo_beacon::unit::{Epoch, Period, Slot, UnixTime};
use saldo_beacon::{AdvanceError, Advanced, BootstrapError, Checkpoint, Fault, Fork, LightClient, Wants};
use saldo_drill::Chain;
use saldo_drill::encode::Encode;
use saldo_tests::beacon::{Forge, PERIOD};

fn earlier(time: UnixTime, seconds: u64) -> UnixTime {
    UnixTime::from_millis(time.as_millis() - seconds * 1000)
}

#[test]
fn a_clock_half_a_minute_slow_is_tolerated() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    assert!(client.advance(forge.optimistic(20), earlier(forge.now(20), 30)).unwrap().signed);
}

#[test]
fn a_head_from_the_future_waits_for_its_time() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    let before = format!("{client:?}");
    let starts = client.network().slot_start(Slot::new(20));
    let now = UnixTime::from_millis(starts.as_millis() - 30_001);
    let refusal = client.advance(forge.optimistic(20), now).unwrap_err();
    assert_eq!(refusal, AdvanceError::FromFuture { slot: Slot::new(20), starts, now });
    assert_eq!(refusal.fault(), Fault::Device, "no source is punished: the clock may be wrong");
    assert_eq!(format!("{client:?}"), before);
    assert!(client.advance(forge.optimistic(20), forge.now(20)).unwrap().signed);
}

/// The signature slot is not signed: a source can set it to any slot of the period, so it does not prove the time.
#[test]
fn an_invented_signature_slot_proves_no_time() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    let mut update = forge.optimistic(20);
    update.signature_slot = Slot::new(60);
    let (starts, now) = (client.network().slot_start(Slot::new(60)), forge.now(20));
    let refusal = client.advance(update, now).unwrap_err();
    let expected = AdvanceError::SignatureFromFuture { signature_slot: Slot::new(60), starts, now };
    assert_eq!(refusal, expected);
    // A head that starts exactly as far ahead as a clock may be behind is not from the future. Its signature is.
    let update = forge.optimistic(20);
    let now = earlier(client.network().slot_start(Slot::new(20)), 30);
    let starts = client.network().slot_start(update.signature_slot);
    let expected = AdvanceError::SignatureFromFuture { signature_slot: update.signature_slot, starts, now };
    assert_eq!(client.advance(update, now).unwrap_err(), expected);
}

/// An unsigned object shows nothing about the device's clock, however far in the future its time is.
#[test]
fn an_unsigned_future_does_not_blame_the_clock() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    let mut update = forge.optimistic(20);
    update.signature_slot = Slot::new(u64::MAX);
    let refusal = client.advance(update, forge.now(20)).unwrap_err();
    assert!(matches!(refusal, AdvanceError::CommitteeUnknown { .. }), "{refusal:?}");
    let mut update = forge.optimistic(20);
    update.attested_header.beacon.proposer_index += 1;
    update.signature_slot = Slot::new(60);
    let refusal = client.advance(update, forge.now(20)).unwrap_err();
    assert!(!matches!(refusal, AdvanceError::FromFuture { .. }), "{refusal:?}");
}

#[test]
fn a_block_is_signed_after_it_was_made_and_final_before() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    for signature in [20, 19, 0] {
        let mut update = forge.update(20, 16);
        update.signature_slot = Slot::new(signature);
        let refusal = client.advance(update, forge.now(20)).unwrap_err();
        let (attested, finalized) = (Slot::new(20), Slot::new(16));
        let expected = AdvanceError::SlotOrder { signature: Slot::new(signature), attested, finalized };
        assert_eq!(refusal, expected);
        assert_eq!(refusal.fault(), Fault::Source);
    }
    let refusal = client.advance(forge.update(20, 21), forge.now(21)).unwrap_err();
    let (signature, attested, finalized) = (Slot::new(21), Slot::new(20), Slot::new(21));
    assert_eq!(refusal, AdvanceError::SlotOrder { signature, attested, finalized });
}

/// The object has the layout of its newest header, and so has fields for it that the attested header lacks.
#[test]
fn a_final_header_is_not_newer_across_a_fork_either() {
    for (fork, next) in [(Fork::Bellatrix, Fork::Capella), (Fork::Capella, Fork::Deneb)] {
        let chain = Chain::builder(1).fork(fork).fork_at(next, Epoch::new(7)).build();
        let (network, checkpoint) = (chain.network(), chain.checkpoint());
        let bootstrap = chain.bootstrap(checkpoint.root).unwrap();
        let mut client = LightClient::bootstrap(network, checkpoint, bootstrap, chain.time()).unwrap();
        let before = format!("{client:?}");
        let mut update = chain.finality_update();
        chain.advance(40);
        update.finality.as_mut().unwrap().header = Some(chain.optimistic_update().attested_header);
        let (signature, attested, finalized) =
            (update.signature_slot, update.attested_slot(), update.finalized_slot());
        let forks = [attested, finalized].map(|slot| client.network().fork_at(slot).unwrap());
        assert_eq!(forks, [fork, next]);

        let (ssz, json) = (update.ssz(), update.json().to_string());
        for (bytes, encoding) in [(ssz.as_slice(), Encoding::Ssz), (json.as_bytes(), Encoding::Json)] {
            let label = Some(next.name());
            let read = decode::finality_update(bytes, encoding, label, client.network()).unwrap();
            assert_eq!(read, update, "{encoding:?}");
            let refusal = client.advance(read, chain.time()).unwrap_err();
            assert_eq!(refusal, AdvanceError::SlotOrder { signature, attested, finalized });
            assert_eq!(refusal.fault(), Fault::Source);
        }
        assert_eq!(format!("{client:?}"), before);
    }
}

#[test]
fn an_update_older_than_what_is_final_is_refused() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    client.advance(forge.update(28, 24), forge.now(28)).unwrap();
    for update in [forge.update(20, 16), forge.optimistic(24)] {
        let attested = update.attested_slot();
        let refusal = client.advance(update, forge.now(28)).unwrap_err();
        assert_eq!(refusal, AdvanceError::NotNewer { attested, finalized: Slot::new(24) });
    }
    // Between the final and the signed head an update is valid, and no head goes back for it.
    assert_eq!(client.advance(forge.optimistic(26), forge.now(28)).unwrap(), Advanced::default());
    assert_eq!(client.signed_head().unwrap().slot(), Slot::new(28));
}

#[test]
fn an_update_of_a_period_gone_by_is_refused() {
    let forge = Forge::default();
    let mut client = forge.client(PERIOD + 8);
    let refusal = client.advance(forge.update(20, 16), forge.now(PERIOD + 8)).unwrap_err();
    assert_eq!(refusal, AdvanceError::NotNewer { attested: Slot::new(20), finalized: Slot::new(PERIOD + 8) });
}

#[test]
fn a_checkpoint_beyond_weak_subjectivity_is_refused_with_its_age() {
    let forge = Forge::default();
    let (checkpoint, bootstrap) = forge.bootstrap(8);
    let at = |epoch: u64| forge.network.slot_start(Slot::new(epoch * 8));
    let start = |now| LightClient::bootstrap(forge.network.clone(), checkpoint, bootstrap.clone(), now);
    assert!(start(at(3533)).is_ok());
    let refusal = start(at(3534)).unwrap_err();
    assert_eq!(refusal, BootstrapError::CheckpointTooOld { age_epochs: 3533, limit_epochs: 3532 });
    assert_eq!(refusal.fault(), Fault::Caller);
}

#[test]
fn a_checkpoint_from_the_future_means_a_slow_clock() {
    let forge = Forge::default();
    let (checkpoint, bootstrap) = forge.bootstrap(8);
    let start = |now| LightClient::bootstrap(forge.network.clone(), checkpoint, bootstrap.clone(), now);
    let starts = forge.network.slot_start(Slot::new(8));
    assert!(start(earlier(starts, 30)).is_ok());
    for now in [earlier(starts, 31), UnixTime::from_secs(0)] {
        let refusal = start(now).unwrap_err();
        assert_eq!(refusal, BootstrapError::FromFuture { slot: Slot::new(8), starts, now });
        assert_eq!(refusal.fault(), Fault::Device);
    }
}

#[test]
fn the_requested_updates_follow_the_clock() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    let updates = |start, count| Wants::Updates { start: Period::new(start), count };
    assert_eq!(client.wants(UnixTime::from_secs(0)), updates(0, 1), "before genesis");
    assert_eq!(client.wants(forge.now(20)), updates(0, 1));
    assert_eq!(client.wants(forge.now(PERIOD * 3)), updates(0, 4));
    assert_eq!(client.wants(forge.now(PERIOD * 1000)), updates(0, 128), "a list is at most this long");
    client.advance(forge.update(20, 16), forge.now(20)).unwrap();
    assert_eq!(client.wants(forge.now(20)), Wants::Heads);
    assert_eq!(client.wants(forge.now(PERIOD + 20)), Wants::Heads);
    assert_eq!(client.wants(forge.now(PERIOD * 2)), updates(1, 2));
    let far = UnixTime::from_millis(u64::MAX).saturating_add(Duration::from_secs(1));
    assert_eq!(client.wants(far), updates(1, 128));
}

#[test]
fn a_checkpoint_may_name_its_slot() {
    let forge = Forge::default();
    let (checkpoint, bootstrap) = forge.bootstrap(8);
    let start = |slot| {
        let checkpoint = Checkpoint { slot, ..checkpoint };
        LightClient::bootstrap(forge.network.clone(), checkpoint, bootstrap.clone(), forge.now(8))
    };
    assert!(start(None).is_ok());
    let expected = Slot::new(9);
    let refusal = start(Some(expected)).unwrap_err();
    assert_eq!(refusal, BootstrapError::WrongSlot { got: Slot::new(8), expected });
    assert_eq!(refusal.fault(), Fault::Caller);
}
