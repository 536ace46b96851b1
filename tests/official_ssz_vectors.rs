//! The `ssz_generic` vectors of types that light clients use: bit vectors, as participation bits; `uint64` and
//! `uint256`, as slot and base fee.
//!
//! The other vectors are of types that no light-client object contains, so saldo's decoder does not have them
//! ([`NOT_APPLICABLE`]).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use alloy_primitives::{B256, U256};
use saldo_beacon::Network;
use saldo_beacon::container::{BeaconBlockHeader, SignatureBytes, SyncAggregate};
use saldo_beacon::decode::{self, DecodeError, Encoding, SszError};
use saldo_beacon::merkle::{hash_pair, merkleize};
use saldo_beacon::unit::Slot;
use saldo_tests::{beacon, consensus};
use serde_json::Value;

/// Vectors of types that saldo does not decode: the beginning of their path, and their number.
const NOT_APPLICABLE: [(&str, usize); 12] = [
    ("basic_vector/", 120),
    ("bitlist/", 104),
    ("boolean/", 6),
    ("containers/", 223),
    ("uints/invalid/uint_128", 3),
    ("uints/invalid/uint_16", 3),
    ("uints/invalid/uint_32", 3),
    ("uints/invalid/uint_8", 3),
    ("uints/valid/uint_128", 8),
    ("uints/valid/uint_16", 8),
    ("uints/valid/uint_32", 8),
    ("uints/valid/uint_8", 8),
];

fn below(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The root of a valid case.
fn root(case: &Path) -> B256 {
    let text = std::fs::read_to_string(case.join("meta.yaml")).unwrap();
    let value: Value = serde_yaml_ng::from_str(&text).unwrap();
    value["root"].as_str().unwrap().parse().unwrap()
}

/// A network on Altair with a committee of `size` members.
fn altair(size: usize) -> Network {
    let later =
        |line: &&str| !line.contains("name = ") || line.contains("altair") || line.contains("minimal");
    let lines: Vec<&str> = beacon::MINIMAL_FULU.lines().filter(later).collect();
    let size = format!("sync_committee_size = {size}");
    Network::from_toml(&lines.join("\n").replace("sync_committee_size = 32", &size)).unwrap()
}

/// An optimistic update of Altair: a header that is zero except for the slot, the participation bits, a signature, a
/// slot.
fn optimistic_update(slot: &[u8], bits: &[u8]) -> Vec<u8> {
    [slot, &[0; 104], bits, &[0; 96], &[0; 8]].concat()
}

fn bits_at(size: usize, bits: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let bytes = optimistic_update(&[0; 8], bits);
    let update = decode::optimistic_update(&bytes, Encoding::Ssz, Some("altair"), &altair(size))?;
    Ok(update.sync_aggregate.bits)
}

/// Checks a bit vector as a committee's participation bits, and inside an object if a committee of that size is
/// possible. Returns whether it is possible.
fn bit_vector(case: &Path, name: &str, is_valid: bool) -> bool {
    let size: usize = name.split('_').nth(1).unwrap().parse().unwrap();
    let bits = consensus::ssz(case, "serialized");
    let aggregate = SyncAggregate { bits: bits.clone(), size, signature: SignatureBytes::ZERO };
    assert_eq!(aggregate.is_well_formed(), is_valid, "{name}");
    if is_valid {
        assert_eq!(aggregate.hash_tree_root(), hash_pair(root(case), merkleize(&[], 2)), "{name}");
    }
    if !size.is_power_of_two() || size > 512 {
        return false;
    }
    match bits_at(size, &bits) {
        Ok(read) => assert!(is_valid && read == bits, "{name}"),
        Err(DecodeError::ParticipationBits { size: of }) => assert!(!is_valid && of == size, "{name}"),
        // The bits have another length, which no object with this committee has.
        Err(DecodeError::Ssz(SszError::Offset { .. })) => {
            assert!(!is_valid && bits.len() != size.div_ceil(8), "{name}");
        }
        Err(other) => panic!("{name}: {other}"),
    }
    true
}

fn slot(bytes: &[u8]) -> Result<Slot, DecodeError> {
    let update = optimistic_update(bytes, &[0; 4]);
    decode::optimistic_update(&update, Encoding::Ssz, Some("altair"), &altair(32))
        .map(|update| update.attested_slot())
}

/// Decodes a Capella optimistic update whose base fee is `bytes`.
fn base_fee(zero: &[u8], bytes: &[u8; 32]) -> (U256, B256) {
    let offset =
        |at: usize| usize::try_from(u32::from_le_bytes(zero[at..at + 4].try_into().unwrap())).unwrap();
    let header = offset(0);
    let payload = header + offset(header + 112);
    let at = payload + 3 * 32 + 20 + 256 + 32 + 4 * 8 + 4;
    let mut update = zero.to_vec();
    update[at..at + 32].copy_from_slice(bytes);
    let network = consensus::network_on("capella", "minimal");
    let read = decode::optimistic_update(&update, Encoding::Ssz, Some("capella"), &network).unwrap();
    let payload = read.attested_header.execution.header().unwrap().clone();
    let oracle =
        saldo_tests::beacon_opinion::from_ssz("LightClientOptimisticUpdate", "capella", 32, &update).unwrap();
    let saldo_tests::beacon_opinion::Execution::Payload { root, .. } = oracle.headers[0].execution else {
        panic!("a payload header");
    };
    assert_eq!(payload.hash_tree_root(), root);
    (payload.base_fee_per_gas, payload.hash_tree_root())
}

#[test]
fn of_the_types_that_light_clients_have() {
    let Some(root_folder) =
        saldo_tests::vectors("consensus/ssz_generic-v1.7.0-alpha.13/tests/general/phase0/ssz_generic")
    else {
        return;
    };
    let zero = saldo_tests::vectors("consensus/spec-tests-generated-v1.7.0-beta.4/tests").unwrap();
    let zero = consensus::ssz(
        &zero.join("minimal/capella/ssz_static/LightClientOptimisticUpdate/ssz_zero/case_0"),
        "serialized",
    );
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut others: BTreeMap<&str, usize> = BTreeMap::new();
    let cases = below(&root_folder).into_iter().flat_map(|kind| below(&kind)).flat_map(|suite| below(&suite));
    for case in cases {
        let path = case.strip_prefix(&root_folder).unwrap().to_str().unwrap().to_owned();
        let (rest, name) = path.rsplit_once('/').unwrap();
        let what = match rest {
            // There is no bit vector without bits, and no committee without members.
            "bitvector/invalid" if name == "bitvec_0" => {
                let none = beacon::MINIMAL_FULU.replace("committee_size = 32", "committee_size = 0");
                assert!(Network::from_toml(&none).is_err());
                "bit vectors without bits"
            }
            "bitvector/valid" if bit_vector(&case, name, true) => "bit vectors, and read",
            "bitvector/valid" => "bit vectors",
            "bitvector/invalid" if bit_vector(&case, name, false) => "bit vectors refused, and when read",
            "bitvector/invalid" => "bit vectors refused",
            "uints/valid" if name.starts_with("uint_64_") => {
                let bytes = consensus::ssz(&case, "serialized");
                let read = slot(&bytes).unwrap();
                assert_eq!(read.get(), u64::from_le_bytes(bytes.try_into().unwrap()), "{name}");
                let (zero, leaf) = (B256::ZERO, root(&case));
                let header = BeaconBlockHeader {
                    slot: read,
                    proposer_index: 0,
                    parent_root: zero,
                    state_root: zero,
                    body_root: zero,
                };
                assert_eq!(header.hash_tree_root(), merkleize(&[leaf, zero, zero, zero, zero], 3), "{name}");
                "uint64"
            }
            "uints/invalid" if name.starts_with("uint_64_") => {
                let refusal = slot(&consensus::ssz(&case, "serialized")).unwrap_err();
                assert!(matches!(refusal, DecodeError::Ssz(SszError::Offset { .. })), "{name}: {refusal}");
                "uint64 refused"
            }
            "uints/valid" if name.starts_with("uint_256_") => {
                let bytes: [u8; 32] = consensus::ssz(&case, "serialized").try_into().unwrap();
                assert_eq!(base_fee(&zero, &bytes).0, U256::from_le_bytes(bytes), "{name}");
                assert_eq!(B256::from(bytes), root(&case), "{name}");
                "uint256"
            }
            // A base fee has a fixed length: one byte more or less belongs to another field.
            "uints/invalid" if name.starts_with("uint_256_") => "uint256 of another length",
            _ => {
                let (kind, _) = NOT_APPLICABLE
                    .iter()
                    .find(|(kind, _)| path.starts_with(kind))
                    .unwrap_or_else(|| panic!("no such kind of case: {path}"));
                *others.entry(kind).or_default() += 1;
                continue;
            }
        };
        *counts.entry(what).or_default() += 1;
    }
    assert_eq!(others, BTreeMap::from(NOT_APPLICABLE));
    let expected = [
        ("bit vectors", 33),
        ("bit vectors refused", 9),
        ("bit vectors refused, and when read", 21),
        ("bit vectors without bits", 1),
        ("bit vectors, and read", 21),
        ("uint256", 8),
        ("uint256 of another length", 3),
        ("uint64", 8),
        ("uint64 refused", 3),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
}
