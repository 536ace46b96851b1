//! Where a layout says that a balance is, the compiler of the code put it, and an independent virtual machine found it there.

use alloy_primitives::keccak256;
use saldo_tests::compiled::all_compiled;

#[test]
fn each_code_has_the_hash_that_stands_beside_it() {
    let all = all_compiled();
    assert!(all.len() > 50, "{}", all.len());
    for contract in all {
        assert_eq!(keccak256(&contract.deployed_code), contract.deployed_code_hash, "{}", contract.name);
        for immutable in &contract.immutables {
            let zeroes = &contract.deployed_code[immutable.start..immutable.start + immutable.length];
            assert!(zeroes.iter().all(|byte| *byte == 0), "{}", contract.name);
        }
    }
}
