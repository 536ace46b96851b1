//! Signatures verify exactly as in the official BLS vectors, with both ways of adding up the signers' keys.
//!
//! Vectors for operations that a light client never does are not run ([`NOT_APPLICABLE`]).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use alloy_primitives::B256;
use blst::min_pk::{AggregatePublicKey, AggregateSignature, PublicKey, SecretKey};
use saldo_beacon::container::{PublicKeyBytes, SignatureBytes, SyncAggregate, SyncCommittee};
use saldo_beacon::signature::{DST, SignatureError, verify};
use serde_json::Value;

/// Kinds of vectors for operations that a light client never does, and their number.
const NOT_APPLICABLE: [(&str, usize); 3] = [
    // A light client verifies aggregate signatures, and creates none.
    ("bls12-381-tests/aggregate", 6),
    // A sync committee signs one message.
    ("bls12-381-tests/aggregate_verify", 5),
    // This is inside `blst`, and part of every verification.
    ("bls12-381-tests/hash_to_G2", 4),
];

/// The kinds that the tests here run, and their number of vectors.
const ASKED: [(&str, usize); 8] = [
    ("bls12-381-tests/batch_verify", 4),
    ("bls12-381-tests/deserialization_G1", 16),
    ("bls12-381-tests/deserialization_G2", 18),
    ("bls12-381-tests/fast_aggregate_verify", 12),
    ("bls12-381-tests/sign", 10),
    ("bls12-381-tests/verify", 29),
    ("consensus-specs-general-altair/eth_aggregate_pubkeys", 8),
    ("consensus-specs-general-altair/eth_fast_aggregate_verify", 12),
];

#[test]
fn no_kind_of_vector_is_unknown() {
    let Some(root) = saldo_tests::vectors("consensus/bls") else { return };
    let mut found = BTreeMap::new();
    for source in std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()) {
        for kind in std::fs::read_dir(source).unwrap().map(|entry| entry.unwrap().path()) {
            let name = kind.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            found.insert(name, files(&kind).len());
        }
    }
    let known = ASKED.into_iter().chain(NOT_APPLICABLE);
    assert_eq!(found, known.map(|(kind, count)| (kind.to_owned(), count)).collect());
}

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

/// With as many absent members as present ones, the present keys are added up.
fn by_adding(
    keys: &[PublicKeyBytes],
    message: B256,
    signature: SignatureBytes,
) -> Result<(), SignatureError> {
    let committee =
        SyncCommittee { pubkeys: [keys, keys].concat(), aggregate_pubkey: PublicKeyBytes::repeat_byte(0xff) };
    verify(&committee, &signed(2 * keys.len(), keys.len(), signature), message)
}

/// With one absent member more than signers, its key is subtracted from the aggregate.
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
            // The spec accepts an infinite signature without signers, but a head without signers is no head.
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
        // Subtraction does not read the present keys. That each is a validator's key, and so not at infinity, is
        // guaranteed by the committee root.
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

fn parse<T: std::str::FromStr>(value: &Value) -> Option<T> {
    value.as_str().unwrap().parse().ok()
}

/// One signer of one message, and one absent member.
fn by_one(key: PublicKeyBytes, message: &Value, signature: &Value) -> Result<(), SignatureError> {
    by_adding(&[key], parse(message).unwrap(), parse(signature).unwrap())
}

#[test]
fn single_signatures_verify_as_in_the_vectors() {
    let Some(root) = saldo_tests::vectors("consensus/bls/bls12-381-tests") else { return };
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for path in files(&root.join("verify")) {
        let case = read(&path);
        let input = &case["input"];
        let outcome = by_one(parse(&input["pubkey"]).unwrap(), &input["message"], &input["signature"]);
        assert_eq!(outcome.is_ok(), case["output"].as_bool().unwrap(), "{}", path.display());
        *outcomes.entry(format!("{outcome:?}")).or_default() += 1;
    }
    let expected = [
        ("Err(KeyAtInfinity)", 1),
        ("Err(MalformedSignature)", 4),
        ("Err(Mismatch)", 9),
        ("Err(SignatureOutsideSubgroup)", 5),
        ("Ok(())", 10),
    ];
    assert_eq!(outcomes, expected.map(|(outcome, count)| (outcome.to_owned(), count)).into());

    // A batch is valid if each signature in it is valid.
    let (mut whole, mut broken) = (0, 0);
    for path in files(&root.join("batch_verify")) {
        let case = read(&path);
        let list = |name: &str| case["input"][name].as_array().unwrap().clone();
        let (keys, messages, signatures) = (list("pubkeys"), list("messages"), list("signatures"));
        assert!(keys.len() == messages.len() && keys.len() == signatures.len() && !keys.is_empty());
        let holds = keys
            .iter()
            .zip(messages.iter().zip(&signatures))
            .all(|(key, (message, signature))| by_one(parse(key).unwrap(), message, signature).is_ok());
        assert_eq!(holds, case["output"].as_bool().unwrap(), "{}", path.display());
        if holds { whole += 1 } else { broken += 1 }
    }
    assert_eq!((whole, broken), (2, 2));
}

fn secret(value: &Value) -> Option<SecretKey> {
    SecretKey::from_bytes(parse::<B256>(value).unwrap().as_slice()).ok()
}

#[test]
fn signatures_of_the_vectors_verify() {
    let Some(root) = saldo_tests::vectors("consensus/bls/bls12-381-tests") else { return };
    let mut verified = 0;
    for path in files(&root.join("sign")) {
        let case = read(&path);
        let input = &case["input"];
        let Some(secret) = secret(&input["privkey"]) else {
            assert!(path.ends_with("sign_case_zero_privkey.json") && case["output"].is_null());
            continue;
        };
        let key = secret.sk_to_pk().compress().into();
        assert_eq!(by_one(key, &input["message"], &case["output"]), Ok(()), "{}", path.display());
        verified += 1;
    }
    assert_eq!(verified, 9);
}

#[test]
fn keys_that_are_no_points_are_refused() {
    let Some(root) = saldo_tests::vectors("consensus/bls/bls12-381-tests") else { return };
    let valid = read(&root.join("fast_aggregate_verify/fast_aggregate_verify_valid_3d7576f3c0e3570a.json"));
    let (message, signature) = (&valid["input"]["message"], &valid["input"]["signature"]);
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for path in files(&root.join("deserialization_G1")) {
        let case = read(&path);
        let name = path.file_stem().unwrap().to_str().unwrap();
        let Some(key) = parse::<PublicKeyBytes>(&case["input"]["pubkey"]) else {
            assert_eq!(case["output"], false);
            *outcomes.entry("another length".into()).or_default() += 1;
            continue;
        };
        let outcome = by_one(key, message, signature).unwrap_err();
        match outcome {
            SignatureError::MalformedKey => assert_eq!(case["output"], false, "{name}"),
            // The key is flagged as infinite, whether the flag is right or not.
            SignatureError::KeyAtInfinity => assert_eq!(key[0] & 0x40, 0x40, "{name}"),
            // Another signer's key, or a key outside the subgroup. The subgroup is not checked here: the chain
            // checked the committee's keys when their validators joined.
            SignatureError::Mismatch => {
                assert!(name.contains("correct_point") || name.contains("not_in_G1"), "{name}");
            }
            other => panic!("{name}: {other}"),
        }
        *outcomes.entry(format!("{outcome:?}")).or_default() += 1;
    }
    let expected = [("another length", 2), ("KeyAtInfinity", 6), ("MalformedKey", 6), ("Mismatch", 2)];
    assert_eq!(outcomes, expected.map(|(outcome, count)| (outcome.to_owned(), count)).into());
}

/// The sum of keys is the key under which their aggregate signature verifies, whether the sum is given or computed.
#[test]
fn sums_of_keys_are_those_of_the_vectors() {
    let Some(root) = saldo_tests::vectors("consensus/bls") else { return };
    let message = B256::repeat_byte(0x56);
    let signers: BTreeMap<PublicKeyBytes, SecretKey> = files(&root.join("bls12-381-tests/sign"))
        .iter()
        .filter_map(|path| secret(&read(path)["input"]["privkey"]))
        .map(|secret| (secret.sk_to_pk().compress().into(), secret))
        .collect();
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for path in files(&root.join("consensus-specs-general-altair/eth_aggregate_pubkeys")) {
        let case = read(&path);
        let name = path.display();
        let keys = keys(&case["input"]);
        if case["output"].is_null() {
            let refusal = by_adding(&keys, message, SignatureBytes::ZERO).unwrap_err();
            *outcomes.entry(format!("{refusal:?}")).or_default() += 1;
            continue;
        }
        let signatures: Vec<_> =
            keys.iter().map(|key| signers[key].sign(message.as_slice(), DST, &[])).collect();
        let references: Vec<_> = signatures.iter().collect();
        let signature =
            AggregateSignature::aggregate(&references, false).unwrap().to_signature().compress().into();
        let size = keys.len();
        assert_eq!(by_adding(&keys, message, signature), Ok(()), "{name}");
        // No member is absent: only the aggregate key is used.
        let mut committee =
            SyncCommittee { pubkeys: keys, aggregate_pubkey: parse(&case["output"]).unwrap() };
        assert_eq!(verify(&committee, &signed(size, size, signature), message), Ok(()), "{name}");
        committee.aggregate_pubkey =
            *signers.keys().find(|key| !committee.pubkeys.contains(key)).unwrap_or(&committee.pubkeys[0]);
        assert_eq!(
            verify(&committee, &signed(size, size, signature), message),
            Err(SignatureError::Mismatch),
            "{name}"
        );
        *outcomes.entry("a sum".into()).or_default() += 1;
    }
    let expected = [("a sum", 4), ("KeyAtInfinity", 2), ("MalformedKey", 1), ("NoSigners", 1)];
    assert_eq!(outcomes, expected.map(|(outcome, count)| (outcome.to_owned(), count)).into());
}
