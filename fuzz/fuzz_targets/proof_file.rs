//! Any bytes as a proof file, mostly a genuine one with changes: no panic, bounded work, one encoding for each content, and what
//! verifies is true on the chain.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saldo_fuzz::file::files;
use saldo_fuzz::input::Input;
use saldo_proof_file::{BalanceProof, FalseProof, verify};

fuzz_target!(|input: &[u8]| {
    let _ = FalseProof::verify(input);
    let mut input = Input::new(input);
    let genuine = input.choice(files());
    let bytes = changed(&genuine.bytes, input);
    let network = genuine.trust.network();
    match BalanceProof::decode(&bytes, network) {
        Ok(file) => assert!(file.encode() == bytes, "a second encoding of the same content"),
        Err(_) => assert!(verify(&bytes, &genuine.trust).is_err()),
    }
    let Ok(verified) = verify(&bytes, &genuine.trust) else { return };
    assert!(verified.signers() * 3 >= verified.committee_size() * 2);
    for held in verified.holdings() {
        let owner = held.holding().owner();
        assert!(genuine.is_true(owner, verified.number(), held.amount()), "{held:?}");
    }
});

/// The file with the changes that the input describes. The step 0 takes the rest of the input in place of the rest of the file.
fn changed(genuine: &[u8], mut input: Input<'_>) -> Vec<u8> {
    let mut bytes = genuine.to_vec();
    while !input.is_empty() {
        let (step, at) = (input.byte() % 6, input.index() % (bytes.len() + 1));
        match step {
            0 => {
                bytes.truncate(at);
                bytes.extend_from_slice(input.rest());
                return bytes;
            }
            1 => bytes.truncate(at),
            2 => bytes.insert(at, input.byte()),
            3 if at < bytes.len() => drop(bytes.remove(at)),
            4 if at + 4 <= bytes.len() => bytes[at..at + 4].copy_from_slice(&input.array::<4>()),
            _ if at < bytes.len() => bytes[at] ^= input.byte().max(1),
            _ => {}
        }
    }
    bytes
}
