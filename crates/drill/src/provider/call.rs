//! `eth_call` of `balanceOf`. The chain runs no code: the answer follows from a model of the codes that it knows.

use alloy_primitives::{Address, B256, U256, hex};
use serde_json::Value;

use super::method::{Answer, Params, invalid, parse};
use super::{Failure, View};
use crate::fault::Fault;
use crate::token::Held;

/// The selector of `balanceOf(address)`.
const BALANCE_OF: [u8; 4] = hex!("70a08231");

impl View<'_> {
    /// The answer to `eth_call`. A liar about proofs says zero here too.
    pub(super) fn call(&self, params: &Params<'_>) -> Answer {
        let call = params.get(0)?;
        let text = |name| call.get(name).and_then(Value::as_str);
        let token: Address = parse(text("to").ok_or_else(invalid)?)?;
        let input = hex::decode(text("input").or(text("data")).unwrap_or_default()).map_err(|_| invalid())?;
        let held = match (self.block(params.get(1)?)?.world.held(token, owner(&input)), owner(&input)) {
            (Held::NoToken, _) => return Ok("0x".into()),
            (Held::Units { units, .. }, owner) if owner != Address::ZERO => units,
            _ => return Err(Failure::new(3, "execution reverted")),
        };
        let units = if self.faults.iter().any(|fault| says_zero(fault)) { U256::ZERO } else { held };
        Ok(format!("{units:#066x}").into())
    }
}

/// The address in a call of `balanceOf`; zero in any other call.
fn owner(input: &[u8]) -> Address {
    let word = input.strip_prefix(&BALANCE_OF).and_then(|rest| B256::try_from(rest).ok());
    word.map_or(Address::ZERO, Address::from_word)
}

const fn says_zero(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::ZeroBalance
            | Fault::TruncatedProof { .. }
            | Fault::OtherSlotsProof
            | Fault::TruncatedStorageProof { .. }
            | Fault::NoStorageProof
            | Fault::LeftOutSlot
    )
}
