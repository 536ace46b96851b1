//! The call that asks a token for a balance, and what it returned.

use alloy_primitives::{Address, Bytes, KECCAK256_EMPTY, U256};
use saldo_execute::{Call, Executed, Output};

use crate::route::{NotAToken, Obstacle};

/// The first four bytes of the hash of `balanceOf(address)`.
const BALANCE_OF: [u8; 4] = [0x70, 0xa0, 0x82, 0x31];

/// Returns the call that asks `token` for the balance of `owner` ([ERC-20](https://eips.ethereum.org/EIPS/eip-20)).
pub fn balance_of(token: Address, owner: Address) -> Call {
    let data = [BALANCE_OF.as_slice(), owner.into_word().as_slice()].concat();
    Call::new(token, Bytes::from(data))
}

/// The amount that the call returned.
pub(crate) fn amount(executed: &Executed, token: Address, owner: Address) -> Result<U256, Obstacle> {
    if *executed.call() != balance_of(token, owner) {
        return Err(Obstacle::OtherCall);
    }
    if executed.code_hash() == KECCAK256_EMPTY {
        return Err(NotAToken::NoCode { address: token }.into());
    }
    let Output::Returned(bytes) = executed.output() else {
        return Err(NotAToken::Fails { address: token }.into());
    };
    match bytes.first_chunk::<32>() {
        Some(word) => Ok(U256::from_be_bytes(*word)),
        None => Err(NotAToken::ReturnsTooLittle { address: token, bytes: bytes.len() }.into()),
    }
}
