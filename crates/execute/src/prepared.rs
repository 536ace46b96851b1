//! Code that is ready to run.

use std::sync::Arc;

use alloy_primitives::Bytes;
use revm::bytecode::Bytecode;
use saldo_proof::HashedCode;

/// What the virtual machine runs: the code, and the places that it may jump to. The type is private, so beside a code there is only
/// what [`prepare`] made of this code.
struct Prepared(Bytecode);

/// Hashes `code` and finds the places that it may jump to. Else every run of the code would look for them again.
pub fn prepare(code: Bytes) -> HashedCode {
    let bytecode = analyse(code);
    // The bytes that the virtual machine keeps anyway.
    HashedCode::new(bytecode.original_bytes()).with_prepared(Arc::new(Prepared(bytecode)))
}

/// The code as the virtual machine runs it.
pub(crate) fn bytecode(code: &HashedCode) -> Bytecode {
    let prepared = code.prepared::<Prepared>().map(|prepared| prepared.0.clone());
    prepared.unwrap_or_else(|| analyse(code.code().clone()))
}

/// Code that begins as a delegation (EIP-7702) but is none runs as ordinary code, and fails at its first byte.
fn analyse(code: Bytes) -> Bytecode {
    Bytecode::new_raw_checked(code.clone()).unwrap_or_else(|_| Bytecode::new_legacy(code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;
    use revm::bytecode::opcode as op;

    #[test]
    fn the_jumps_of_a_code_are_looked_for_once() {
        let code = prepare(Bytes::from_static(&[op::PUSH1, op::JUMPDEST, op::JUMPDEST]));
        assert_eq!(code.hash(), keccak256([op::PUSH1, op::JUMPDEST, op::JUMPDEST]));
        let (one, other) = (bytecode(&code), bytecode(&code.clone()));
        assert_eq!(one.bytecode_ptr(), other.bytecode_ptr());
        let jumps = one.legacy_jump_table().unwrap();
        assert_eq!([0, 1, 2].map(|place| jumps.is_valid(place)), [false, false, true]);
        // The bytes are kept once.
        assert_eq!(code.code().as_ptr(), one.bytecode_ptr());
        let unprepared = HashedCode::new(code.code().clone());
        assert_ne!(bytecode(&unprepared).bytecode_ptr(), one.bytecode_ptr());
        assert_eq!(bytecode(&unprepared), one);
    }
}
