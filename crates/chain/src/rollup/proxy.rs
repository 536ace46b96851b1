//! Contracts behind the proxy of EIP-1967: which code runs, proven.

use alloy_primitives::{Address, B256, b256};
use saldo_proof::ProvenState;

use crate::rollup::clone_code::CloneCode;
use crate::rollup::l1::{L1State, Reader, slot};
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
    Ok(Code { contract, address, proxy: Some(proxy), implementation, code_hash })
}

/// Reads which codes the rollup's registry, its factory and the game at `game` run, whether the profile knows them or not. With
/// them a person who knows these codes completes the profile. The factory is the one that the profile's registry names if its layout
/// is the known one; so the result proves nothing about a claim.
///
/// # Errors
/// [`Obstacle`] if something is not proven yet, or a contract is not behind a known proxy.
pub fn observe(l1: &L1State<'_>, game: Option<Address>) -> Result<Vec<Code>, Obstacle> {
    let registry = code_of(l1, Contract::Registry, l1.profile().registry())?;
    let mut reader = l1.reader();
    let factory = reader.word(registry.address, slot(1));
    reader.finish()?;
    let factory = code_of(l1, Contract::Factory, factory.address(0))?;
    let mut codes = vec![registry, factory];
    if let Some(address) = game {
        codes.push(game_code(l1.state(), address)?.1);
    }
    Ok(codes)
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
    let runs = Code { contract: Contract::Game, address, proxy: None, implementation, code_hash };
    Ok((code, runs))
}
