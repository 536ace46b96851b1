//! Objects of beacon nodes are decoded and hashed as `ethereum_ssz`, `ssz_types` and `tree_hash` do it: for every
//! fork, both committee sizes and both encodings. Of changed bytes we refuse everything that they refuse, and more
//! only as `WeAreStricter` lists.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::sample::Index;
use saldo_beacon::decode::Encoding;
use saldo_beacon::{Fork, Network};
use saldo_tests::beacon_opinion::agreement::{WeAreStricter, both, from_json_too};
use saldo_tests::{beacon, beacon_opinion, consensus, scenario, vectors};
use serde_json::{Value, json};

/// An object from the specification's vectors.
#[derive(Clone, Debug)]
struct Genuine {
    object: String,
    fork: String,
    preset: String,
    bytes: Vec<u8>,
}

const OBJECTS: [&str; 4] =
    ["LightClientBootstrap", "LightClientUpdate", "LightClientFinalityUpdate", "LightClientOptimisticUpdate"];

fn below(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// All objects in the generated vectors that servers send.
fn genuine() -> Option<&'static [Genuine]> {
    static GENUINE: OnceLock<Option<Vec<Genuine>>> = OnceLock::new();
    let read = || {
        let tests = vectors("consensus/spec-tests-generated-v1.7.0-beta.4/tests")?;
        let mut found = Vec::new();
        for preset in ["minimal", "mainnet"] {
            for fork in Fork::ALL {
                for object in OBJECTS {
                    let folder = tests.join(preset).join(fork.name()).join("ssz_static").join(object);
                    for case in below(&folder).iter().flat_map(|suite| below(suite)) {
                        let bytes = consensus::ssz(&case, "serialized");
                        let (object, preset) = (object.to_owned(), preset.to_owned());
                        found.push(Genuine { object, fork: fork.name().to_owned(), preset, bytes });
                    }
                }
            }
        }
        Some(found)
    };
    GENUINE.get_or_init(read).as_deref()
}

#[test]
fn of_the_specifications_vectors() {
    let Some(objects) = genuine() else { return };
    let (mut read, mut unproven) = (0, 0);
    for Genuine { object, fork, preset, bytes } in objects {
        match both(object, fork, bytes, &consensus::network_on(fork, preset)) {
            Ok(true) => read += 1,
            Err(WeAreStricter::Unproven("finalized_header")) => unproven += 1,
            other => panic!("{object} of {fork}: {other:?}"),
        }
    }
    assert_eq!((read, unproven), (328, 8));
}

/// Objects of real chains, from files as servers sent them.
#[test]
fn of_real_chains() {
    let Some(root) = vectors("e2e") else { return };
    let (mut from_ssz, mut from_json, mut bare) = (0, 0, 0);
    for folder in scenario::folders(&root) {
        let (network, objects) = scenario::objects(&folder);
        let size = network.sync_committee_size();
        for scenario::ObjectFile { path, object, fork } in objects {
            let bytes = std::fs::read(&path).unwrap();
            let name = path.display();
            if beacon::encoding(&path) == Encoding::Ssz {
                assert_eq!(both(&object, &fork, &bytes, &network), Ok(true), "{name}");
                from_ssz += 1;
                continue;
            }
            let mut value: Value = serde_json::from_slice(&bytes).unwrap();
            if let Value::Array(list) = &mut value {
                assert_eq!(list.len(), 1, "{name}");
                value = list.remove(0);
            }
            let mut value = value.get("data").cloned().unwrap_or(value);
            let sent = serde_json::to_vec(&value).unwrap();
            bare += usize::from(wrap_bare_headers(&mut value));
            let opinion = beacon_opinion::from_json(&object, &fork, size, &value)
                .unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
            from_json_too(&object, &fork, &sent, &opinion, &network);
            // The same object in the oracle's encoding.
            assert_eq!(both(&object, &fork, &opinion.ssz, &network), Ok(true), "{name}");
            from_json += 1;
        }
    }
    assert_eq!((from_ssz, from_json, bare), (107, 55, 24));
}

/// Wraps headers from before Capella in `beacon`, as the specification has them: the beacon API sent them bare.
fn wrap_bare_headers(object: &mut Value) -> bool {
    let mut wrapped = false;
    for name in ["header", "attested_header", "finalized_header"] {
        if let Some(header) = object.get_mut(name).filter(|header| header.get("beacon").is_none()) {
            *header = json!({ "beacon": header.take() });
            wrapped = true;
        }
    }
    wrapped
}

/// The positions in an object's fixed part.
struct Places {
    offsets: Vec<usize>,
    branches: Vec<std::ops::Range<usize>>,
}

fn places(object: &str, fork: &str, size: usize) -> Places {
    let header = match fork {
        "altair" | "bellatrix" => 112,
        "gloas" => 112 + 32 + 11 * 32,
        _ => 4,
    };
    let committee = (size + 1) * 48;
    let (to_committee, to_finalized) = match fork {
        "gloas" => (11 * 32, 9 * 32),
        "electra" | "fulu" => (6 * 32, 7 * 32),
        _ => (5 * 32, 6 * 32),
    };
    let from = |start: usize, length: usize| start..start + length;
    let (headers, branches) = match object {
        "LightClientBootstrap" => (vec![0], vec![from(header + committee, to_committee)]),
        "LightClientUpdate" => {
            let second = header + committee + to_committee;
            (
                vec![0, second],
                vec![from(header + committee, to_committee), from(second + header, to_finalized)],
            )
        }
        "LightClientFinalityUpdate" => (vec![0, header], vec![from(2 * header, to_finalized)]),
        _ => (vec![0], vec![]),
    };
    Places { offsets: if header == 4 { headers } else { vec![] }, branches }
}

fn read_offset(bytes: &[u8], at: usize) -> usize {
    usize::try_from(u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())).unwrap()
}

/// All offsets of an object: of its headers, of their payload headers, and of the extra data in those.
fn all_offsets(genuine: &Genuine, size: usize) -> Vec<usize> {
    let mut offsets = places(&genuine.object, &genuine.fork, size).offsets;
    for header in offsets.clone() {
        let of_payload = read_offset(&genuine.bytes, header) + 112;
        let payload = read_offset(&genuine.bytes, header) + read_offset(&genuine.bytes, of_payload);
        let of_extra_data = payload + 3 * 32 + 20 + 256 + 32 + 4 * 8;
        assert!([536 + 32, 536 + 48].contains(&read_offset(&genuine.bytes, of_extra_data)));
        offsets.extend([of_payload, of_extra_data]);
    }
    offsets
}

/// A change to an object's bytes.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Cut(Index),
    Append(Vec<u8>),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    /// Moves an offset.
    Move(Index, i32),
    /// Sets an offset.
    Point(Index, u32),
    /// Removes the proof of a part.
    Unprove(Index),
    /// Sets the slot of the first or second header to zero, which means "no header".
    Zero(Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let bytes = || prop::collection::vec(any::<u8>(), 1..40);
    prop_oneof![
        3 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        1 => any::<Index>().prop_map(Change::Cut),
        2 => bytes().prop_map(Change::Append),
        1 => (any::<Index>(), bytes()).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => (any::<Index>(), 1..40_usize).prop_map(|(at, count)| Change::Remove(at, count)),
        3 => (any::<Index>(), -40..40_i32).prop_map(|(at, by)| Change::Move(at, by)),
        1 => (any::<Index>(), any::<u32>()).prop_map(|(at, to)| Change::Point(at, to)),
        2 => any::<Index>().prop_map(Change::Unprove),
        1 => (any::<Index>(), 1..400_usize).prop_map(|(at, count)| Change::Zero(at, count)),
    ]
}

fn apply(change: &Change, genuine: &Genuine, bytes: &mut Vec<u8>, size: usize) {
    let length = genuine.bytes.len();
    let offset_at = |index: &Index| {
        let offsets = all_offsets(genuine, size);
        (!offsets.is_empty()).then(|| offsets[index.index(offsets.len())])
    };
    match change {
        Change::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
        Change::Cut(at) => bytes.truncate(at.index(length)),
        Change::Append(more) => bytes.extend(more),
        Change::Insert(at, more) => drop(bytes.splice(at.index(length)..at.index(length), more.clone())),
        Change::Remove(at, count) => {
            let at = at.index(length);
            drop(bytes.drain(at..(at + count).min(length)));
        }
        Change::Move(index, by) => {
            let Some(at) = offset_at(index) else { return };
            let moved = u32::try_from(read_offset(bytes, at)).unwrap().wrapping_add_signed(*by);
            bytes[at..at + 4].copy_from_slice(&moved.to_le_bytes());
        }
        Change::Point(index, to) => {
            let Some(at) = offset_at(index) else { return };
            bytes[at..at + 4].copy_from_slice(&to.to_le_bytes());
        }
        Change::Unprove(index) => {
            let branches = places(&genuine.object, &genuine.fork, size).branches;
            if !branches.is_empty() {
                bytes[branches[index.index(branches.len())].clone()].fill(0);
            }
        }
        Change::Zero(at, count) => {
            let at = at.index(length);
            bytes[at..(at + count).min(length)].fill(0);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_changed_bytes(object in any::<Index>(), change in change()) {
        let Some(objects) = genuine() else { return Ok(()) };
        let genuine = &objects[object.index(objects.len())];
        let network = consensus::network_on(&genuine.fork, &genuine.preset);
        let mut bytes = genuine.bytes.clone();
        apply(&change, genuine, &mut bytes, network.sync_committee_size());
        match both(&genuine.object, &genuine.fork, &bytes, &network) {
            Ok(_) | Err(WeAreStricter::Unproven(_)) => {}
            Err(stricter) => panic!("{stricter:?} where there is one fork only"),
        }
    }
}

/// Every offset of every object, moved a little: both refuse it.
#[test]
fn of_every_offset_moved() {
    let Some(objects) = genuine() else { return };
    let mut refused = 0;
    for genuine in objects {
        let network = consensus::network_on(&genuine.fork, &genuine.preset);
        for at in all_offsets(genuine, network.sync_committee_size()) {
            for by in [-4, -1, 1, 4] {
                let mut bytes = genuine.bytes.clone();
                let moved = u32::try_from(read_offset(&bytes, at)).unwrap().wrapping_add_signed(by);
                bytes[at..at + 4].copy_from_slice(&moved.to_le_bytes());
                assert_eq!(both(&genuine.object, &genuine.fork, &bytes, &network), Ok(false));
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 4 * 864);
}

/// Removes each part's proof, and gives each header fields that its fork does not have.
#[test]
fn we_are_stricter_in_two_ways() {
    let Some(objects) = genuine() else { return };
    let (mut unproven, mut still_read, mut older) = ([0, 0], 0, 0);
    for genuine in objects {
        let network = consensus::network_on(&genuine.fork, &genuine.preset);
        for branch in places(&genuine.object, &genuine.fork, network.sync_committee_size()).branches {
            let mut bytes = genuine.bytes.clone();
            bytes[branch].fill(0);
            match both(&genuine.object, &genuine.fork, &bytes, &network) {
                Err(WeAreStricter::Unproven("next_sync_committee")) => unproven[0] += 1,
                Err(WeAreStricter::Unproven("finalized_header")) => unproven[1] += 1,
                // The light client refuses a bootstrap without proof, not the decoder; and a zero value needs no
                // proof.
                Ok(true) => still_read += 1,
                other => panic!("{other:?}"),
            }
        }
        // The same bytes on a network where Deneb comes later: an object labelled Deneb with a Capella header.
        if genuine.fork == "deneb"
            && genuine.preset == "minimal"
            && genuine.object == "LightClientFinalityUpdate"
        {
            older += usize::from(is_refused_as_older(genuine));
        }
    }
    assert_eq!((unproven, still_read, older), ([77, 166], 93, 8));
}

/// A finality update whose finalized header is of Capella's time and has blob gas.
fn is_refused_as_older(genuine: &Genuine) -> bool {
    let later = |text: String, fork: &str, epoch: &str| {
        let line = text.lines().find(|line| line.contains(fork)).unwrap().to_owned();
        text.replace(&line, &line.replace(", epoch = 0", epoch))
    };
    let network = later(beacon::MINIMAL_FULU.into(), "deneb", ", epoch = 9");
    let network = ["electra", "fulu"].iter().fold(network, |network, fork| later(network, fork, ""));
    let network = Network::from_toml(&network).unwrap();
    let mut bytes = genuine.bytes.clone();
    let (attested, finalized) = (read_offset(&bytes, 0), read_offset(&bytes, 4));
    bytes[attested..attested + 8].copy_from_slice(&(9 * 8_u64).to_le_bytes());
    bytes[finalized..finalized + 8].copy_from_slice(&(9 * 8 - 1_u64).to_le_bytes());
    both(&genuine.object, &genuine.fork, &bytes, &network) == Err(WeAreStricter::OlderHeader)
}
