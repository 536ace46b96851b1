//! Signatures verify exactly as in the official BLS vectors, by either way of adding up the signers' keys.

use std::path::{Path, PathBuf};

use alloy_primitives::B256;
use blst::min_pk::{AggregatePublicKey, PublicKey};
use saldo_beacon::container::{PublicKeyBytes, SignatureBytes, SyncAggregate, SyncCommittee};
use saldo_beacon::signature::{SignatureError, verify};
use serde_json::Value;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.file_name().unwrap() != "manifest.yaml" {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> Value {
    serde_yaml_ng::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn keys(value: &Value) -> Vec<PublicKeyBytes> {
    value.as_array().unwrap().iter().map(|key| key.as_str().unwrap().parse().unwrap()).collect()
}

/// The first `present` members signed.
fn signed(size: usize, present: usize, signature: SignatureBytes) -> SyncAggregate {
    let mut bits = vec![0; size.div_ceil(8)];
    (0..present).for_each(|member| bits[member / 8] |= 1 << (member % 8));
    SyncAggregate { bits, size, signature }
}

/// As many absent members as present ones: the present keys are added up.
fn by_adding(
    keys: &[PublicKeyBytes],
    message: B256,
    signature: SignatureBytes,
) -> Result<(), SignatureError> {
    let committee =
        SyncCommittee { pubkeys: [keys, keys].concat(), aggregate_pubkey: PublicKeyBytes::repeat_byte(0xff) };
    verify(&committee, &signed(2 * keys.len(), keys.len(), signature), message)
}

/// One absent member more than the signers: its key is subtracted from the aggregate.
fn by_subtracting(
    keys: &[PublicKeyBytes],
    message: B256,
    signature: SignatureBytes,
) -> Option<Result<(), SignatureError>> {
    let absent = *keys.first()?;
    let pubkeys = [keys, &[absent]].concat();
    let points: Vec<PublicKey> =
        pubkeys.iter().map(|key| PublicKey::uncompress(key.as_slice())).collect::<Result<_, _>>().ok()?;
    let references: Vec<&PublicKey> = points.iter().collect();
    let sum = AggregatePublicKey::aggregate(&references, false).ok()?.to_public_key();
    let committee = SyncCommittee { pubkeys, aggregate_pubkey: sum.compress().into() };
    Some(verify(&committee, &signed(keys.len() + 1, keys.len(), signature), message))
}

#[test]
fn aggregates_verify_as_in_the_vectors() {
    let Some(root) = saldo_tests::vectors("consensus/bls") else { return };
    let folders =
        ["bls12-381-tests/fast_aggregate_verify", "consensus-specs-general-altair/eth_fast_aggregate_verify"];
    let (mut valid, mut refused, mut subtracted) = (0, 0, 0);
    for path in folders.into_iter().flat_map(|folder| files(&root.join(folder))) {
        let case = read(&path);
        let input = &case["input"];
        let keys = keys(&input["pubkeys"]);
        let message: B256 = input["message"].as_str().unwrap().parse().unwrap();
        let signature: SignatureBytes = input["signature"].as_str().unwrap().parse().unwrap();
        let result = by_adding(&keys, message, signature);
        let name = path.display().to_string();
        let expected = if name.contains("na_pubkeys") {
            // The spec accepts the signature of nobody if it is at infinity; a head that nobody signed is no head.
            Err(SignatureError::NoSigners)
        } else if name.contains("infinity_pubkey") {
            Err(SignatureError::KeyAtInfinity)
        } else if name.contains("tampered") {
            assert!(result.is_err(), "{name}");
            result
        } else if case["output"] == false {
            Err(SignatureError::Mismatch)
        } else {
            Ok(())
        };
        assert_eq!(result, expected, "{name}");
        // The way of subtracting does not look at present keys at all: that each is a validator's own, and so not at
        // infinity, is what the committee root is trusted for.
        if let Some(result) =
            by_subtracting(&keys, message, signature).filter(|_| !name.contains("infinity_pubkey"))
        {
            assert_eq!(result, expected, "{name}");
            subtracted += 1;
        }
        match result {
            Ok(()) => valid += 1,
            Err(_) => refused += 1,
        }
    }
    assert_eq!((valid, refused, subtracted), (6, 18, 18));
}

#[test]
fn signatures_that_are_no_points_are_refused() {
    let Some(root) = saldo_tests::vectors("consensus/bls/bls12-381-tests") else { return };
    let valid = root.join("fast_aggregate_verify/fast_aggregate_verify_valid_3d7576f3c0e3570a.json");
    let keys = keys(&read(&valid)["input"]["pubkeys"]);
    let (mut refused, mut decoded, mut of_other_length) = (0, 0, 0);
    for path in files(&root.join("deserialization_G2")) {
        let case = read(&path);
        let Ok(signature) = case["input"]["signature"].as_str().unwrap().parse::<SignatureBytes>() else {
            assert_eq!(case["output"], false);
            of_other_length += 1;
            continue;
        };
        let name = path.display().to_string();
        let refusal = by_adding(&keys, B256::ZERO, signature).unwrap_err();
        let expected = match case["output"].as_bool().unwrap() {
            true if name.contains("infinity") => SignatureError::SignatureAtInfinity,
            true => SignatureError::Mismatch,
            false if name.contains("not_in_G2") => SignatureError::SignatureOutsideSubgroup,
            false => SignatureError::MalformedSignature,
        };
        assert_eq!(refusal, expected, "{name}");
        if case["output"] == true { decoded += 1 } else { refused += 1 }
    }
    assert_eq!((refused, decoded, of_other_length), (14, 2, 2));
}
