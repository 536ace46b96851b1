//! Checks replies of providers against the request, never against what a reply echoes.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes};
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{Account, StateRoot, Verified, claimed_root, verify_accounts};
use saldo_reading::{Asset, Failure, Holding, ProviderId, Why};
use saldo_source::execution::{Question, code};
use saldo_token::{Obstacle, VerifiedBalance};

use super::Proofs;
use super::plan::{Part, Parts, Piece, covers};
use super::target::{Checked, Shown};
use crate::event;
use crate::token_proof::{AccountProof, SlotProof, TokenProof};

impl Proofs {
    /// Checks replies under the state root of the requested block. Nodes that the proofs of accounts share are hashed once.
    pub(super) fn verify_together(
        &self,
        replies: &[(Holding, &Parts)],
        provider: &ProviderId,
        root: StateRoot,
    ) -> Vec<Result<Checked, Failure>> {
        let read: Vec<Option<Result<AccountReply, Failure>>> = replies
            .iter()
            .map(|(holding, parts)| token_of(holding).is_none().then(|| read_native(parts)))
            .collect();
        let proofs: Vec<(Address, &[Bytes])> = replies
            .iter()
            .zip(&read)
            .filter_map(|((holding, _), reply)| {
                Some((holding.owner(), reply.as_ref()?.as_ref().ok()?.account_proof.as_slice()))
            })
            .collect();
        let mut accounts = verify_accounts(root, &proofs).into_iter();
        let each = replies.iter().zip(read).map(|((holding, parts), reply)| {
            let Some(reply) = reply else { return self.verify_token(*holding, parts, Some(root)) };
            let reply = reply?;
            let account = accounts.next().ok_or(Failure::NoResult)??;
            Ok(self.checked(reply, account, provider))
        });
        each.collect()
    }

    /// Checks replies under the root of their own first node. The result is only a claim, because that root is
    /// not trusted.
    pub(super) fn verify_claim(
        &self,
        parts: &Parts,
        holding: Holding,
        provider: &ProviderId,
    ) -> Result<Checked, Failure> {
        if token_of(&holding).is_some() {
            return self.verify_token(holding, parts, None);
        }
        let reply = read_native(parts)?;
        let account = reply.verify(claimed_root(&reply.account_proof)?, holding.owner())?;
        Ok(self.checked(reply, account, provider))
    }

    fn checked(&self, reply: AccountReply, account: Verified<Account>, provider: &ProviderId) -> Checked {
        if reply.contradictions(&account).any() {
            // The leaf decides. A claim beside it that differs is reported as an event about the provider.
            event::claim_contradicts(provider);
        }
        let nodes = self.keeps_nodes.then(|| reply.account_proof.into());
        Checked { shown: Shown::Account(account), nodes }
    }

    /// Checks the proofs of a token's balance: under `root`, or under the root that all of them claim.
    fn verify_token(
        &self,
        holding: Holding,
        parts: &Parts,
        root: Option<StateRoot>,
    ) -> Result<Checked, Failure> {
        let token = token_of(&holding).ok_or(Failure::NoResult)?;
        let mut proof = read_token(parts)?;
        let root = root.map_or_else(|| one_root(&proof), Ok)?;
        let mut state = proof.state(root)?;
        let locked = self.state();
        locked.hints.lend_codes(&mut state);
        let shown = match VerifiedBalance::from_slot(&state, token, holding.owner()) {
            Ok(balance) => Shown::Token(Arc::new(balance)),
            Err(Obstacle::NotAToken(_)) => Shown::NoBalance { root, why: Why::NotAToken },
            Err(Obstacle::Missing(_)) => {
                return Err(Failure::Malformed { what: "not all that the balance of the token needs" });
            }
            Err(_) => Shown::NoBalance { root, why: Why::TokenLayoutUnproven },
        };
        let is_kept = self.keeps_nodes && matches!(shown, Shown::Token(_));
        let nodes = is_kept.then(|| {
            proof.take_codes(&locked.hints, &state);
            Arc::from([Bytes::from(alloy_rlp::encode(&proof))])
        });
        Ok(Checked { shown, nodes })
    }

    /// Learns from `parts` what the token of `holding` is, and whether the provider has to be asked for more. `root` is that of
    /// the block, if its header is known.
    pub(super) fn needs_more(&self, holding: Holding, parts: &Parts, root: Option<StateRoot>) -> bool {
        let Some(token) = token_of(&holding) else { return false };
        let Ok(proof) = read_token(parts) else { return false };
        let root = root.map_or_else(|| one_root(&proof), Ok);
        let Ok(mut state) = root.and_then(|root| Ok(proof.state(root)?)) else { return false };
        let mut locked = self.state();
        locked.hints.lend_codes(&mut state);
        locked.hints.learn(&state, token);
        let outcome = VerifiedBalance::from_slot(&state, token, holding.owner());
        matches!(outcome, Err(Obstacle::Missing(_)))
            && !covers(parts, &locked.hints.query(token, holding.owner()))
    }
}

fn token_of(holding: &Holding) -> Option<Address> {
    match holding.asset() {
        Asset::Erc20(token) => Some(token),
        _ => None,
    }
}

fn one_root(proof: &TokenProof) -> Result<StateRoot, Failure> {
    proof.claimed_root()?.ok_or(Failure::Malformed { what: "proofs of different blocks" })
}

fn read_native(parts: &Parts) -> Result<AccountReply, Failure> {
    read(&parts.first().ok_or(Failure::NoResult)?.part)
}

fn read(part: &Part) -> Result<AccountReply, Failure> {
    let malformed = |_| Failure::Malformed { what: "not an eth_getProof result" };
    serde_json::from_str(part.result.get()).map_err(malformed)
}

/// The proofs and codes of `parts`. Slots that the provider left out are left out.
fn read_token(parts: &Parts) -> Result<TokenProof, Failure> {
    let mut proof = TokenProof::default();
    for piece in parts {
        match &piece.part.question {
            Question::Code { .. } => proof.codes.push(code(&piece.part.result)?),
            _ => proof.accounts.push(read_account(piece)?),
        }
    }
    Ok(proof)
}

fn read_account(piece: &Piece) -> Result<AccountProof, Failure> {
    let Question::Proof { address, .. } = &piece.part.question else { return Err(Failure::NoResult) };
    let reply = read(&piece.part)?;
    let slot = |key: &B256| Some(SlotProof { key: *key, nodes: reply.storage(*key)?.proof.clone() });
    let slots = piece.keys.iter().filter_map(slot).collect();
    Ok(AccountProof { address: *address, nodes: reply.account_proof, slots })
}

/// The first of `parts` whose proofs are false under `root`; the first of all if none is.
pub(super) fn first_false(parts: &Parts, root: StateRoot) -> Option<&Piece> {
    let is_false = |piece: &&Piece| {
        let accounts: Vec<AccountProof> = read_account(piece).into_iter().collect();
        TokenProof { accounts, codes: Vec::new() }.state(root).is_err()
    };
    parts.iter().find(is_false).or(parts.first())
}
