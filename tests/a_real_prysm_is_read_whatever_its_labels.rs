//! The captured answers of a Prysm node at Fulu. It names no fork beside its list of updates. Labels are hints: the answers lead
//! to the same proven heads under right, wrong and missing labels.

use saldo_beacon::decode::{self, Encoding};
use saldo_beacon::unit::Slot;
use saldo_beacon::{Checkpoint, LightClient, Network};

/// What servers are known to send in place of `fulu`.
const LABELS: [Option<&str>; 7] =
    [None, Some("fulu"), Some("Fulu"), Some("electra"), Some("deneb"), Some("heze"), Some("")];

fn answer(file: &str) -> Vec<u8> {
    std::fs::read(saldo_tests::data("captured").join("prysm-fulu-mainnet-preset").join(file)).unwrap()
}

fn text(file: &str) -> String {
    String::from_utf8(answer(file)).unwrap()
}

/// Both encodings of an answer. The JSON has `version` in place of its own.
fn both(name: &str, version: &str) -> [(Vec<u8>, Encoding); 2] {
    let json = text(&format!("{name}.json"));
    let changed = json.replace("\"version\":\"fulu\"", version);
    assert!(json.contains("\"version\":\"fulu\""), "{name}");
    [(changed.into_bytes(), Encoding::Json), (answer(&format!("{name}.ssz")), Encoding::Ssz)]
}

#[test]
fn every_label_leads_to_the_same_proven_heads() {
    let network = Network::from_toml(&text("network.toml")).unwrap();
    let root = "0x95840b6dccba4b17e84ed3e97085e132669765dd648db2fb9ceb6516a99e110b".parse().unwrap();
    let checkpoint = Checkpoint { root, slot: Some(Slot::new(64)) };
    let now = network.slot_start(Slot::new(200));
    let mut proven = Vec::new();
    for version in ["\"version\":\"fulu\"", "\"version\":\"deneb\"", "\"version\":\"heze\"", "\"other\":0"] {
        for label in LABELS {
            for place in 0..2 {
                let (bytes, encoding) = &both("bootstrap", version)[place];
                let bootstrap = decode::bootstrap(bytes, *encoding, label, &network).unwrap();
                let mut client = LightClient::bootstrap(network.clone(), checkpoint, bootstrap, now).unwrap();
                let (bytes, encoding) = &both("updates", version)[place];
                for update in decode::updates(bytes, *encoding, &network).unwrap() {
                    client.advance(update, now).unwrap();
                }
                let (bytes, encoding) = &both("finality_update", version)[place];
                let update = decode::finality_update(bytes, *encoding, label, &network).unwrap();
                client.advance(update, now).unwrap();
                let (bytes, encoding) = &both("optimistic_update", version)[place];
                let update = decode::optimistic_update(bytes, *encoding, label, &network).unwrap();
                assert!(update.attested_slot() >= Slot::new(137));
                proven.push((format!("{:?}", client.finalized_head()), update));
            }
        }
    }
    assert!(proven.windows(2).all(|pair| pair[0] == pair[1]));
}

/// The list in SSZ comes without the header that names a fork.
#[test]
fn the_list_of_updates_has_no_version_header() {
    let names_fork = |file: &str| text(file).to_ascii_lowercase().contains("eth-consensus-version");
    assert!(!names_fork("updates.ssz.headers") && !names_fork("updates.json.headers"));
    assert!(names_fork("bootstrap.ssz.headers") && names_fork("finality_update.json.headers"));
}
