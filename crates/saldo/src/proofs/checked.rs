//! Checks replies of providers against the request, never against what a reply echoes.

use alloy_primitives::{Address, Bytes};
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{Account, StateRoot, Verified, claimed_root, verify_accounts};
use saldo_reading::{Failure, Holding, ProviderId};

use super::Proofs;
use super::plan::Parts;
use super::target::{Checked, Shown};
use super::token::{read, token_of};
use crate::event;
use crate::meter;

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
            let Some(reply) = reply else { return self.verify_token(*holding, parts, provider, Some(root)) };
            let reply = reply?;
            let account = accounts.next().ok_or(Failure::NoResult)??;
            Ok(self.checked(reply, account, provider))
        });
        let each: Vec<Result<Checked, Failure>> = each.collect();
        each.iter().for_each(|checked| meter::proof(&self.env, provider, checked));
        each
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
            return self.verify_token(holding, parts, provider, None);
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
}

pub(super) fn read_native(parts: &Parts) -> Result<AccountReply, Failure> {
    read(&parts.pieces().first().ok_or(Failure::NoResult)?.part)
}
