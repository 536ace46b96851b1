//! The proofs that the balance of a token rests on, all of one block.

use alloy_primitives::{Address, B256, Bytes};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use saldo_proof::{
    Account, HashedCode, ProofError, Slot, StateRoot, Verified, claimed_root, verify_accounts,
};
use saldo_token::ProvenState;

/// The proofs of accounts and of slots in their storage, and codes. Not checked: [`state`](Self::state) checks them.
#[derive(Clone, Debug, Default, RlpEncodable, RlpDecodable)]
pub(crate) struct TokenProof {
    pub(crate) accounts: Vec<AccountProof>,
    pub(crate) codes: Vec<Bytes>,
}

/// The proof of one account and of some of its slots.
#[derive(Clone, Debug, RlpEncodable, RlpDecodable)]
pub(crate) struct AccountProof {
    pub(crate) address: Address,
    pub(crate) nodes: Vec<Bytes>,
    pub(crate) slots: Vec<SlotProof>,
}

/// The proof of one slot.
#[derive(Clone, Debug, RlpEncodable, RlpDecodable)]
pub(crate) struct SlotProof {
    pub(crate) key: B256,
    pub(crate) nodes: Vec<Bytes>,
}

/// What was verified.
pub(crate) enum Seen<'a> {
    Account(&'a Verified<Account>),
    Slot(&'a Verified<Slot>),
}

impl TokenProof {
    /// Verifies all proofs under `root`.
    ///
    /// # Errors
    /// [`ProofError`] of the first proof that does not verify.
    pub(crate) fn state(&self, root: StateRoot) -> Result<ProvenState, ProofError> {
        self.state_beside(root, |_, _| ())
    }

    /// The same. `see` gets all that verifies, each with the place of its account.
    ///
    /// # Errors
    /// Those of [`state`](Self::state).
    pub(crate) fn state_beside(
        &self,
        root: StateRoot,
        mut see: impl FnMut(usize, Seen<'_>),
    ) -> Result<ProvenState, ProofError> {
        let proofs: Vec<(Address, &[Bytes])> =
            self.accounts.iter().map(|proof| (proof.address, proof.nodes.as_slice())).collect();
        let mut state = ProvenState::new(root);
        let verified = self.accounts.iter().zip(verify_accounts(root, &proofs));
        for (place, (proof, account)) in verified.enumerate() {
            let account = account?;
            see(place, Seen::Account(&account));
            state.add_account(&account).expect("it was verified under this root");
            let slots: Vec<(B256, &[Bytes])> =
                proof.slots.iter().map(|slot| (slot.key, slot.nodes.as_slice())).collect();
            for slot in account.slots(&slots) {
                let slot = slot?;
                see(place, Seen::Slot(&slot));
                state.add_slot(&slot).expect("it was verified under this root");
            }
        }
        self.codes.iter().for_each(|code| state.add_code(code.clone()));
        Ok(state)
    }

    /// The state root that all account proofs claim to be under; `None` if they claim different ones, or there is none.
    ///
    /// # Errors
    /// Those of [`claimed_root`].
    pub(crate) fn claimed_root(&self) -> Result<Option<StateRoot>, ProofError> {
        let roots = self.accounts.iter().map(|proof| claimed_root(&proof.nodes));
        let roots: Vec<StateRoot> = roots.collect::<Result<_, _>>()?;
        let first = roots.first().copied();
        Ok(first.filter(|first| roots.iter().all(|root| root == first)))
    }

    /// Takes the codes that accounts of `state` have, and no other, so that the proof is complete without the hints that lent them.
    pub(crate) fn take_codes(&mut self, state: &ProvenState) {
        self.codes.clear();
        for proof in &self.accounts {
            let hashed = state.code_hash_of(proof.address).and_then(|hash| state.code_with_hash(hash));
            if let Some(code) = hashed.map(HashedCode::code).filter(|code| !self.codes.contains(code)) {
                self.codes.push(code.clone());
            }
        }
    }
}
