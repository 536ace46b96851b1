//! A stored reading, and its check.

use std::sync::Arc;

use alloy_primitives::{Address, Bytes};
use saldo_beacon::Network;
use saldo_chain::Anchor;
use saldo_proof::{Account, ProofError, Verified, verify_account};
use saldo_reading::{Asset, Candidate, Generation, Holding, ProviderId, Why, join, join_token};
use saldo_token::Hint;

use super::form::{Codes, Proof};
use super::seal::Seal;
use crate::storage::StorageFault;
use crate::token_run::{self, NoBalance};

/// A reading as it was stored. Not checked.
pub(crate) struct Claim {
    pub(super) holding: Holding,
    pub(super) anchor: Anchor,
    pub(super) name: String,
    pub(super) sealed: Vec<u8>,
    /// The codes that it uses, as far as they are stored.
    pub(super) codes: Codes,
}

/// What became of a stored reading whose proofs verify.
pub(crate) enum Restorable {
    Proven(Candidate),
    /// The proofs verify, and the balance follows only by running the token's code, which this build does not. The record stays
    /// for a build that does.
    NotRun,
}

/// Who served a proof, and its nodes.
pub(super) struct Opened {
    pub(super) provider: ProviderId,
    pub(super) nodes: Vec<Bytes>,
}

impl Claim {
    /// The reading, if its proof verifies under its block's header.
    pub(super) fn check(
        &self,
        seal: &Seal,
        network: &Network,
        generation: Generation,
    ) -> Result<Restorable, Box<StorageFault>> {
        self.check_and_learn(seal, network, generation, &mut Hint::default())
    }

    /// The same. `hints` learns what a token was.
    pub(super) fn check_and_learn(
        &self,
        seal: &Seal,
        network: &Network,
        generation: Generation,
        hints: &mut Hint,
    ) -> Result<Restorable, Box<StorageFault>> {
        let Opened { provider, nodes } = self.open(seal).ok_or_else(|| Box::new(StorageFault::Damaged))?;
        if let Asset::Erc20(token) = self.holding.asset() {
            return self.join_token(token, network, provider, &nodes, generation, hints);
        }
        let account = verify_account(self.anchor.state_root(), self.holding.owner(), &nodes);
        self.join(provider, account, generation).map(Restorable::Proven)
    }

    /// Verifies the proofs of a token's balance again, by the layouts of this version, or by running the token's code again.
    fn join_token(
        &self,
        token: Address,
        network: &Network,
        provider: ProviderId,
        nodes: &[Bytes],
        generation: Generation,
        hints: &mut Hint,
    ) -> Result<Restorable, Box<StorageFault>> {
        let Self { holding, anchor, .. } = self;
        let damaged = || Box::new(StorageFault::Damaged);
        let refused = |error| Box::new(StorageFault::Reading { holding: *holding, error });
        let proof = Proof::load_token(nodes, &self.codes).ok_or_else(damaged)?;
        let state = proof.state(anchor.state_root()).map_err(refused)?;
        hints.learn(&state, token);
        let balance = match token_run::balance(&state, Some(anchor), network, token, holding.owner()) {
            Ok(balance) => balance,
            Err(NoBalance::Never(Why::TokenLayoutUnproven)) => return Ok(Restorable::NotRun),
            Err(NoBalance::Never(why)) => {
                return Err(Box::new(StorageFault::NoBalance { holding: *holding, why }));
            }
            Err(NoBalance::Missing { .. } | NoBalance::Later) => return Err(damaged()),
        };
        // What the code read: the next read asks for it at once.
        #[cfg(feature = "execute")]
        if matches!(balance.derivation(), saldo_token::Derivation::Executed { .. }) {
            hints.learn_all(&state);
        }
        let joined = join_token(*holding, Arc::new(balance), anchor, provider, generation);
        joined.map(|joined| Restorable::Proven(joined.as_restored())).map_err(|_| damaged())
    }

    pub(super) fn open(&self, seal: &Seal) -> Option<Opened> {
        let Proof { provider, nodes } = Proof::load(seal.open(&self.name, &self.sealed)?)?;
        Some(Opened { provider: ProviderId::new(&provider)?, nodes })
    }

    pub(super) fn join(
        &self,
        provider: ProviderId,
        account: Result<Verified<Account>, ProofError>,
        generation: Generation,
    ) -> Result<Candidate, Box<StorageFault>> {
        let Self { holding, anchor, .. } = self;
        let account =
            account.map_err(|error| Box::new(StorageFault::Reading { holding: *holding, error }))?;
        let joined = join(*holding, &account, anchor, provider, generation);
        joined.map(Candidate::as_restored).map_err(|_| Box::new(StorageFault::Damaged))
    }
}

#[cfg(test)]
#[path = "claim_tests.rs"]
mod tests;
