//! Any bytes as the extra data of a game, and any intervals: no panic. What is read is written back to the same bytes.
#![no_main]

use alloy_primitives::{B256, U256};
use libfuzzer_sys::fuzz_target;
use saldo_chain::rollup::{ExtraDataError, block_number, intermediate_roots};
use saldo_fuzz::input::Input;

fuzz_target!(|input: &[u8]| {
    let mut input = Input::new(input);
    let (interval, step) = (input.number() % 100_000, input.number() % 1_000);
    let bytes = input.rest();
    match block_number(bytes) {
        Ok(number) => assert_eq!(U256::from(number).to_be_bytes::<32>(), bytes),
        Err(error) => assert!(bytes.len() != 32 || error == ExtraDataError::BlockNumber),
    }
    let claim = bytes.last_chunk::<32>().map_or(B256::ZERO, |last| B256::new(*last));
    let Ok(roots) = intermediate_roots(bytes, claim, interval, step) else { return };
    let (last, claimed) = roots[roots.len() - 1];
    assert_eq!((claimed, u64::try_from(roots.len()).unwrap() * step), (claim, interval));
    let written: Vec<[u8; 32]> = roots.iter().map(|(_, root)| root.0).collect();
    let number = U256::from(last).to_be_bytes::<32>();
    assert_eq!([&number[..], &bytes[32..52], &written.concat()].concat(), bytes);
    assert!(roots.windows(2).all(|pair| pair[0].0 + step == pair[1].0));
    // Another claim is refused.
    let other = intermediate_roots(bytes, !claim, interval, step);
    assert_eq!(other, Err(ExtraDataError::LastRoot { got: claim, expected: !claim }));
});
