//! Contracts behind the proxy of EIP-1967: which code runs, proven.

use alloy_primitives::{Address, B256, b256};
use saldo_proof::ProvenState;

use crate::rollup::clone_code::CloneCode;
use crate::rollup::l1::{L1State, Reader};
use crate::rollup::obstacle::{Contract, Obstacle, Refusal};

/// The slot that names the implementation ([EIP-1967](https://eips.ethereum.org/EIPS/eip-1967)).
pub(crate) const IMPLEMENTATION_SLOT: B256 =
    b256!("360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc");

/// Which code a contract runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Code {
    /// Which contract.
    pub contract: Contract,
    /// Its address.
    pub address: Address,
    /// The hash of the proxy's own code; `None` for a game, whose own code differs for each claim.
    pub proxy: Option<B256>,
    /// The contract that has the code.
    pub implementation: Address,
    /// The hash of that code: what a profile is completed by.
    pub code_hash: B256,
    /// The type of the games that run it; `None` for another contract.
    pub game_type: Option<u32>,
}

/// Reads which code runs behind a proxy.
pub(crate) fn code_of(l1: &L1State<'_>, contract: Contract, address: Address) -> Result<Code, Obstacle> {
    let mut reader = l1.reader();
    let proxy = reader.code_hash(address);
    let word = reader.word(address, IMPLEMENTATION_SLOT);
    reader.finish()?;
    if !l1.profile().is_proxy(proxy) {
        return Err(Refusal::UnknownCode { contract, got: proxy }.into());
    }
    if !word.is_address() {
        return Err(Refusal::Layout { contract }.into());
    }
    let implementation = word.address(0);
    let mut reader = l1.reader();
    let code_hash = reader.code_hash(implementation);
    reader.finish()?;
    Ok(Code { contract, address, proxy: Some(proxy), implementation, code_hash, game_type: None })
}

/// Reads the code of a game: the bytes of its own code, and which code it runs.
pub(crate) fn game_code(state: &ProvenState, address: Address) -> Result<(CloneCode<'_>, Code), Obstacle> {
    let mut reader = Reader::new(state);
    let code = reader.code(address);
    reader.finish()?;
    let code = CloneCode::parse(code).map_err(Refusal::from)?;
    let implementation = code.implementation();
    let mut reader = Reader::new(state);
    let code_hash = reader.code_hash(implementation);
    reader.finish()?;
    let contract = Contract::Game;
    let runs = Code { contract, address, proxy: None, implementation, code_hash, game_type: None };
    Ok((code, runs))
}
