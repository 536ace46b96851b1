//! A stored light client goes on where it was, and whatever of it can be checked again is.

use std::sync::Arc;

use saldo_beacon::decode::{self, Encoding};
use saldo_beacon::signature::SignatureError;
use saldo_beacon::unit::{Period, Slot, UnixTime};
use saldo_beacon::{
    AdvanceError, Checkpoint, Fault, Finality, LightClient, Network, Origin, SnapshotError, Voucher, Wants,
};
use saldo_tests::beacon::{Forge, PERIOD};
use sha2::{Digest, Sha256};

/// Everything a wallet sees of a client.
fn told(client: &LightClient, now: UnixTime) -> String {
    format!(
        "{:?}",
        (
            client.origin(),
            client.finalized_head(),
            client.signed_head(),
            client.period(),
            client.next_committee_known(),
            client.consensus_fault(),
            client.wants(now),
        )
    )
}

/// Loads what the client stores, and holds it against the client.
fn again(client: &LightClient, network: &Network, now: UnixTime) -> LightClient {
    let bytes = client.snapshot();
    assert!(bytes.len() <= LightClient::MAX_SNAPSHOT_BYTES);
    let loaded = LightClient::load(&bytes, network.clone(), now).unwrap();
    assert_eq!(told(&loaded, now), told(client, now));
    assert_eq!(loaded.snapshot(), bytes, "storing what was loaded gives the same");
    loaded
}

/// With the checksum that belongs to what the bytes say now.
fn summed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() - 32);
    let checksum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&checksum);
    bytes
}

fn refusal(bytes: &[u8], network: &Network, now: UnixTime) -> SnapshotError {
    LightClient::load(bytes, network.clone(), now).unwrap_err()
}

/// Right after the bootstrap, with a head, with a pending update, and after each hand-over.
#[test]
fn a_loaded_client_goes_on_as_if_nothing_had_been() {
    let forge = Forge::default();
    let checkpoint = forge.bootstrap(8).0;
    let operators: Arc<[String]> = Arc::from(["Alice".to_owned(), "Böb".to_owned()]);
    let origin = Origin::new(checkpoint, Voucher::Agreement { slot: Slot::new(8), operators });
    let mut kept =
        LightClient::bootstrap(forge.network.clone(), origin, forge.bootstrap(8).1, forge.now(8)).unwrap();
    let mut stored = again(&kept, &forge.network, forge.now(8));
    let steps = [
        forge.optimistic(19),
        forge.update(20, 16),
        forge.optimistic(22),
        forge.update(PERIOD + 8, PERIOD),
        forge.optimistic(PERIOD + 9),
        forge.optimistic(2 * PERIOD - 1),
    ];
    for update in steps {
        let now = forge.now(update.attested_slot().get());
        let expected = kept.advance(update.clone(), now).unwrap();
        assert_eq!(stored.advance(update, now).unwrap(), expected);
        assert_eq!(told(&stored, now), told(&kept, now));
        stored = again(&stored, &forge.network, now);
    }
    assert_eq!(stored.period(), Period::new(1));
}

#[test]
fn what_could_be_forced_can_be_forced_after_loading() {
    let forge = Forge::default();
    let mut kept = forge.client(8);
    let mut update = forge.update(20, 16);
    update.finality = None;
    kept.advance(update, forge.now(20)).unwrap();
    let mut stored = again(&kept, &forge.network, forge.now(20));
    let late = forge.now(8 + PERIOD);
    assert_eq!(kept.force_update(late), stored.force_update(late));
    assert_eq!(told(&stored, late), told(&kept, late));
    assert!(stored.next_committee_known());
    again(&stored, &forge.network, late);
}

#[test]
fn real_data_goes_through() {
    let folder = "e2e/mainnet-fulu-14017856-nimbus";
    let Some(folder) = saldo_tests::vectors(folder) else { return };
    let network = Network::mainnet();
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let scenario: serde_json::Value = serde_json::from_slice(&read("scenario.json")).unwrap();
    let checkpoint =
        Checkpoint { root: scenario["checkpoint"].as_str().unwrap().parse().unwrap(), slot: None };
    let mut client: Option<LightClient> = None;
    for step in scenario["steps"].as_array().unwrap() {
        let bytes = read(step["file"].as_str().unwrap());
        let encoding = if step["encoding"].as_str().unwrap().starts_with("ssz") {
            Encoding::Ssz
        } else {
            Encoding::Json
        };
        if step["type"] == "LightClientBootstrap" {
            let bootstrap = decode::bootstrap(&bytes, encoding, None, &network).unwrap();
            let now = network.slot_start(bootstrap.header.beacon.slot);
            client = Some(LightClient::bootstrap(network.clone(), checkpoint, bootstrap, now).unwrap());
            continue;
        }
        let updates = match step["type"].as_str().unwrap() {
            "LightClientFinalityUpdate" => {
                vec![decode::finality_update(&bytes, encoding, None, &network).unwrap()]
            }
            "LightClientOptimisticUpdate" => {
                vec![decode::optimistic_update(&bytes, encoding, None, &network).unwrap()]
            }
            _ => match decode::update(&bytes, encoding, None, &network) {
                Ok(update) => vec![update],
                Err(_) => decode::updates(&bytes, encoding, &network).unwrap(),
            },
        };
        for update in updates {
            let now = network.slot_start(update.signature_slot);
            let client = client.as_mut().unwrap();
            let mut stored = again(client, &network, now);
            let expected = client.advance(update.clone(), now);
            assert_eq!(stored.advance(update, now), expected);
            again(client, &network, now);
        }
    }
    let client = client.unwrap();
    assert!(client.signed_head().is_some());
    println!("{} bytes", client.snapshot().len());
}

/// A whole snapshot of the minimal preset: two committees, a final head, a newer one and a pending update.
fn whole() -> (Forge, LightClient, UnixTime) {
    let forge = Forge::default();
    let mut client = forge.client(8);
    client.advance(forge.update(20, 16), forge.now(20)).unwrap();
    client.advance(forge.optimistic(22), forge.now(22)).unwrap();
    let now = forge.now(22);
    (forge, client, now)
}

#[test]
fn every_flipped_bit_and_every_truncation_is_refused() {
    let (forge, client, now) = whole();
    let bytes = client.snapshot();
    let network = Arc::new(forge.network);
    for index in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[index] ^= 1 << bit;
            let refusal = LightClient::load(&flipped, Arc::clone(&network), now).unwrap_err();
            let as_expected = match index {
                0..8 => refusal == SnapshotError::NotASnapshot,
                8..10 => matches!(refusal, SnapshotError::Version { got } if got != 1),
                _ => refusal == SnapshotError::Damaged,
            };
            assert!(as_expected, "bit {bit} of byte {index}: {refusal:?}");
        }
        let refusal = LightClient::load(&bytes[..index], Arc::clone(&network), now).unwrap_err();
        let expected = if index < 8 { SnapshotError::NotASnapshot } else { SnapshotError::Damaged };
        assert_eq!(refusal, expected, "the first {index} bytes");
    }
    let longer = [bytes, vec![0]].concat();
    assert_eq!(refusal(&longer, &network, now), SnapshotError::Damaged);
}

/// Made by something else: the checksum is right, and so nothing is wrong but what it says.
#[test]
fn what_does_not_hold_is_refused_under_a_right_checksum() {
    let (forge, client, now) = whole();
    let bytes = client.snapshot();
    let (mut held, mut refused, mut refused_later) = (0, 0, 0);
    let forced = |mut client: LightClient| {
        client.force_update(forge.now(81)).map(|_| client.finalized_head().beacon_root())
    };
    let genuine = forced(client.clone());
    assert!(genuine.is_some());
    for index in 10..bytes.len() - 32 {
        let mut edited = bytes.clone();
        edited[index] ^= 1;
        match LightClient::load(&summed(edited), forge.network.clone(), now) {
            Ok(loaded) => {
                // What cannot be checked again: who vouched for the checkpoint, and signatures of the past.
                // What the same update would have given by force says so.
                let is_forced = matches!(loaded.finalized_head().finality(), Finality::Forced { .. });
                let root = loaded.finalized_head().beacon_root();
                assert!(is_forced || root == client.finalized_head().beacon_root(), "byte {index}");
                assert_eq!(
                    loaded.signed_head().unwrap().beacon_root(),
                    client.signed_head().unwrap().beacon_root()
                );
                // The signature of an update that is pending is checked when it is applied.
                match forced(loaded) {
                    None if !is_forced => refused_later += 1,
                    forced => {
                        held += 1;
                        assert!(is_forced || forced == genuine, "byte {index}");
                    }
                }
            }
            Err(_) => refused += 1,
        }
    }
    // Who named the next committee beside its slot and state (80 bytes), who signed the final head (128), the slots of the
    // signatures, and who vouched for the checkpoint.
    assert!(held < 300, "{held} held, {refused} refused, {refused_later} refused when applied");
    let longer = summed([&bytes[..bytes.len() - 32], &[0; 33]].concat());
    let expected = SnapshotError::Malformed { what: "more bytes than parts" };
    assert_eq!(refusal(&longer, &forge.network, now), expected);
}

/// The newest signature is checked again under the stored committee, and the committees under their headers.
#[test]
fn another_committee_and_another_signature_are_refused() {
    let (forge, client, now) = whole();
    let bytes = client.snapshot();
    let place = |part: &[u8]| bytes.windows(part.len()).rposition(|window| window == part).unwrap();
    let replaced = |part: &[u8], other: &[u8]| {
        let (mut edited, at) = (bytes.clone(), place(part));
        edited[at..at + part.len()].copy_from_slice(other);
        refusal(&summed(edited), &forge.network, now)
    };
    for period in [0, 1].map(Period::new) {
        let own = forge.committee(period).pubkeys[3];
        let other = Forge { seed: 7, ..forge.clone() }.committee(period).pubkeys[3];
        let refusal = replaced(own.as_slice(), other.as_slice());
        assert_eq!(refusal, SnapshotError::Committee { period });
        assert_eq!(refusal.fault(), Fault::Caller);
    }
    let refusal = refusal(&with_forged_signature(&forge, &bytes, 0), &forge.network, now);
    assert!(matches!(refusal, SnapshotError::Update(AdvanceError::Signature(_))), "{refusal:?}");
}

/// The newest update stands in the snapshot as the newest head's and as the pending one: this forges the signature of one.
fn with_forged_signature(forge: &Forge, bytes: &[u8], which: usize) -> Vec<u8> {
    let mut forged = forge.optimistic(22);
    let genuine = forged.sync_aggregate.signature;
    Forge { seed: 7, ..forge.clone() }.sign(&mut forged, 32);
    let places: Vec<usize> =
        bytes.windows(96).enumerate().filter(|(_, part)| genuine == *part).map(|(at, _)| at).collect();
    assert_eq!(places.len(), 2);
    let mut edited = bytes.to_vec();
    edited[places[which]..][..96].copy_from_slice(forged.sync_aggregate.signature.as_slice());
    summed(edited)
}

/// The signature of a pending update is checked when it would be applied, and the one that does not hold is given up.
#[test]
fn a_pending_update_that_nobody_signed_is_never_applied() {
    let (forge, client, now) = whole();
    let bytes = client.snapshot();
    let late = forge.now(81);
    let load = |bytes: &[u8]| LightClient::load(bytes, forge.network.clone(), now).unwrap();
    let mut genuine = load(&bytes);
    assert!(genuine.force_update(late).is_some());
    assert!(matches!(genuine.finalized_head().finality(), Finality::Forced { .. }));
    let mut planted = load(&with_forged_signature(&forge, &bytes, 1));
    let before = planted.finalized_head().clone();
    assert_eq!(planted.force_update(late), None);
    assert_eq!(planted.finalized_head(), &before);
    assert_eq!(planted.force_update(late), None);
}

/// Before anything is signed, the final head is the checkpoint's and nothing else.
#[test]
fn another_final_head_than_the_checkpoints_is_refused() {
    let forge = Forge::default();
    let (checkpoint, bootstrap) = forge.bootstrap(8);
    let bytes = forge.client(8).snapshot();
    let payload = bootstrap.header.execution.header().unwrap();
    let slot = checkpoint.slot.unwrap().get().to_le_bytes();
    for part in [&slot[..], bootstrap.header.beacon.parent_root.as_slice(), payload.state_root.as_slice()] {
        let after_origin =
            bytes.windows(32).position(|window| window == checkpoint.root.as_slice()).unwrap() + 32;
        let at = bytes[after_origin..].windows(part.len()).position(|window| window == part).unwrap();
        let mut edited = bytes.clone();
        edited[after_origin + at] ^= 1;
        let refused = refusal(&summed(edited), &forge.network, forge.now(8));
        assert_eq!(refused, SnapshotError::FinalizedHead, "{part:02x?}");
        assert_eq!(refused.fault(), Fault::Caller);
    }
}

/// No two snapshots say the same, so nothing stands in one that is not looked at.
#[test]
fn what_loads_under_a_right_checksum_is_stored_as_it_stood() {
    let forge = Forge::default();
    let client = forge.client(8);
    let bytes = client.snapshot();
    for index in 10..bytes.len() - 32 {
        let mut edited = bytes.clone();
        edited[index] ^= 1;
        let edited = summed(edited);
        if let Ok(loaded) = LightClient::load(&edited, forge.network.clone(), forge.now(8)) {
            assert!(loaded.snapshot() == edited, "byte {index}");
            assert_eq!(loaded.finalized_head(), client.finalized_head(), "byte {index}");
        }
    }
}

/// Proven, but by a block that names it for another period.
#[test]
fn the_committee_of_another_period_is_refused() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    for (attested, finalized) in [(20, 16), (PERIOD + 8, PERIOD)] {
        client.advance(forge.update(attested, finalized), forge.now(attested)).unwrap();
    }
    let mut bytes = client.snapshot();
    let place = |period: u64| {
        let first = forge.committee(Period::new(period)).pubkeys[0];
        bytes.windows(48).position(|window| window == first.as_slice()).unwrap()
    };
    // Keys, the header that names them, where it does, and the proof of that.
    let length = 33 * 48 + 112 + 1 + 4 + 6 * 32;
    let (current, next) = (place(1), place(2));
    bytes.copy_within(current..current + length, next);
    let expected = SnapshotError::Committee { period: Period::new(2) };
    assert_eq!(refusal(&summed(bytes), &forge.network, forge.now(PERIOD + 8)), expected);
}

/// An update that waits to be forced brings a committee of its own.
#[test]
fn another_committee_that_could_be_forced_is_refused() {
    let forge = Forge::default();
    let mut client = forge.client(8);
    let mut update = forge.update(20, 16);
    update.finality = None;
    client.advance(update, forge.now(20)).unwrap();
    assert!(!client.next_committee_known());
    let mut bytes = client.snapshot();
    let period = Period::new(1);
    let own = forge.committee(period).pubkeys[3];
    let other = Forge { seed: 7, ..forge.clone() }.committee(period).pubkeys[3];
    let at = bytes.windows(48).position(|window| window == own.as_slice()).unwrap();
    bytes[at..at + 48].copy_from_slice(other.as_slice());
    let expected = SnapshotError::Committee { period };
    assert_eq!(refusal(&summed(bytes), &forge.network, forge.now(20)), expected);
}

/// Genuine and signed, but it would have the client say that an older head is its newest.
#[test]
fn a_signed_head_older_than_the_final_one_is_refused() {
    let (forge, client, now) = whole();
    let mut bytes = client.snapshot();
    let mut younger = forge.client(8);
    younger.advance(forge.optimistic(12), forge.now(12)).unwrap();
    let older = younger.snapshot();
    let place = |bytes: &[u8], slot: u64| {
        let update = forge.optimistic(slot);
        let (beacon, aggregate) = (update.attested_header.beacon, update.sync_aggregate);
        let at = |part: &[u8]| bytes.windows(part.len()).position(|window| window == part).unwrap();
        // The root of the committee stands before the header's two numbers, and a slot after the signature.
        let header = at(&[beacon.parent_root, beacon.state_root, beacon.body_root].concat());
        header - 16 - 32..at(aggregate.signature.as_slice()) + 96 + 8
    };
    bytes[place(&client.snapshot(), 22)].copy_from_slice(&older[place(&older, 12)]);
    let expected = SnapshotError::Malformed { what: "the signed head is older than the final one" };
    assert_eq!(refusal(&summed(bytes), &forge.network, now), expected);
}

/// The signature by which a head became final cannot be checked again, but how many it says it is of can.
#[test]
fn a_final_head_that_too_few_signed_or_out_of_order_is_refused() {
    let (forge, client, now) = whole();
    let bytes = client.snapshot();
    let signature = forge.update(20, 16).sync_aggregate.signature;
    let at = bytes.windows(96).position(|window| window == signature.as_slice()).unwrap();
    let edited = |place: usize, part: &[u8]| {
        let mut edited = bytes.clone();
        edited[place..place + part.len()].copy_from_slice(part);
        refusal(&summed(edited), &forge.network, now)
    };
    let few = AdvanceError::TooFewSigners { signers: 21, size: 32 };
    assert_eq!(edited(at - 4, &[0xff, 0xff, 0x1f, 0]), SnapshotError::Update(few));
    let [signature, attested, finalized] = [20, 20, 16].map(Slot::new);
    let order = AdvanceError::SlotOrder { signature, attested, finalized };
    assert_eq!(edited(at + 96, &20_u64.to_le_bytes()), SnapshotError::Update(order));
}

#[test]
fn of_another_network_or_version_or_too_large_or_empty() {
    let (forge, client, now) = whole();
    let bytes = client.snapshot();
    let toml = forge.network.to_toml();
    let other = |from: &str, to: &str| Network::from_toml(&toml.replace(from, to)).unwrap();
    let expected = SnapshotError::OtherNetwork { got: 31337, expected: 31338 };
    assert_eq!(refusal(&bytes, &other("31337", "31338"), now), expected);
    let expected = SnapshotError::OtherNetwork { got: 31337, expected: 31337 };
    assert_eq!(refusal(&bytes, &other("0x1111", "0x1112"), now), expected);

    let mut newer = bytes;
    newer[8] = 2;
    let refused = refusal(&summed(newer), &forge.network, now);
    assert_eq!(refused, SnapshotError::Version { got: 2 }, "refused and not guessed");
    assert_eq!(refused.fault(), Fault::Network);

    let got = LightClient::MAX_SNAPSHOT_BYTES + 1;
    assert_eq!(refusal(&vec![0; got], &forge.network, now), SnapshotError::TooLarge { got });
    let largest = vec![0; LightClient::MAX_SNAPSHOT_BYTES];
    assert_eq!(refusal(&largest, &forge.network, now), SnapshotError::NotASnapshot);
    assert_eq!(refusal(&[], &forge.network, now), SnapshotError::NotASnapshot);
}

/// Beyond weak subjectivity the stored committee could have sold its keys.
#[test]
fn beyond_weak_subjectivity_it_is_refused_with_its_age() {
    let (forge, client, _) = whole();
    let bytes = client.snapshot();
    let at = |epoch: u64| forge.network.slot_start(Slot::new(epoch * 8));
    assert!(LightClient::load(&bytes, forge.network.clone(), at(2 + 3532)).is_ok());
    let refused = refusal(&bytes, &forge.network, at(2 + 3533));
    assert_eq!(refused, SnapshotError::TooOld { age_epochs: 3533, limit_epochs: 3532 });
}

/// A clock that is behind the snapshot is slow; the snapshot is no worse for it, and wants nothing older.
#[test]
fn a_snapshot_newer_than_the_clock_is_loaded() {
    let (forge, client, _) = whole();
    for now in [UnixTime::from_secs(0), forge.now(1)] {
        let loaded = LightClient::load(&client.snapshot(), forge.network.clone(), now).unwrap();
        assert_eq!(loaded.signed_head().unwrap().slot(), Slot::new(22));
        assert_eq!(loaded.wants(now), Wants::Heads);
    }
}

/// An older snapshot that was put back says nothing wrong: it is as old as it says, a newer head takes its place, and beyond
/// weak subjectivity it is refused.
#[test]
fn an_older_snapshot_put_back_is_only_old() {
    let forge = Forge::default();
    let network = forge.network.clone();
    let mut client = forge.client(8);
    client.advance(forge.update(20, 16), forge.now(20)).unwrap();
    let older = client.snapshot();
    client.advance(forge.update(40, 36), forge.now(40)).unwrap();

    let mut restored = LightClient::load(&older, network.clone(), forge.now(40)).unwrap();
    assert_eq!(restored.signed_head().unwrap().slot(), Slot::new(20));
    assert_eq!(restored.finalized_head().slot(), Slot::new(16));
    let replayed = restored.advance(forge.update(16, 12), forge.now(40)).unwrap_err();
    assert_eq!(replayed, AdvanceError::NotNewer { attested: Slot::new(16), finalized: Slot::new(16) });
    restored.advance(forge.update(40, 36), forge.now(40)).unwrap();
    assert_eq!(told(&restored, forge.now(40)), told(&client, forge.now(40)));

    let late = forge.network.slot_start(Slot::new(8 * (2 + 3533)));
    assert_eq!(
        refusal(&older, &network, late),
        SnapshotError::TooOld { age_epochs: 3533, limit_epochs: 3532 }
    );
}

/// Whoever can write the app's private storage can plant a whole client of his own, as he could plant a checkpoint: that is
/// the boundary of what is trusted. It is his chain from then on, and the genuine one is refused.
#[test]
fn a_snapshot_planted_whole_is_believed_like_a_checkpoint() {
    let forge = Forge::default();
    let strangers = Forge { seed: 7, ..forge.clone() };
    let mut theirs = strangers.client(8);
    theirs.advance(strangers.update(20, 16), forge.now(20)).unwrap();
    let mut planted = LightClient::load(&theirs.snapshot(), forge.network.clone(), forge.now(20)).unwrap();
    assert_eq!(planted.signed_head(), theirs.signed_head());
    let refusal = planted.advance(forge.optimistic(22), forge.now(22)).unwrap_err();
    assert_eq!(refusal, AdvanceError::Signature(SignatureError::Mismatch));
    assert_eq!(planted.checkpoint(), &strangers.bootstrap(8).0, "the checkpoint that it names shows it");
    assert_ne!(planted.checkpoint(), &forge.bootstrap(8).0);
}
