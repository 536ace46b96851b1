//! The slot decides the fork of an object. Servers label objects wrongly, and the objects are genuine all the same.

use saldo_beacon::decode::{self, DecodeError, Encoding, SszError};
use saldo_beacon::unit::{Epoch, Slot};
use saldo_beacon::{Fault, Fork, Network};
use saldo_tests::beacon::Node;
use saldo_tests::scene::{ALICE, BEFORE, Scene};

/// Names of other forks, and names of none.
const OTHERS: [&str; 7] = ["capella", "deneb", "Electra", "gloas", "heze", "", "FULU "];

#[test]
fn by_the_header_of_the_answer() {
    let node = Node::captured("pyspec-ethrex-fulu");
    for (file, encoding) in [("finality_update.json", Encoding::Json), ("finality_update.ssz", Encoding::Ssz)]
    {
        let bytes = node.answer(file);
        let read = |label| decode::finality_update(&bytes, encoding, label, &node.network);
        let genuine = read(Some("fulu")).unwrap();
        assert_eq!(read(None).unwrap(), genuine);
        for label in OTHERS.into_iter().chain(["Fulu", "FULU"]) {
            assert_eq!(read(Some(label)).unwrap(), genuine, "{label}");
        }
    }
}

#[test]
fn by_the_version_in_the_answer() {
    let node = Node::captured("pyspec-ethrex-fulu");
    let genuine = String::from_utf8(node.answer("optimistic_update.json")).unwrap();
    let read =
        |text: &str, label| decode::optimistic_update(text.as_bytes(), Encoding::Json, label, &node.network);
    let expected = read(&genuine, None).unwrap();
    let versions = OTHERS.map(|name| format!("\"version\": \"{name}\""));
    let odd =
        ["\"version\": null", "\"version\": 7", "\"version\": [\"fulu\"]", "\"other\": 1"].map(str::to_owned);
    for version in versions.iter().chain(&odd) {
        let text = genuine.replace("\"version\": \"fulu\"", version);
        assert_ne!(text, genuine);
        for label in [None, Some("fulu"), Some("gloas")] {
            assert_eq!(read(&text, label).unwrap(), expected, "{version}, {label:?}");
        }
    }
}

#[test]
fn by_the_digest_in_a_list() {
    let node = Node::captured("pyspec-ethrex-fulu");
    // The same chain, but with one fork per epoch before Fulu, so that each fork has a digest.
    let mut toml = node.network.to_toml();
    for (fork, epoch) in [(Fork::Deneb, 1), (Fork::Electra, 2), (Fork::Fulu, 3)] {
        let line = format!("name = \"{fork}\"\nversion = \"0x0{}000001\"\nepoch = ", epoch + 3);
        assert!(toml.contains(&line), "{toml}");
        toml = toml.replace(&format!("{line}0"), &format!("{line}{epoch}"));
    }
    let network = Network::from_toml(&toml).unwrap();
    let mut list = node.answer("updates_0_8.ssz");
    let expected = decode::updates(&list, Encoding::Ssz, &node.network).unwrap();
    assert_eq!(network.fork_at(expected[0].attested_slot()), Ok(Fork::Fulu));
    for digest in
        [0, 1, 2, 3].map(|epoch| network.fork_digest(Epoch::new(epoch))).into_iter().chain([[0xee; 4]])
    {
        list[8..12].copy_from_slice(&digest);
        assert_eq!(decode::updates(&list, Encoding::Ssz, &network).unwrap(), expected, "{digest:?}");
    }
    // A digest that is not known explains bytes that cannot be read.
    let length = list.len();
    list[length - 1] ^= 0xff;
    list.truncate(length - 1);
    let frame = u64::try_from(length - 9).unwrap();
    list[..8].copy_from_slice(&frame.to_le_bytes());
    let refusal = decode::updates(&list, Encoding::Ssz, &network).unwrap_err();
    assert!(matches!(refusal, DecodeError::UnknownFork(_)), "{refusal}");
    assert_eq!(refusal.fault(), Fault::Network);
}

/// Deneb and Electra objects have branches of different lengths: each is decoded with its own fork's length.
#[test]
fn the_layout_of_another_fork_does_not_fit() {
    let fulu = Node::captured("pyspec-ethrex-fulu");
    let toml = fulu.network.to_toml();
    let from = toml.find("[[forks]]\nname = \"electra\"").unwrap();
    let until_deneb = Network::from_toml(&toml[..from]).unwrap();
    assert_eq!(until_deneb.fork_at(Slot::new(100)), Ok(Fork::Deneb));
    let json =
        decode::finality_update(&fulu.answer("finality_update.json"), Encoding::Json, None, &until_deneb);
    // The label names a fork that is not in the table, which explains the failure. Without the label, the branch is one too long.
    assert!(matches!(json, Err(DecodeError::UnknownFork(fork)) if fork.name() == "fulu"));
    let text = String::from_utf8(fulu.answer("finality_update.json")).unwrap();
    let bare = text.replace("\"version\": \"fulu\",", "");
    assert_ne!(bare, text);
    let refusal = decode::finality_update(bare.as_bytes(), Encoding::Json, None, &until_deneb).unwrap_err();
    assert!(
        matches!(refusal, DecodeError::Length { field: "finality_branch", got: 7, expected: 6 }),
        "{refusal}"
    );
    let ssz = fulu.answer("finality_update.ssz");
    let refusal = decode::finality_update(&ssz, Encoding::Ssz, None, &until_deneb).unwrap_err();
    assert!(matches!(refusal, DecodeError::Ssz(SszError::Offset { .. })), "{refusal}");
}

/// The fork of the slot is read by the bytes also where the label names the other of two forks around a boundary.
#[test]
fn json_is_read_by_the_lengths_of_its_branches() {
    let node = Node::captured("pyspec-ethrex-fulu");
    let toml = node.network.to_toml();
    // Electra, with its longer branches, begins earlier than the table says.
    let from = toml.find("[[forks]]\nname = \"electra\"").unwrap();
    let later = toml[from..].replace("epoch = 0", "epoch = 1000000");
    assert_ne!(later, toml[from..]);
    let outdated = Network::from_toml(&format!("{}{later}", &toml[..from])).unwrap();
    assert_eq!(outdated.fork_at(Slot::new(100)), Ok(Fork::Deneb));
    for (file, encoding) in [("finality_update.json", Encoding::Json), ("finality_update.ssz", Encoding::Ssz)]
    {
        let bytes = node.answer(file);
        let genuine = decode::finality_update(&bytes, encoding, None, &node.network).unwrap();
        for label in [None, Some("deneb"), Some("electra"), Some("fulu"), Some("heze")] {
            let read = decode::finality_update(&bytes, encoding, label, &outdated).unwrap();
            assert_eq!(read, genuine, "{file} {label:?}");
        }
    }
}

/// Tools write the fields of later forks as zeros. Fields that are not zero are refused.
#[test]
fn zero_fields_of_a_later_fork_are_no_fields() {
    let zero = |bytes: usize| format!("\"0x{}\"", "00".repeat(bytes));
    let node = Node::captured("lodestar151-ejs-capella");
    let genuine = String::from_utf8(node.answer("optimistic_update.json")).unwrap();
    let read = |text: &str| decode::optimistic_update(text.as_bytes(), Encoding::Json, None, &node.network);
    let update = read(&genuine).unwrap();
    let place = "\"transactions_root\"";
    assert!(genuine.contains(place));
    for (fields, is_read) in [
        (r#""blob_gas_used": "0", "excess_blob_gas": "0", "#, true),
        (r#""blob_gas_used": "0", "#, true),
        (r#""excess_blob_gas": "0", "#, true),
        (r#""blob_gas_used": "1", "excess_blob_gas": "0", "#, false),
        (r#""blob_gas_used": "0", "excess_blob_gas": "1", "#, false),
    ] {
        let text = genuine.replace(place, &format!("{fields}{place}"));
        match read(&text) {
            Ok(read) => assert!(is_read && read == update, "{fields}"),
            Err(DecodeError::ExecutionLayout { .. }) => assert!(!is_read, "{fields}"),
            Err(refusal) => panic!("{fields}: {refusal}"),
        }
    }
    let altair = |fields: &str| {
        let root = zero(32);
        format!(
            r#"{{ "attested_header": {{ "beacon": {{ "slot": "1", "proposer_index": "0", "parent_root": {root},
            "state_root": {root}, "body_root": {root} }}{fields} }}, "sync_aggregate": {{ "sync_committee_bits":
            "0x{}", "sync_committee_signature": {} }}, "signature_slot": "2" }}"#,
            "00".repeat(64),
            zero(96)
        )
    };
    let mainnet = Network::mainnet();
    let epochs = mainnet.forks()[0].epoch().unwrap().get();
    let read = |fields: &str| {
        let text = altair(fields).replace("\"slot\": \"1\"", &format!("\"slot\": \"{}\"", epochs * 32 + 1));
        decode::optimistic_update(text.as_bytes(), Encoding::Json, Some("capella"), &mainnet)
    };
    let branch = |root: &str| format!(r#", "execution_branch": [{root}, {root}, {root}, {root}]"#);
    let genuine = read("").unwrap();
    assert_eq!(mainnet.fork_at(genuine.attested_slot()), Ok(Fork::Altair));
    for fields in
        [", \"execution\": null".to_owned(), branch(&zero(32)), ", \"execution_branch\": []".to_owned()]
    {
        assert_eq!(read(&fields).unwrap(), genuine, "{fields}");
    }
    let refusal = read(&branch(&format!("\"0x{}\"", "01".repeat(32)))).unwrap_err();
    assert!(
        matches!(refusal, DecodeError::Length { field: "execution_branch", got: 4, expected: 0 }),
        "{refusal}"
    );
}

/// A source that labels everything wrongly, or nothing, is followed, and leads to a proof on its own.
#[test]
fn a_source_that_mislabels_is_followed() {
    let labels = [Fork::Altair, Fork::Deneb, Fork::Electra, Fork::Gloas].map(saldo_drill::Fault::Relabelled);
    for (seed, fault) in (0..).zip(labels.into_iter().chain([saldo_drill::Fault::WithoutVersion])) {
        for json in [false, true] {
            let scene = Scene::new(seed, 1, 1);
            scene.sources[0].add(fault.clone());
            if json {
                scene.sources[0].add(saldo_drill::Fault::JsonOnly);
            }
            assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE, "{fault:?}");
            // The next period needs a committee update, which comes in a list.
            scene.pass_slots(64);
            assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE, "{fault:?}");
        }
    }
}
