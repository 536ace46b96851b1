//! Any bytes as any light-client object, on networks of every fork: no panic, bounded work, and an object that was read
//! is written to the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saldo_beacon::decode::{self, Encoding};
use saldo_beacon::{LightClientUpdate, Network};
use saldo_drill::encode::Encode;
use saldo_fuzz::object::{Answer, Kind, labels};

fuzz_target!(|input: &[u8]| {
    let answer = Answer::of(input);
    let Answer { network, kind, encoding, label, bytes } = answer;
    match kind {
        Kind::Bootstrap => {
            let Ok(bootstrap) = answer.bootstrap() else { return };
            assert_eq!(bootstrap.current_sync_committee.pubkeys.len(), network.sync_committee_size());
            if encoding == Encoding::Ssz {
                same_if_as_long(&bootstrap.ssz(), bytes);
            }
            let (ssz, json) = (bootstrap.ssz(), bootstrap.json().to_string());
            for (bytes, encoding) in [(ssz.as_slice(), Encoding::Ssz), (json.as_bytes(), Encoding::Json)] {
                let is_read = |label: &Option<&str>| {
                    decode::bootstrap(bytes, encoding, *label, network).is_ok_and(|again| again == bootstrap)
                };
                assert!(labels().iter().any(is_read), "{encoding:?} of {bootstrap:?} does not read back");
            }
        }
        Kind::Updates => {
            let Ok(updates) = decode::updates(bytes, encoding, network) else { return };
            assert!(updates.len() <= decode::MAX_UPDATES);
            updates.iter().for_each(|update| reads_back(update, network));
        }
        Kind::Update | Kind::FinalityUpdate | Kind::OptimisticUpdate => {
            let Some(Ok(update)) = kind.update(bytes, encoding, label, network) else { return };
            if encoding == Encoding::Ssz && Kind::of(&update) == Some(kind) {
                same_if_as_long(&update.ssz(), bytes);
            }
            reads_back(&update, network);
        }
    }
});

/// Compares the bytes. An object in the form of a later fork is written in the form of its own fork, which is shorter.
fn same_if_as_long(written: &[u8], bytes: &[u8]) {
    if written.len() == bytes.len() {
        assert!(written == bytes, "written back to other bytes");
    }
}

/// Checks that the object reads back. An object that was read by its label needs that label again.
fn reads_back(update: &LightClientUpdate, network: &Network) {
    assert!(update.sync_aggregate.is_well_formed());
    let Some(kind) = Kind::of(update) else { return };
    let (ssz, json) = (update.ssz(), update.json().to_string());
    for (bytes, encoding) in [(ssz.as_slice(), Encoding::Ssz), (json.as_bytes(), Encoding::Json)] {
        let is_read = |label: &Option<&str>| {
            let again = kind.update(bytes, encoding, *label, network).expect("one update");
            again.is_ok_and(|again| again == *update)
        };
        assert!(labels().iter().any(is_read), "{encoding:?} of {update:?} does not read back");
    }
}
