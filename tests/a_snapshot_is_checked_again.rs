//! A stored light client continues where it was, and everything in it that can be verified is verified again.

use std::sync::Arc;

use saldo_beacon::decode::{self, Encoding};
use saldo_beacon::signature::SignatureError;
use saldo_beacon::unit::{Period, Slot, UnixTime};
use saldo_beacon::{
    AdvanceError, Checkpoint, Fault, Finality, LightClient, Network, Origin, SnapshotError, Voucher, Wants,
};
use saldo_tests::beacon::{Forge, PERIOD};
use sha2::{Digest, Sha256};

/// Everything that a wallet sees of a client.
fn visible(client: &LightClient, now: UnixTime) -> String {
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

/// Loads the client's snapshot, and compares the loaded client with the original.
fn again(client: &LightClient, network: &Network, now: UnixTime) -> LightClient {
    let bytes = client.snapshot();
    assert!(bytes.len() <= LightClient::MAX_SNAPSHOT_BYTES);
    let loaded = LightClient::load(&bytes, network.clone(), now).unwrap();
    assert_eq!(visible(&loaded, now), visible(client, now));
    assert_eq!(loaded.snapshot(), bytes, "storing what was loaded gives the same");
    loaded
}

/// Replaces the checksum with the one for the present bytes.
fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() - 32);
    let checksum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&checksum);
    bytes
}

fn refusal(bytes: &[u8], network: &Network, now: UnixTime) -> SnapshotError {
    LightClient::load(bytes, network.clone(), now).unwrap_err()
}

/// After the bootstrap, with a head, with a pending update, and after each committee update.
#[test]
fn a_loaded_client_continues_like_the_original() {
    let forge = Forge::default();
    let checkpoint = forge.bootstrap(8).0;
    let operators: Arc<[String]> = Arc::from(["Alice".to_owned(), "Böb".to_owned()]);
    let origin = Origin::new(checkpoint, Voucher::Agreement { slot: Slot::new(8), operators });
    let mut original =
        LightClient::bootstrap(forge.network.clone(), origin, forge.bootstrap(8).1, forge.now(8)).unwrap();
    let mut stored = again(&original, &forge.network, forge.now(8));
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
        let expected = original.advance(update.clone(), now).unwrap();
        assert_eq!(stored.advance(update, now).unwrap(), expected);
        assert_eq!(visible(&stored, now), visible(&original, now));
        stored = again(&stored, &forge.network, now);
    }
    assert_eq!(stored.period(), Period::new(1));
}

#[test]
fn a_pending_update_can_be_forced_after_loading() {
    let forge = Forge::default();
    let mut original = forge.client(8);
    let mut update = forge.update(20, 16);
    update.finality = None;
    original.advance(update, forge.now(20)).unwrap();
    let mut stored = again(&original, &forge.network, forge.now(20));
    let late = forge.now(8 + PERIOD);
    assert_eq!(original.force_update(late), stored.force_update(late));
    assert_eq!(visible(&stored, late), visible(&original, late));
    assert!(stored.next_committee_known());
    again(&stored, &forge.network, late);
}

#[test]
fn real_data_survives_a_snapshot() {
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

/// A complete snapshot of the minimal preset: two committees, a final head, a newer head and a pending update.
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

/// The checksum is right, so only the content can be wrong.
#[test]
fn invalid_content_is_refused_under_a_right_checksum() {
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
        match LightClient::load(&with_checksum(edited), forge.network.clone(), now) {
            Ok(loaded) => {
                // These cannot be verified again: who named the checkpoint, and past signatures.
                // The label says that the same update was forced.
                let is_forced = matches!(loaded.finalized_head().finality(), Finality::Forced { .. });
                let root = loaded.finalized_head().beacon_root();
                assert!(is_forced || root == client.finalized_head().beacon_root(), "byte {index}");
                assert_eq!(
                    loaded.signed_head().unwrap().beacon_root(),
                    client.signed_head().unwrap().beacon_root()
                );
                // The signature of a pending update is verified when it is applied.
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
    // Bytes that name: the next committee's slot and state (80 bytes), the signers of the final head (128), the
    // signature slots, and the operators who named the checkpoint.
    assert!(held < 300, "{held} accepted, {refused} refused, {refused_later} refused when applied");
    let longer = with_checksum([&bytes[..bytes.len() - 32], &[0; 33]].concat());
    let expected = SnapshotError::Malformed { what: "more bytes than parts" };
    assert_eq!(refusal(&longer, &forge.network, now), expected);
}

/// The newest signature is verified again under the stored committee, and the committees under their headers.
#[test]
fn another_committee_and_another_signature_are_refused() {
    let (forge, client, now) = whole();
    let bytes = client.snapshot();
    let place = |part: &[u8]| bytes.windows(part.len()).rposition(|window| window == part).unwrap();
    let replaced = |part: &[u8], other: &[u8]| {
        let (mut edited, at) = (bytes.clone(), place(part));
        edited[at..at + part.len()].copy_from_slice(other);
        refusal(&with_checksum(edited), &forge.network, now)
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

/// The newest update is twice in the snapshot: as the newest head and as pending. This forges the signature of one of
/// them.
fn with_forged_signature(forge: &Forge, bytes: &[u8], which: usize) -> Vec<u8> {
    let mut forged = forge.optimistic(22);
    let genuine = forged.sync_aggregate.signature;
    Forge { seed: 7, ..forge.clone() }.sign(&mut forged, 32);
    let places: Vec<usize> =
        bytes.windows(96).enumerate().filter(|(_, part)| genuine == *part).map(|(at, _)| at).collect();
    assert_eq!(places.len(), 2);
    let mut edited = bytes.to_vec();
    edited[places[which]..][..96].copy_from_slice(forged.sync_aggregate.signature.as_slice());
    with_checksum(edited)
}

/// The signature of a pending update is verified before it is applied. An update with an invalid signature is
/// dropped.
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

/// Before the first signature, the final head can only be the checkpoint's.
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
        let refused = refusal(&with_checksum(edited), &forge.network, forge.now(8));
        assert_eq!(refused, SnapshotError::FinalizedHead, "{part:02x?}");
        assert_eq!(refused.fault(), Fault::Caller);
    }
}

/// Two different snapshots never load to the same client, so every byte of a snapshot is used.
#[test]
fn a_loaded_snapshot_is_stored_again_unchanged() {
    let forge = Forge::default();
    let client = forge.client(8);
    let bytes = client.snapshot();
    for index in 10..bytes.len() - 32 {
        let mut edited = bytes.clone();
        edited[index] ^= 1;
        let edited = with_checksum(edited);
        if let Ok(loaded) = LightClient::load(&edited, forge.network.clone(), forge.now(8)) {
            assert!(loaded.snapshot() == edited, "byte {index}");
            assert_eq!(loaded.finalized_head(), client.finalized_head(), "byte {index}");
        }
    }
}

/// The committee is proven, but for another period.
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
    // The keys, the header that names them, where it does, and the proof.
    let length = 33 * 48 + 112 + 1 + 4 + 6 * 32;
    let (current, next) = (place(1), place(2));
    bytes.copy_within(current..current + length, next);
    let expected = SnapshotError::Committee { period: Period::new(2) };
    assert_eq!(refusal(&with_checksum(bytes), &forge.network, forge.now(PERIOD + 8)), expected);
}

/// An update that can be forced contains a committee too.
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
    assert_eq!(refusal(&with_checksum(bytes), &forge.network, forge.now(20)), expected);
}

/// The head is genuine and signed, but the client would treat an older head as its newest.
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
        // The committee root is before the header's two numbers, and a slot is after the signature.
        let header = at(&[beacon.parent_root, beacon.state_root, beacon.body_root].concat());
        header - 16 - 32..at(aggregate.signature.as_slice()) + 96 + 8
    };
    bytes[place(&client.snapshot(), 22)].copy_from_slice(&older[place(&older, 12)]);
    let expected = SnapshotError::Malformed { what: "the signed head is older than the final one" };
    assert_eq!(refusal(&with_checksum(bytes), &forge.network, now), expected);
}

/// The signature that made a head final cannot be verified again, but its number of signers can be checked.
#[test]
fn a_final_head_that_too_few_signed_or_out_of_order_is_refused() {
    let (forge, client, now) = whole();
    let bytes = client.snapshot();
    let signature = forge.update(20, 16).sync_aggregate.signature;
    let at = bytes.windows(96).position(|window| window == signature.as_slice()).unwrap();
    let edited = |place: usize, part: &[u8]| {
        let mut edited = bytes.clone();
        edited[place..place + part.len()].copy_from_slice(part);
        refusal(&with_checksum(edited), &forge.network, now)
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
    let refused = refusal(&with_checksum(newer), &forge.network, now);
    assert_eq!(refused, SnapshotError::Version { got: 2 }, "an unknown version is refused");
    assert_eq!(refused.fault(), Fault::Network);

    let got = LightClient::MAX_SNAPSHOT_BYTES + 1;
    assert_eq!(refusal(&vec![0; got], &forge.network, now), SnapshotError::TooLarge { got });
    let largest = vec![0; LightClient::MAX_SNAPSHOT_BYTES];
    assert_eq!(refusal(&largest, &forge.network, now), SnapshotError::NotASnapshot);
    assert_eq!(refusal(&[], &forge.network, now), SnapshotError::NotASnapshot);
}

/// After weak subjectivity, members of the stored committee could have sold their keys.
#[test]
fn beyond_weak_subjectivity_it_is_refused_with_its_age() {
    let (forge, client, _) = whole();
    let bytes = client.snapshot();
    let at = |epoch: u64| forge.network.slot_start(Slot::new(epoch * 8));
    assert!(LightClient::load(&bytes, forge.network.clone(), at(2 + 3532)).is_ok());
    let refused = refusal(&bytes, &forge.network, at(2 + 3533));
    assert_eq!(refused, SnapshotError::TooOld { age_epochs: 3533, limit_epochs: 3532 });
}

/// If the clock is before the snapshot, the clock is slow. The snapshot stays valid, and requests nothing older.
#[test]
fn a_snapshot_newer_than_the_clock_is_loaded() {
    let (forge, client, _) = whole();
    for now in [UnixTime::from_secs(0), forge.now(1)] {
        let loaded = LightClient::load(&client.snapshot(), forge.network.clone(), now).unwrap();
        assert_eq!(loaded.signed_head().unwrap().slot(), Slot::new(22));
        assert_eq!(loaded.wants(now), Wants::Heads);
    }
}

/// A restored older snapshot is valid and says how old it is. A newer head replaces its head, and after weak
/// subjectivity it is refused.
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
    assert_eq!(visible(&restored, forge.now(40)), visible(&client, forge.now(40)));

    let late = forge.network.slot_start(Slot::new(8 * (2 + 3533)));
    assert_eq!(
        refusal(&older, &network, late),
        SnapshotError::TooOld { age_epochs: 3533, limit_epochs: 3532 }
    );
}

/// An attacker who can write the app's private storage can plant a whole client, as well as a checkpoint. That
/// is the limit of what is trusted. The client then follows the attacker's chain, and refuses the genuine one.
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
    assert_eq!(planted.checkpoint(), &strangers.bootstrap(8).0, "its checkpoint shows whose client it is");
    assert_ne!(planted.checkpoint(), &forge.bootstrap(8).0);
}
