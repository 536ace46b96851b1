//! Confirms blocks by the chain's own record of block hashes (EIP-2935). The proof names no address, so every
//! provider may be asked.

use alloy_primitives::B256;
use futures_util::FutureExt;
use saldo_chain::{Anchor, HISTORY_CONTRACT, history_key};
use saldo_proof::eip1186::AccountReply;
use saldo_reading::{Failure, Role};
use saldo_source::execution::{At, Question, ask};
use saldo_source::{Answer, Deadline, DisclosureSet, Endpoint, IntoBoxed, RequestSpec};

use super::Proofs;

impl Proofs {
    /// Requests a proof of the history contract at `head`, in hedged requests, until one confirms `blocks`.
    pub(crate) async fn confirm_by_history(&self, head: &Anchor, blocks: &[Anchor], deadline: Deadline) {
        let ask = |provider| {
            let recorded = self.confirm(provider, head, blocks, deadline);
            recorded.map(|recorded| recorded.map_or_else(Answer::Failed, Answer::Accepted)).into_boxed()
        };
        let disclosure =
            DisclosureSet { last: self.too_shallow(head.number()), ..DisclosureSet::unrestricted() };
        let spec = RequestSpec { role: Role::Execution, method: "history", deadline };
        let _ = self.env.dispatcher.hedge_one(spec, &self.env.execution, disclosure, ask).await;
    }

    /// Requests a proof of the history contract at `head` from one provider, and confirms `blocks` by it.
    async fn confirm(
        &self,
        provider: &Endpoint,
        head: &Anchor,
        blocks: &[Anchor],
        deadline: Deadline,
    ) -> Result<(), Failure> {
        let keys: Vec<B256> = blocks.iter().map(|block| history_key(block.number())).collect();
        let at = At::Number(head.number());
        let question = Question::Proof { address: HISTORY_CONTRACT, keys, at };
        let reply = ask(self.env.dispatcher.io(), provider, &question, self.env.time_left(deadline)).await;
        self.learn_depth(provider, head.number(), [&reply]);
        let reply: AccountReply = serde_json::from_str(reply?.get())
            .map_err(|_| Failure::Malformed { what: "not an eth_getProof result" })?;
        let account = reply.verify(head.state_root(), HISTORY_CONTRACT)?;
        for block in blocks {
            let key = history_key(block.number());
            let slot =
                reply.storage(key).ok_or(Failure::Malformed { what: "no proof of a slot asked for" })?;
            let slot = account.slot(key, &slot.proof)?;
            self.head.confirm_by_history(head, &account, &slot, block);
        }
        Ok(())
    }
}
