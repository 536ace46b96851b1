//! `eth_call` and `eth_createAccessList` of `balanceOf`. The chain runs no code: the answer follows from a model of the codes that it knows.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256, hex};
use serde_json::{Value, json};

use super::method::{Answer, Params, invalid, parse};
use super::{Failure, View};
use crate::fault::Fault;
use crate::token::Held;

/// The selector of `balanceOf(address)`.
const BALANCE_OF: [u8; 4] = hex!("70a08231");

impl View<'_> {
    /// The answer to `eth_call`. A liar about proofs says zero here too.
    pub(super) fn call(&self, params: &Params<'_>) -> Answer {
        let (token, owner) = asked(params)?;
        let held = match (self.block(params.get(1)?)?.world.held(token, owner), owner) {
            (Held::NoToken, _) => return Ok("0x".into()),
            (Held::Units { units, .. }, owner) if owner != Address::ZERO => units,
            _ => return Err(Failure::new(3, "execution reverted")),
        };
        let units = if self.faults.iter().any(|fault| says_zero(fault)) { U256::ZERO } else { held };
        Ok(format!("{units:#066x}").into())
    }

    /// The answer to `eth_createAccessList`: the list that was set for the contract, else what follows from the model.
    pub(super) fn access_list(&self, params: &Params<'_>) -> Answer {
        let (token, owner) = asked(params)?;
        let block = self.block(params.get(1)?)?;
        let list = match self.lists.get(&token) {
            Some(list) => list.clone(),
            None => {
                // Of other codes it says nothing: the list is shorter than it should be.
                let read = block.world.read_for(token, owner).unwrap_or_default();
                let mut list: BTreeMap<Address, BTreeSet<B256>> = BTreeMap::new();
                read.into_iter().for_each(|(address, key)| list.entry(address).or_default().extend(key));
                list.into_iter().map(|(address, keys)| (address, keys.into_iter().collect())).collect()
            }
        };
        let entry = |(address, keys)| json!({ "address": address, "storageKeys": keys });
        let list: Vec<Value> = list.into_iter().map(entry).collect();
        Ok(json!({ "accessList": list, "gasUsed": "0x7530" }))
    }
}

/// The contract that is called, and the owner that the call names; zero in a call of another function.
fn asked(params: &Params<'_>) -> Result<(Address, Address), Failure> {
    let call = params.get(0)?;
    let text = |name| call.get(name).and_then(Value::as_str);
    let token = parse(text("to").ok_or_else(invalid)?)?;
    let input = hex::decode(text("input").or(text("data")).unwrap_or_default()).map_err(|_| invalid())?;
    Ok((token, owner(&input)))
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
