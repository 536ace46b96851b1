//! Any bytes as a super root, with their own hash as the claim: no panic. Each rollup's root is that of a plain second reading.
#![no_main]

use alloy_primitives::{B256, U256, keccak256};
use libfuzzer_sys::fuzz_target;
use saldo_chain::rollup::{SuperRoot, SuperRootError};

fuzz_target!(|bytes: &[u8]| {
    let claim = keccak256(bytes);
    let root = match SuperRoot::read(bytes, claim) {
        Ok(root) => root,
        Err(error) => {
            assert!(!matches!(error, SuperRootError::OtherClaim { .. }), "it is its own hash");
            return;
        }
    };
    assert!(matches!(SuperRoot::read(bytes, !claim), Err(SuperRootError::OtherClaim { .. })));
    assert_eq!(bytes[0], 1);
    assert_eq!(
        root.time(),
        saldo_beacon::unit::UnixTime::from_secs(u64::from_be_bytes(bytes[1..9].try_into().unwrap()))
    );
    let entries: Vec<(U256, B256)> = bytes[9..]
        .chunks(64)
        .map(|entry| (U256::from_be_slice(&entry[..32]), B256::from_slice(&entry[32..])))
        .collect();
    for chain_id in entries.iter().filter_map(|(id, _)| u64::try_from(*id).ok()).chain([0, 1]) {
        let own: Vec<B256> =
            entries.iter().filter(|(id, _)| *id == U256::from(chain_id)).map(|(_, root)| *root).collect();
        let expected = match own[..] {
            [root] => Ok(root),
            [] => Err(SuperRootError::NoEntry { chain_id }),
            _ => Err(SuperRootError::TwoEntries { chain_id }),
        };
        assert_eq!(root.output_root(chain_id), expected);
    }
});
