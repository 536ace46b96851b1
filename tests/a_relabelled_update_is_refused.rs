//! The slot decides the fork of an object. A different label is false, even if the object is genuine.

use saldo_beacon::decode::{self, DecodeError, Encoding, SszError};
use saldo_beacon::unit::{Epoch, Slot};
use saldo_beacon::{Fault, Fork, Network};
use saldo_tests::beacon::Node;

fn is_relabelled<T: core::fmt::Debug>(result: Result<T, DecodeError>, expected: Fork, slot: Slot) {
    let refusal = result.unwrap_err();
    assert_eq!(refusal.fault(), Fault::Source);
    match refusal {
        DecodeError::Relabelled { label, scheduled, slot: at } => {
            assert_eq!((label, scheduled, at), (expected, Fork::Fulu, slot));
        }
        other => panic!("{other}"),
    }
}

const OTHERS: [Fork; 3] = [Fork::Capella, Fork::Deneb, Fork::Electra];

#[test]
fn by_the_header_of_the_answer() {
    let node = Node::captured("pyspec-ethrex-fulu");
    for (file, encoding) in [("finality_update.json", Encoding::Json), ("finality_update.ssz", Encoding::Ssz)]
    {
        let bytes = node.answer(file);
        let read = |label| decode::finality_update(&bytes, encoding, label, &node.network);
        let slot = read(Some("fulu")).unwrap().attested_slot();
        assert!(read(Some("Fulu")).is_ok() && read(None).is_ok());
        for fork in OTHERS {
            is_relabelled(read(Some(fork.name())), fork, slot);
        }
    }
}

#[test]
fn by_the_version_in_the_answer() {
    let node = Node::captured("pyspec-ethrex-fulu");
    let genuine = String::from_utf8(node.answer("optimistic_update.json")).unwrap();
    let read =
        |text: &str, label| decode::optimistic_update(text.as_bytes(), Encoding::Json, label, &node.network);
    let slot = read(&genuine, None).unwrap().attested_slot();
    for fork in OTHERS {
        let text = genuine.replace("\"version\": \"fulu\"", &format!("\"version\": \"{fork}\""));
        assert_ne!(text, genuine);
        for label in [None, Some("fulu")] {
            is_relabelled(read(&text, label), fork, slot);
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
    list[8..12].copy_from_slice(&network.fork_digest(Epoch::new(3)));
    let first =
        decode::updates(&node.answer("updates_0_8.ssz"), Encoding::Ssz, &node.network).unwrap().remove(0);
    let slot = first.attested_slot();
    assert_eq!(network.fork_at(slot), Ok(Fork::Fulu));
    for (fork, epoch) in [(Fork::Capella, 0), (Fork::Deneb, 1), (Fork::Electra, 2)] {
        list[8..12].copy_from_slice(&network.fork_digest(Epoch::new(epoch)));
        is_relabelled(decode::updates(&list, Encoding::Ssz, &network), fork, slot);
    }
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
    // The decoder checks the label first: that fork is not in the table. Without the label, the branch is one too
    // long.
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
