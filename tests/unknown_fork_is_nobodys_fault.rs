//! A fork that this version does not know looks the same from every source: the error names the fork, and blames no
//! source.

use saldo_beacon::decode::{self, DecodeError, Encoding};
use saldo_beacon::signature::SignatureError;
use saldo_beacon::unit::{Period, Slot};
use saldo_beacon::{AdvanceError, BootstrapError, Fault, LightClient, Network, UnknownFork};
use saldo_tests::beacon::{Forge, MINIMAL_FULU, Node};

fn is_unknown<T: core::fmt::Debug>(result: Result<T, DecodeError>, name: &str) {
    let refusal = result.unwrap_err();
    assert!(matches!(&refusal, DecodeError::UnknownFork(fork) if fork.name() == name), "{refusal}");
    assert_eq!(refusal.fault(), Fault::Network);
}

fn scheduled(line: &str) -> Network {
    let toml = MINIMAL_FULU.replace("{ name = \"gloas\", version = \"0x07000001\" },", line);
    assert!(toml.contains(line));
    Network::from_toml(&toml).unwrap()
}

const GLOAS_AT_SLOT_24: &str = "{ name = \"gloas\", version = \"0x07000001\", epoch = 3 },";
const HEZE_AT_SLOT_24: &str = "{ name = \"heze\", version = \"0x08000001\", epoch = 3 },";

#[test]
fn a_label_that_cannot_be_read_is_named() {
    let node = Node::captured("pyspec-ethrex-fulu");
    let json = node.answer("finality_update.json");
    let ssz = node.answer("finality_update.ssz");
    // They are changed, so that they have no form of a known fork.
    let other =
        String::from_utf8(json).unwrap().replace("\"finality_branch\"", "\"finality_twig\"").into_bytes();
    let ssz = ssz[..ssz.len() / 2].to_vec();
    for label in ["heze", "phase0", ""] {
        for (bytes, encoding) in [(&ssz, Encoding::Ssz), (&vec![], Encoding::Ssz), (&other, Encoding::Json)] {
            is_unknown(decode::finality_update(bytes, encoding, Some(label), &node.network), label);
        }
        let relabelled = String::from_utf8(other.clone()).unwrap();
        assert!(relabelled.contains("\"version\": \"fulu\""));
        let relabelled = relabelled.replace("\"version\": \"fulu\"", &format!("\"version\": \"{label}\""));
        is_unknown(
            decode::finality_update(relabelled.as_bytes(), Encoding::Json, None, &node.network),
            label,
        );
    }
}

#[test]
fn a_slot_of_a_fork_that_cannot_be_read_is_named() {
    let node = Node::captured("pyspec-ethrex-fulu");
    let network = scheduled(HEZE_AT_SLOT_24);
    for (file, encoding) in [("finality_update.json", Encoding::Json), ("finality_update.ssz", Encoding::Ssz)]
    {
        is_unknown(decode::finality_update(&node.answer(file), encoding, None, &network), "heze");
    }
}

#[test]
fn an_unknown_digest_is_named_only_if_the_update_cannot_be_read() {
    let node = Node::captured("pyspec-ethrex-fulu");
    let mut list = node.answer("updates_0_8.ssz");
    let genuine = decode::updates(&list, Encoding::Ssz, &node.network).unwrap();
    list[8..12].copy_from_slice(&[1, 2, 3, 4]);
    assert_eq!(decode::updates(&list, Encoding::Ssz, &node.network).unwrap(), genuine);
    list[12] ^= 0xff;
    is_unknown(decode::updates(&list, Encoding::Ssz, &node.network), "0x01020304");
}

#[test]
fn an_update_of_such_a_fork_is_not_held_against_anyone() {
    let forge = Forge::default();
    let update = forge.optimistic(24);
    let behind = Forge { network: scheduled(HEZE_AT_SLOT_24), seed: 1 };
    let mut client = behind.client(8);
    let refusal = client.advance(update, behind.now(24)).unwrap_err();
    assert_eq!(refusal, AdvanceError::UnknownFork(UnknownFork::named("heze")));
    assert_eq!(refusal.fault(), Fault::Network);
    let (checkpoint, bootstrap) = forge.bootstrap(24);
    let refusal =
        LightClient::bootstrap(behind.network.clone(), checkpoint, bootstrap, behind.now(24)).unwrap_err();
    assert_eq!(refusal, BootstrapError::UnknownFork(UnknownFork::named("heze")));
    assert_eq!(refusal.fault(), Fault::Network);
}

/// The time of a fork that is not in the table was set after the release: the committee already signs under its
/// version.
#[test]
fn a_signature_under_an_unknown_version_says_that_saldo_is_behind() {
    let forge = Forge { network: scheduled("{ name = \"heze\", version = \"0x08000001\" },"), seed: 1 };
    let mut client = forge.client(8);
    let mut update = forge.optimistic(20);
    // Slot 23 may be the last before that fork, but the fork is still unknown.
    for slot in [23, 20] {
        update = forge.optimistic(slot);
        forge.sign_under(&mut update, Period::new(0), [8, 0, 0, 1], 32);
        let refusal = client.advance(update.clone(), forge.now(slot)).unwrap_err();
        assert_eq!(refusal, AdvanceError::UnknownFork(UnknownFork::named("heze")));
        assert_eq!(refusal.fault(), Fault::Network);
        assert_eq!(client.signed_head(), None);
    }
    forge.sign_under(&mut update, Period::new(0), [9, 0, 0, 1], 32);
    let refusal = client.advance(update, forge.now(20)).unwrap_err();
    assert_eq!(refusal, AdvanceError::Signature(SignatureError::Mismatch));
}

/// The domain is that of the slot before the signature: the first block of a fork is signed under the old version.
#[test]
fn the_version_changes_one_slot_after_the_fork() {
    let forge = Forge { network: scheduled(GLOAS_AT_SLOT_24), seed: 1 };
    let mut client = forge.client(8);
    let mut update = forge.optimistic(23);
    assert_eq!(update.signature_slot, Slot::new(24));
    forge.sign_under(&mut update, Period::new(0), [6, 0, 0, 1], 32);
    assert!(client.advance(update, forge.now(23)).unwrap().signed);
}

/// Each update of a list has its own label.
#[test]
fn the_label_of_each_update_of_a_list_is_read() {
    let node = Node::captured("pyspec-ethrex-fulu");
    let named =
        |place, bytes: &[u8], encoding| decode::names_unknown_fork_at(place, bytes, encoding, &node.network);
    let known = node.answer("updates_0_8.ssz");
    let mut unknown = known.clone();
    unknown[8..12].copy_from_slice(&[1, 2, 3, 4]);
    let number = decode::updates(&known, Encoding::Ssz, &node.network).unwrap().len();
    let both = [known.clone(), unknown.clone()].concat();
    let places = |bytes: &[u8]| -> Vec<usize> {
        (0..=2 * number).filter(|place| named(*place, bytes, Encoding::Ssz)).collect()
    };
    assert_eq!((places(&known), places(&unknown), places(&both)), (vec![], vec![0], vec![number]));
    assert_eq!(places(&both[..known.len() + 10]), [0; 0]);
    for bytes in [&[][..], &[0xff; 8], &[0xff; 40], &unknown[..11]] {
        assert!(!named(0, bytes, Encoding::Ssz) && !named(0, bytes, Encoding::Json), "{bytes:?}");
    }
    let list = r#"[{"version": "fulu", "data": {}}, {"version": "heze", "data": {}}, {"data": {}}, {"version": 7}, 1]"#;
    let names = [0, 1, 2, 3, 4, 5].map(|place| named(place, list.as_bytes(), Encoding::Json));
    assert_eq!(names, [false, true, false, false, false, false]);
}
