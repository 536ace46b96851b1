//! Which questions the proofs of several holdings take. What several holdings need is asked once.

use std::collections::BTreeSet;
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use saldo_reading::{Asset, Failure, Holding};
use saldo_source::SortedMap;
use saldo_source::execution::{At, Question};
use saldo_token::{Hint, Query};
use serde_json::value::RawValue;

/// One question and its result, as it came.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) question: Question,
    pub(super) result: Box<RawValue>,
}

/// A result about one holding. Holdings can share it.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) part: Arc<Part>,
    /// The slots that this holding needs of it.
    pub(super) keys: Vec<B256>,
}

/// The results about one holding. For the native coin it is one.
pub(super) type Parts = Vec<Piece>;

/// The questions about several holdings at one block.
pub(super) struct Plan {
    pub(super) questions: Vec<Question>,
    /// The places of the questions of each holding, each with the slots that it needs.
    of: Vec<Vec<(usize, Vec<B256>)>>,
}

impl Plan {
    /// The most slots that are asked for in one question.
    const KEYS: usize = 64;

    /// Plans the questions about `holdings` at the block `at`. `hint` says what tokens were the last time.
    pub(super) fn new(holdings: &[Holding], at: At, hint: &Hint) -> Self {
        let mut draft = Draft { at, questions: Vec::with_capacity(holdings.len()), proofs: SortedMap::new() };
        let of = holdings.iter().map(|holding| match holding.asset() {
            Asset::Erc20(token) => draft.add(&hint.query(token, holding.owner())),
            _ => vec![draft.proof(holding.owner(), Vec::new())],
        });
        let of = of.collect();
        Self { questions: draft.questions, of }
    }

    /// Returns the results of each holding, from those of all questions. A holding fails with the first of its questions that
    /// failed.
    pub(super) fn collect(&self, each: Vec<Result<Box<RawValue>, Failure>>) -> Vec<Result<Parts, Failure>> {
        let part = |(question, result): (&Question, Result<Box<RawValue>, Failure>)| {
            result.map(|result| Arc::new(Part { question: question.clone(), result }))
        };
        let parts: Vec<Result<Arc<Part>, Failure>> = self.questions.iter().zip(each).map(part).collect();
        let found = |(place, keys): &(usize, Vec<B256>)| {
            let part = parts.get(*place).cloned().unwrap_or(Err(Failure::NoResult));
            part.map(|part| Piece { part, keys: keys.clone() })
        };
        self.of.iter().map(|places| places.iter().map(found).collect()).collect()
    }
}

struct Draft {
    at: At,
    questions: Vec<Question>,
    /// The place of the newest question about each account.
    proofs: SortedMap<Address, usize>,
}

impl Draft {
    /// Adds what `query` asks for, and returns the places of its questions.
    fn add(&mut self, query: &Query) -> Vec<(usize, Vec<B256>)> {
        let mut places: Vec<(usize, Vec<B256>)> = Vec::new();
        for (address, keys) in query.slots() {
            places.push(self.proof(*address, keys.iter().copied().collect()));
        }
        for address in query.codes() {
            let question = Question::Code { address: *address, at: self.at };
            let asked = self.questions.iter().position(|asked| *asked == question);
            places.push((asked.unwrap_or_else(|| self.push(question)), Vec::new()));
        }
        places
    }

    /// Adds a question for the proof of an account with these slots, or adds the slots to the question that is there.
    fn proof(&mut self, address: Address, needed: Vec<B256>) -> (usize, Vec<B256>) {
        let place = self.proofs.get(&address).copied();
        let asked = place.and_then(|place| Some((place, self.questions.get_mut(place)?)));
        if let Some((place, Question::Proof { keys, .. })) = asked {
            let new: Vec<B256> = needed.iter().filter(|key| !keys.contains(key)).copied().collect();
            if keys.len().saturating_add(new.len()) <= Plan::KEYS {
                keys.extend(new);
                return (place, needed);
            }
        }
        let place = self.push(Question::Proof { address, keys: needed.clone(), at: self.at });
        self.proofs.insert(address, place);
        (place, needed)
    }

    fn push(&mut self, question: Question) -> usize {
        self.questions.push(question);
        self.questions.len().saturating_sub(1)
    }
}

/// Whether `parts` are the answers to everything that `query` asks for.
pub(super) fn covers(parts: &Parts, query: &Query) -> bool {
    let has_proof = |(address, keys): (&Address, &BTreeSet<B256>)| {
        parts.iter().any(|piece| match &piece.part.question {
            Question::Proof { address: asked, .. } => {
                asked == address && keys.iter().all(|key| piece.keys.contains(key))
            }
            _ => false,
        })
    };
    let has_code = |address: &Address| {
        parts.iter().any(|piece| match &piece.part.question {
            Question::Code { address: asked, .. } => asked == address,
            _ => false,
        })
    };
    query.slots().iter().all(has_proof) && query.codes().iter().all(has_code)
}

#[cfg(test)]
mod tests {
    use saldo_reading::NetworkId;

    use super::*;

    const NETWORK: NetworkId = NetworkId::new(1);
    const USDT: Address = alloy_primitives::address!("dAC17F958D2ee523a2206206994597C13D831ec7");

    fn keys(question: &Question) -> usize {
        match question {
            Question::Proof { keys, .. } => keys.len(),
            _ => 0,
        }
    }

    #[test]
    fn what_several_holdings_need_is_asked_once() {
        let owners: Vec<Address> = (1..=200).map(Address::repeat_byte).collect();
        let tokens = owners.iter().map(|owner| Holding::erc20(NETWORK, *owner, USDT));
        let holdings: Vec<Holding> =
            tokens.chain([Holding::native(NETWORK, USDT), Holding::native(NETWORK, owners[0])]).collect();
        let plan = Plan::new(&holdings, At::Number(7), &Hint::well_known(1));
        // Each holder has one slot, and all share the guard.
        assert!(plan.questions.iter().all(|question| keys(question) <= Plan::KEYS));
        assert_eq!(plan.questions.len(), 4 + 1);
        assert!(plan.of.iter().all(|places| places.len() == 1));
        let query = Hint::well_known(1).query(USDT, owners[150]);
        let results = plan.questions.iter().map(|_| Ok(RawValue::from_string("1".to_owned()).unwrap()));
        let parts = plan.collect(results.collect());
        assert!(covers(parts[150].as_ref().unwrap(), &query));
        assert!(!covers(parts[0].as_ref().unwrap(), &query), "another question has that slot");
    }

    #[test]
    fn a_holding_fails_with_the_first_question_that_fails() {
        let owner = Address::repeat_byte(1);
        let usdc = alloy_primitives::address!("A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48");
        let holdings = [Holding::erc20(NETWORK, owner, usdc), Holding::native(NETWORK, owner)];
        let plan = Plan::new(&holdings, At::Latest, &Hint::well_known(1));
        assert_eq!(plan.questions.len(), 3, "the token, its implementation, and the owner");
        let result = || Ok(RawValue::from_string("1".to_owned()).unwrap());
        let parts = plan.collect(vec![result(), Err(Failure::NotSynced), result()]);
        assert_eq!(parts[0].as_ref().unwrap_err(), &Failure::NotSynced);
        assert_eq!(parts[1].as_ref().unwrap().len(), 1);
        let parts = plan.collect(vec![result()]);
        assert_eq!(parts[1].as_ref().unwrap_err(), &Failure::NoResult);
    }
}
