//! The proofs of readings, asked for again and put together for a file that another person checks.

use std::collections::BTreeSet;

use alloy_primitives::{Address, Bytes, keccak256};
use saldo_chain::{Anchor, Level};
use saldo_proof::StateRoot;
use saldo_proof_file::StateProof;
use saldo_reading::{Failure, Holding, Proven, ProviderId, Role};
use saldo_source::{Answer, Deadline, DisclosureSet, Endpoint, Hedged, IntoBoxed, RequestSpec};
use saldo_token::ProvenState;

use super::Proofs;
use super::checked::read_native;
use super::plan::Parts;
use super::token::{read_token, token_of};
use crate::token_proof::TokenProof;
use crate::token_run;

impl Proofs {
    /// The most codes of one token of which it is tried whether the balance needs them.
    const TRIED_CODES: usize = 16;

    /// Requests the proofs of `proven` again at their block `anchor`, in hedged requests to providers that know of all their
    /// addresses already.
    pub(crate) async fn state_proof(
        &self,
        proven: &[Proven],
        anchor: &Anchor,
        deadline: Deadline,
    ) -> Hedged<StateProof> {
        let holdings: Vec<Holding> = proven.iter().map(|proven| *proven.holding()).collect();
        let owners: BTreeSet<Address> = holdings.iter().map(Holding::owner).collect();
        let served: BTreeSet<&ProviderId> = proven.iter().map(Proven::provider).collect();
        let knows = |provider: &&Endpoint| {
            let served_all = served.len() == 1 && served.contains(provider.id());
            served_all || owners.iter().all(|owner| self.is_disclosed(*owner, provider))
        };
        let endpoints: Vec<Endpoint> = self.env.execution.iter().filter(knows).cloned().collect();
        let holdings = holdings.as_slice();
        let ask = |provider| {
            async move {
                let proof = self.state_proof_of(provider, holdings, anchor, deadline).await;
                proof.map_or_else(Answer::Failed, Answer::Accepted)
            }
            .into_boxed()
        };
        let spec = RequestSpec { role: Role::Execution, method: "eth_getProof", deadline };
        self.env.dispatcher.hedge_one(spec, &endpoints, DisclosureSet::unrestricted(), ask).await
    }

    async fn state_proof_of(
        &self,
        provider: &Endpoint,
        holdings: &[Holding],
        anchor: &Anchor,
        deadline: Deadline,
    ) -> Result<StateProof, Failure> {
        // Proofs at the provider's tip would not help, so it is asked as for a finalized block.
        let asked = self.at_anchor(provider, holdings, anchor, Level::Finalized, deadline).await;
        let mut state = StateProof::new();
        for (holding, reply) in holdings.iter().zip(asked.replies) {
            state.add_holding(*holding);
            self.add(&mut state, *holding, &reply.result?, anchor)?;
        }
        Ok(state)
    }

    fn add(
        &self,
        state: &mut StateProof,
        holding: Holding,
        parts: &Parts,
        anchor: &Anchor,
    ) -> Result<(), Failure> {
        let root = anchor.state_root();
        let Some(token) = token_of(&holding) else {
            let reply = read_native(parts)?;
            let _ = reply.verify(root, holding.owner())?;
            state.add_account(holding.owner(), reply.account_proof);
            return Ok(());
        };
        let (proof, _) = read_token(parts)?;
        let codes = self.needed_codes(&proof, root, |state| {
            token_run::balance(state, Some(anchor), &self.head.network(), token, holding.owner()).is_ok()
        })?;
        for account in proof.accounts {
            state.add_account(account.address, account.nodes);
            for slot in account.slots {
                state.add_slot(account.address, slot.key, slot.nodes);
            }
        }
        codes.into_iter().for_each(|code| state.add_code(code));
        Ok(())
    }

    /// The codes without which `is_enough` is false: of those in `proof`, and of those that the hints lend. A code can have 24 KB, so
    /// none is in a file that does not need it.
    fn needed_codes(
        &self,
        proof: &TokenProof,
        root: StateRoot,
        is_enough: impl Fn(&ProvenState) -> bool,
    ) -> Result<Vec<Bytes>, Failure> {
        let bare = TokenProof { accounts: proof.accounts.clone(), codes: Vec::new() }.state(root)?;
        let mut whole = proof.clone();
        let mut lent = whole.state(root)?;
        self.state().hints.lend_codes(&mut lent);
        whole.take_codes(&lent);
        let is_own = |code: &Bytes| {
            let hash = keccak256(code);
            bare.accounts().any(|(address, _)| bare.code_hash_of(address) == Some(hash))
        };
        let mut codes: Vec<Bytes> = whole.codes.into_iter().filter(is_own).collect();
        codes.sort_by_key(|code| std::cmp::Reverse(code.len()));
        codes.dedup();
        let holds = |codes: &[Bytes]| {
            let mut state = bare.clone();
            codes.iter().for_each(|code| state.add_code(code.clone()));
            is_enough(&state)
        };
        for place in (0..codes.len().min(Self::TRIED_CODES)).rev() {
            let mut fewer = codes.clone();
            let _ = fewer.remove(place);
            if holds(&fewer) {
                codes = fewer;
            }
        }
        if holds(&codes) { Ok(codes) } else { Err(Failure::NoResult) }
    }
}
