//! Checks a reply to `eth_getProof` against the request, never against what the reply echoes.

use alloy_primitives::{Address, Bytes};
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{Account, StateRoot, Verified, claimed_root, verify_accounts};
use saldo_reading::{Failure, Holding, ProviderId};
use serde_json::value::RawValue;

use super::Proofs;
use super::target::Checked;
use crate::event;

impl Proofs {
    /// Checks replies under the state root of the requested block. Nodes that the replies share are hashed
    /// once.
    pub(super) fn verify_together(
        &self,
        replies: &[(Holding, &RawValue)],
        provider: &ProviderId,
        root: StateRoot,
    ) -> Vec<Result<Checked, Failure>> {
        let read: Vec<Result<AccountReply, Failure>> = replies.iter().map(|(_, reply)| read(reply)).collect();
        let proofs: Vec<(Address, &[Bytes])> = replies
            .iter()
            .zip(&read)
            .filter_map(|((holding, _), reply)| {
                Some((holding.owner(), reply.as_ref().ok()?.account_proof.as_slice()))
            })
            .collect();
        let mut accounts = verify_accounts(root, &proofs).into_iter();
        let each = read.into_iter().map(|reply| {
            let reply = reply?;
            let account = accounts.next().ok_or(Failure::NoResult)??;
            Ok(self.checked(reply, account, provider))
        });
        each.collect()
    }

    /// Checks a reply under the root of its own first node. The result is only a claim, because that root is
    /// not trusted.
    pub(super) fn verify_claim(
        &self,
        reply: &RawValue,
        holding: Holding,
        provider: &ProviderId,
    ) -> Result<Checked, Failure> {
        let reply = read(reply)?;
        let account = reply.verify(claimed_root(&reply.account_proof)?, holding.owner())?;
        Ok(self.checked(reply, account, provider))
    }

    fn checked(&self, reply: AccountReply, account: Verified<Account>, provider: &ProviderId) -> Checked {
        if reply.contradictions(&account).any() {
            // The leaf decides. A claim beside it that differs is reported as an event about the provider.
            event::claim_contradicts(provider);
        }
        Checked { account, nodes: self.keeps_nodes.then(|| reply.account_proof.into()) }
    }
}

fn read(reply: &RawValue) -> Result<AccountReply, Failure> {
    serde_json::from_str(reply.get()).map_err(|_| Failure::Malformed { what: "not an eth_getProof result" })
}
