//! The amounts that the proofs of a file show under its block's state root.

use alloy_primitives::{Address, B256, Bytes, U256};
use saldo_beacon::Network;
use saldo_proof::{Account, HashedCode, ProvenState, StateRoot, verify_accounts};
use saldo_reading::{Asset, Holding};
use saldo_token::{Derivation, Obstacle, VerifiedBalance};

use crate::block::Block;
use crate::error::FileError;
use crate::limit::MAX_RUNS;
use crate::state::StateProof;

/// A holding whose amount a file proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedHolding {
    holding: Holding,
    amount: U256,
    token: Option<VerifiedBalance>,
}

impl VerifiedHolding {
    /// Returns the holding.
    pub const fn holding(&self) -> &Holding {
        &self.holding
    }

    /// Returns the amount: wei, or base units of the token.
    pub const fn amount(&self) -> U256 {
        self.amount
    }

    /// Returns how the balance of a token was derived; `None` for the native coin.
    pub fn derivation(&self) -> Option<&Derivation> {
        self.token.as_ref().map(VerifiedBalance::derivation)
    }

    /// Whether the token's issuer has blocked the owner, so that the amount cannot be moved.
    pub fn is_frozen(&self) -> bool {
        self.token.as_ref().is_some_and(VerifiedBalance::is_blocked)
    }
}

/// Verifies all proofs under the state root of `block`, and reads the amounts.
pub(crate) fn amounts(
    proof: &StateProof,
    block: &Block,
    network: &Network,
) -> Result<Vec<VerifiedHolding>, FileError> {
    let state = proven_state(proof, block.state_root())?;
    let mut runs = Runs { state: &state, block, network, left: MAX_RUNS };
    let of = |holding: &Holding| match holding.asset() {
        Asset::Native => native(&state, *holding),
        Asset::Erc20(token) => {
            let balance = runs.token_balance(token, *holding)?;
            Ok(VerifiedHolding { holding: *holding, amount: balance.amount(), token: Some(balance) })
        }
        _ => Err(not_proven(*holding)),
    };
    let amounts: Vec<VerifiedHolding> = proof.holdings().map(of).collect::<Result<_, _>>()?;
    if amounts.is_empty() { Err(FileError::NoHolding) } else { Ok(amounts) }
}

fn not_proven(holding: Holding) -> FileError {
    FileError::NotProven { holding: Box::new(holding) }
}

/// An account that is proven absent holds a proven zero. No other case becomes zero.
fn native(state: &ProvenState, holding: Holding) -> Result<VerifiedHolding, FileError> {
    let amount = match state.account(holding.owner()).ok_or_else(|| not_proven(holding))? {
        Account::Present(account) => account.balance,
        Account::Absent => U256::ZERO,
    };
    Ok(VerifiedHolding { holding, amount, token: None })
}

/// The state that tokens are read from, and how many codes may still be run over it.
#[cfg_attr(not(feature = "execute"), expect(dead_code, reason = "no code is run"))]
struct Runs<'a> {
    state: &'a ProvenState,
    block: &'a Block,
    network: &'a Network,
    left: usize,
}

impl Runs<'_> {
    fn token_balance(&mut self, token: Address, holding: Holding) -> Result<VerifiedBalance, FileError> {
        let outcome = match VerifiedBalance::from_slot(self.state, token, holding.owner()) {
            Err(Obstacle::LayoutUnknown { .. } | Obstacle::GuardFailed { .. }) => {
                self.run(token, holding.owner())?
            }
            outcome => outcome,
        };
        outcome.map_err(|obstacle| match obstacle {
            Obstacle::Missing(_) => not_proven(holding),
            obstacle => FileError::Token { token, obstacle: Box::new(obstacle) },
        })
    }

    #[cfg(feature = "execute")]
    fn run(
        &mut self,
        token: Address,
        owner: Address,
    ) -> Result<Result<VerifiedBalance, Obstacle>, FileError> {
        let over = FileError::TooMany {
            what: "tokens whose code is run",
            got: MAX_RUNS.saturating_add(1),
            limit: MAX_RUNS,
        };
        self.left = self.left.checked_sub(1).ok_or(over)?;
        let environment = self.block.environment(self.network)?;
        Ok(saldo_token::prove(self.state, Some(&environment), token, owner))
    }

    #[cfg(not(feature = "execute"))]
    fn run(&mut self, token: Address, _: Address) -> Result<Result<VerifiedBalance, Obstacle>, FileError> {
        Err(FileError::NeedsExecution { token })
    }
}

fn proven_state(proof: &StateProof, root: StateRoot) -> Result<ProvenState, FileError> {
    let proofs: Vec<(Address, &[Bytes])> =
        proof.accounts().map(|(address, account)| (address, account.nodes.as_slice())).collect();
    let mut state = ProvenState::new(root);
    for ((address, account), verified) in proof.accounts().zip(verify_accounts(root, &proofs)) {
        let refused = |error| FileError::Proof { address, error };
        let verified = verified.map_err(refused)?;
        state.add_account(&verified).expect("it was verified under this root");
        let slots: Vec<(B256, &[Bytes])> =
            account.slots.iter().map(|(key, nodes)| (*key, nodes.as_slice())).collect();
        for slot in verified.slots(&slots) {
            state.add_slot(&slot.map_err(refused)?).expect("it was verified under this root");
        }
    }
    for code in proof.codes() {
        let code = HashedCode::new(code.clone());
        let hash = code.hash();
        if !state.accounts().any(|(address, _)| state.code_hash_of(address) == Some(hash)) {
            return Err(FileError::UnusedCode);
        }
        state.add_hashed_code(code);
    }
    Ok(state)
}

#[cfg(test)]
#[cfg(not(feature = "execute"))]
mod tests {
    use alloy_primitives::{hex, keccak256};
    use saldo_chain::ExecutionHeader;
    use saldo_reading::NetworkId;

    use super::*;

    /// A block whose state has one account, with this code.
    fn block_of(leaf: &[u8]) -> Block {
        let mut fields = vec![Bytes::new(); 15];
        for (place, word) in [(0, B256::ZERO), (3, keccak256(leaf))] {
            fields[place] = Bytes::copy_from_slice(word.as_slice());
        }
        let mut payload = Vec::new();
        for field in &fields {
            let length = u8::try_from(field.len()).unwrap();
            payload.push(0x80 + length);
            payload.extend_from_slice(field);
        }
        let header = [vec![0xf8, u8::try_from(payload.len()).unwrap()], payload].concat();
        Block::Header(ExecutionHeader::from_rlp(&header, keccak256(&header)).unwrap())
    }

    #[test]
    fn a_token_whose_code_has_to_be_run_is_refused_by_name() {
        let token = Address::repeat_byte(0x11);
        let before = hex!(
            "f872a120e2c07404b8c1df4c46226425cac68c28d27a766bbddce62309f36724839b22c0b84ef84c01880de0b6b3a7640000
             a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421a0"
        );
        let code = Bytes::from_static(&[0x5f, 0x5f, 0xf3]);
        let leaf = [before.as_slice(), keccak256(&code).as_slice()].concat();
        let mut proof = StateProof::new();
        proof.add_holding(Holding::erc20(NetworkId::new(1), Address::ZERO, token));
        proof.add_account(token, vec![leaf.clone().into()]);
        proof.add_code(code);
        let outcome = amounts(&proof, &block_of(&leaf), &Network::mainnet());
        assert!(
            matches!(outcome, Err(FileError::NeedsExecution { token: got }) if got == token),
            "{outcome:?}"
        );
        proof.add_code(Bytes::from_static(&[0x00]));
        let outcome = amounts(&proof, &block_of(&leaf), &Network::mainnet());
        assert!(matches!(outcome, Err(FileError::UnusedCode)), "{outcome:?}");
    }
}
