//! Requests proofs of accounts, of slots in their storage, and their codes, all at one trusted block.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY};
use saldo_chain::{Anchor, Level};
use saldo_proof::{Account, HashedCode, Slot, StateRoot, Verified, claimed_root, verify_account};
use saldo_reading::{Failure, ProviderId, Role};
use saldo_source::execution::{At, code};
use saldo_source::{
    Answer, Ask, BoxedFuture, Deadline, DisclosureSet, Endpoint, Hedged, IntoBoxed, RequestSpec,
};
use saldo_token::Query;

use super::Proofs;
use super::evidence::Evidence;
use super::plan::{Need, Parts, Plan};
use super::target::{PinnedBlock, proofs_at};
use super::token::read_account;
use crate::meter;

/// What is to be proven about one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccountNeed {
    pub(crate) address: Address,
    pub(crate) keys: BTreeSet<B256>,
    pub(crate) code: bool,
}

/// What is proven about one account.
#[derive(Clone, Debug)]
pub(crate) struct AccountFacts {
    pub(crate) account: Verified<Account>,
    pub(crate) nodes: Vec<Bytes>,
    pub(crate) slots: BTreeMap<B256, SlotFacts>,
    /// `None` if it was not asked for. An account without code has empty code.
    pub(crate) code: Option<HashedCode>,
    pub(crate) provider: ProviderId,
}

/// What is proven about one slot.
#[derive(Clone, Debug)]
pub(crate) struct SlotFacts {
    pub(crate) slot: Verified<Slot>,
    pub(crate) nodes: Vec<Bytes>,
}

impl AccountFacts {
    /// The hash of the account's code.
    pub(crate) fn code_hash(&self) -> B256 {
        match self.account.leaf() {
            Account::Present(state) => state.code_hash,
            Account::Absent => KECCAK256_EMPTY,
        }
    }
}

impl AccountNeed {
    /// What `query` asks for, by account.
    pub(crate) fn of(query: &Query) -> Vec<Self> {
        let mut needs: BTreeMap<Address, Self> = BTreeMap::new();
        let addresses = query.slots().keys().chain(query.codes());
        for address in addresses {
            let keys = query.slots().get(address).cloned().unwrap_or_default();
            let code = query.codes().contains(address);
            needs.insert(*address, Self { address: *address, keys, code });
        }
        needs.into_values().collect()
    }

    fn query(&self) -> Query {
        let mut query = Query::account(self.address);
        self.keys.iter().for_each(|key| query.add_slot(self.address, *key));
        if self.code {
            query.add_code(self.address);
        }
        query
    }
}

impl Proofs {
    /// Requests proofs of what each of the `needs` names at the block `anchor`, in hedged requests.
    pub(crate) async fn prove_accounts(
        &self,
        needs: &[AccountNeed],
        anchor: &Anchor,
        level: Level,
        deadline: Deadline,
    ) -> Vec<Hedged<AccountFacts>> {
        let (most, strict) = (self.env.policy.operators_per_address, self.env.policy.strict);
        let last = self.too_shallow(anchor.number());
        let disclosures = {
            let state = self.state();
            let disclosure = |need: &AccountNeed| {
                let disclosure = state.disclosures.disclosure(need.address, most, strict);
                DisclosureSet { last: last.clone(), ..disclosure }
            };
            needs.iter().map(disclosure).collect()
        };
        let ask = |provider, asks: Vec<Ask>| -> BoxedFuture<'_, Vec<Answer<AccountFacts>>> {
            let named = |ask: &Ask| needs.get(ask.item).map(|need| (need.address, ask.over_policy));
            let admitted: Vec<(Address, bool)> = asks.iter().filter_map(named).collect();
            let ask = move |places: Vec<usize>| {
                let item = |place: &usize| needs.get(asks.get(*place)?.item).cloned();
                let needs: Vec<AccountNeed> = places.iter().filter_map(item).collect();
                async move { self.ask_about(provider, &needs, anchor, deadline).await }.into_boxed()
            };
            async move { self.ask_admitted(provider, &admitted, ask).await }.into_boxed()
        };
        let spec = RequestSpec { role: Role::Execution, method: proofs_at(level), deadline };
        self.env.dispatcher.hedge(spec, &self.env.execution, disclosures, ask).await
    }

    /// Asks one provider, and checks what it answers.
    async fn ask_about(
        &self,
        provider: &Endpoint,
        needs: &[AccountNeed],
        anchor: &Anchor,
        deadline: Deadline,
    ) -> Vec<Answer<AccountFacts>> {
        let pin =
            PinnedBlock { hash: anchor.hash(), number: anchor.number(), state_root: anchor.state_root() };
        let by_hash = self.capability(provider.id()).block_hash;
        let (first, second) = (At::Hash(pin.hash), At::Number(pin.number));
        let at = if by_hash { first } else { second };
        let mut replies = self.parts_about(provider, needs, at, deadline).await;
        let mut of_hash: Vec<bool> = replies.iter().map(|_| by_hash).collect();
        // Not every client takes a hash.
        let is_unread = |reply: &Result<Parts, Failure>| {
            let failure = reply.as_ref().map_or_else(Some, Parts::failure);
            matches!(failure, Some(Failure::Rpc { .. }))
        };
        let unread: Vec<usize> = replies
            .iter()
            .enumerate()
            .filter(|(_, reply)| by_hash && is_unread(reply))
            .map(|(place, _)| place)
            .collect();
        if !unread.is_empty() {
            let again: Vec<AccountNeed> =
                unread.iter().filter_map(|place| needs.get(*place).cloned()).collect();
            let by_number = self.parts_about(provider, &again, second, deadline).await;
            if !by_number.iter().any(is_unread) && by_number.iter().all(Result::is_ok) {
                self.learn(provider.id(), |known| known.block_hash = false);
            }
            for (place, reply) in unread.into_iter().zip(by_number) {
                if let (Some(held), Some(of_hash)) = (replies.get_mut(place), of_hash.get_mut(place)) {
                    (*held, *of_hash) = (reply, false);
                }
            }
        }
        self.learn_depth(provider, pin.number, &replies);
        let mut accusation = None;
        let judged = needs.iter().zip(replies).zip(of_hash).map(|((need, reply), by_hash)| {
            let parts = match reply {
                Ok(parts) => parts,
                Err(failure) => return Answer::Failed(failure),
            };
            match self.read_counted(need, &parts, pin.state_root, provider.id()) {
                Ok(facts) => Answer::Accepted(facts),
                Err(failure) => {
                    if by_hash && accusation.is_none() {
                        accusation = self.accuse(provider, &parts, pin, &failure);
                    }
                    Answer::Failed(failure)
                }
            }
        });
        let answers = judged.collect();
        let answers = self.mark_wrong_chain(provider, answers, deadline).await;
        self.keep_accusation(provider, accusation, &answers);
        answers
    }

    /// Reads the facts, and counts the proof.
    fn read_counted(
        &self,
        need: &AccountNeed,
        parts: &Parts,
        root: StateRoot,
        provider: &ProviderId,
    ) -> Result<AccountFacts, Failure> {
        let read = read_facts(need, parts, root, provider);
        meter::proof(&self.env, provider, &read);
        read
    }

    async fn parts_about(
        &self,
        provider: &Endpoint,
        needs: &[AccountNeed],
        at: At,
        deadline: Deadline,
    ) -> Vec<Result<Parts, Failure>> {
        let needs: Vec<Need> = needs.iter().map(|need| Need::Token(need.query())).collect();
        let plan = Plan::new(&needs, at);
        plan.collect(self.together(provider, &plan.questions, deadline).await)
    }

    /// The evidence against the provider, if its proof is false, and is not a genuine one of another trusted block.
    fn accuse(
        &self,
        provider: &Endpoint,
        parts: &Parts,
        pin: PinnedBlock,
        failure: &Failure,
    ) -> Option<Evidence> {
        let Failure::Proof(_) = failure else { return None };
        let is_other_block = |piece: &super::plan::Piece| {
            let root = read_account(piece).ok().and_then(|(proof, _)| claimed_root(&proof.nodes).ok());
            root.is_some_and(|root| root != pin.state_root && self.head.trusts_root(root))
        };
        let piece = super::token::first_false(parts, pin.state_root)?;
        if is_other_block(piece) { None } else { Evidence::new(provider.id(), piece, pin, failure) }
    }
}

/// Checks what a provider answered about `need`.
fn read_facts(
    need: &AccountNeed,
    parts: &Parts,
    root: StateRoot,
    provider: &ProviderId,
) -> Result<AccountFacts, Failure> {
    const LEFT_OUT: Failure = Failure::Malformed { what: "not all that was asked for" };
    let mut facts: Option<AccountFacts> = None;
    let mut codes: Vec<HashedCode> = Vec::new();
    let mut without_code = Failure::Malformed { what: "the code of another account" };
    for piece in parts.pieces() {
        if let saldo_source::execution::Question::Code { .. } = &piece.part.question {
            match piece.part.result.as_ref().map_err(Clone::clone).and_then(|result| code(result)) {
                Ok(code) => codes.push(HashedCode::new(code)),
                Err(failure) => without_code = failure,
            }
            continue;
        }
        let (proof, _) = read_account(piece)?;
        let account = verify_account(root, need.address, &proof.nodes)?;
        let facts = facts.get_or_insert_with(|| AccountFacts {
            account,
            nodes: proof.nodes,
            slots: BTreeMap::new(),
            code: None,
            provider: provider.clone(),
        });
        let slots: Vec<(B256, &[Bytes])> =
            proof.slots.iter().map(|slot| (slot.key, slot.nodes.as_slice())).collect();
        for (slot, proof) in facts.account.slots(&slots).into_iter().zip(&proof.slots) {
            facts.slots.insert(proof.key, SlotFacts { slot: slot?, nodes: proof.nodes.clone() });
        }
    }
    let mut facts = facts.ok_or(LEFT_OUT)?;
    for key in &need.keys {
        if facts.slots.contains_key(key) {
            continue;
        }
        // Some clients leave out the slots of an account that has no storage. Its own proof says that they are empty.
        let slot = facts.account.slot::<Bytes>(*key, &[]).map_err(|_| LEFT_OUT)?;
        facts.slots.insert(*key, SlotFacts { slot, nodes: Vec::new() });
    }
    if need.code {
        // An account without code needs no answer about it.
        codes.push(HashedCode::new(Bytes::new()));
        let hash = facts.code_hash();
        let of_account = codes.into_iter().find(|code| code.hash() == hash);
        facts.code = Some(of_account.ok_or(without_code)?);
    }
    Ok(facts)
}
