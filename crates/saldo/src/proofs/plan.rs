//! Which questions the proofs of several holdings take. What several holdings need is asked once.

use std::collections::BTreeSet;
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use saldo_reading::Failure;
use saldo_source::SortedMap;
use saldo_source::execution::{At, Question};
use saldo_token::Query;
use serde_json::value::RawValue;

/// One question and its result, as it came. Only a question for code may have failed: it can be one that nothing needs.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) question: Question,
    pub(super) result: Result<Box<RawValue>, Failure>,
}

/// A result about one holding. Holdings can share it.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) part: Arc<Part>,
    /// The slots that this holding needs of it.
    pub(super) keys: Vec<B256>,
}

/// The results about one holding. For the native coin it is one.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pieces: Vec<Piece>,
    is_over: bool,
    /// Whether more was asked for than was known to be needed.
    is_guessed: bool,
}

impl Parts {
    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The first failure of a question for code.
    pub(super) fn failure(&self) -> Option<&Failure> {
        self.pieces.iter().find_map(|piece| piece.part.result.as_ref().err())
    }

    /// Whether the token asked for more than saldo asks for one balance. All that was asked for came.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    pub(super) fn mark_over(&mut self) {
        self.is_over = true;
    }

    /// Whether more was asked for than was known to be needed.
    pub(super) fn is_guessed(&self) -> bool {
        self.is_guessed
    }

    /// The same results. Whether more was asked for than was known to be needed.
    pub(super) fn guessed(self, is_guessed: bool) -> Self {
        Self { is_guessed, ..self }
    }

    /// Drops what `query` does not ask for, where more was asked for than was known to be needed.
    pub(super) fn keep(&mut self, query: &Query) {
        if !std::mem::take(&mut self.is_guessed) {
            return;
        }
        self.pieces.retain_mut(|piece| match &piece.part.question {
            Question::Proof { address, .. } => query.slots().get(address).is_some_and(|keys| {
                piece.keys.retain(|key| keys.contains(key));
                // Another question about this account has the slots.
                !piece.keys.is_empty() || keys.is_empty()
            }),
            Question::Code { address, .. } => query.slots().contains_key(address),
            _ => true,
        });
    }
}

/// What a holding needs.
#[derive(Clone, Debug)]
pub(super) enum Need {
    /// The account of the owner.
    Account(Address),
    /// What the balance of a token follows from.
    Token(Query),
}

/// The questions about several holdings at one block.
pub(super) struct Plan {
    pub(super) questions: Vec<Question>,
    /// The places of the questions of each holding, each with the slots that it needs.
    of: Vec<Vec<(usize, Vec<B256>)>>,
}

impl Plan {
    /// The most slots that are asked for in one question.
    const KEYS: usize = 64;

    /// Plans the questions for `needs` at the block `at`.
    pub(super) fn new(needs: &[Need], at: At) -> Self {
        let mut draft = Draft {
            at,
            questions: Vec::with_capacity(needs.len()),
            proofs: SortedMap::new(),
            codes: SortedMap::new(),
        };
        let of = needs.iter().map(|need| match need {
            Need::Token(query) => draft.add(query),
            Need::Account(owner) => vec![draft.proof(*owner, Vec::new())],
        });
        let of = of.collect();
        Self { questions: draft.questions, of }
    }

    /// Returns the results of each holding, from those of all questions. A holding fails with the first of its questions for
    /// proofs that failed.
    pub(super) fn collect(&self, each: Vec<Result<Box<RawValue>, Failure>>) -> Vec<Result<Parts, Failure>> {
        let part = |(question, result): (&Question, Result<Box<RawValue>, Failure>)| {
            let is_code = matches!(question, Question::Code { .. });
            match result {
                Err(failure) if !is_code => Err(failure),
                result => Ok(Arc::new(Part { question: question.clone(), result })),
            }
        };
        let parts: Vec<Result<Arc<Part>, Failure>> = self.questions.iter().zip(each).map(part).collect();
        let found = |(place, keys): &(usize, Vec<B256>)| {
            let part = parts.get(*place).cloned().unwrap_or(Err(Failure::NoResult));
            part.map(|part| Piece { part, keys: keys.clone() })
        };
        let of_holding = |places: &Vec<(usize, Vec<B256>)>| {
            let pieces = places.iter().map(found).collect::<Result<_, _>>()?;
            Ok(Parts { pieces, is_over: false, is_guessed: false })
        };
        self.of.iter().map(of_holding).collect()
    }

    /// Returns how many questions each holding needs.
    pub(super) fn counts(&self) -> Vec<usize> {
        self.of.iter().map(Vec::len).collect()
    }
}

struct Draft {
    at: At,
    questions: Vec<Question>,
    /// The place of the newest question about each account.
    proofs: SortedMap<Address, usize>,
    /// The place of the question for the code of each account.
    codes: SortedMap<Address, usize>,
}

impl Draft {
    /// Adds what `query` asks for, and returns the places of its questions.
    fn add(&mut self, query: &Query) -> Vec<(usize, Vec<B256>)> {
        let mut places: Vec<(usize, Vec<B256>)> = Vec::new();
        for (address, keys) in query.slots() {
            let keys: Vec<B256> = keys.iter().copied().collect();
            let (first, others) = keys.split_at_checked(Plan::KEYS).unwrap_or((keys.as_slice(), &[]));
            places.push(self.proof(*address, first.to_vec()));
            places.extend(others.chunks(Plan::KEYS).map(|keys| self.proof(*address, keys.to_vec())));
        }
        places.extend(query.codes().iter().map(|address| (self.code(*address), Vec::new())));
        places
    }

    /// The place of the question for the code of an account.
    fn code(&mut self, address: Address) -> usize {
        if let Some(place) = self.codes.get(&address) {
            return *place;
        }
        let place = self.push(Question::Code { address, at: self.at });
        self.codes.insert(address, place);
        place
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
        let is_about = |piece: &&Piece| match &piece.part.question {
            Question::Proof { address: asked, .. } => asked == address,
            _ => false,
        };
        let pieces = || parts.pieces.iter().filter(is_about);
        pieces().next().is_some() && keys.iter().all(|key| pieces().any(|piece| piece.keys.contains(key)))
    };
    let has_code = |address: &Address| {
        parts.pieces.iter().any(|piece| match &piece.part.question {
            Question::Code { address: asked, .. } => asked == address,
            _ => false,
        })
    };
    query.slots().iter().all(has_proof) && query.codes().iter().all(has_code)
}

#[cfg(test)]
mod tests {
    use saldo_token::Hint;

    use super::*;

    const USDT: Address = alloy_primitives::address!("dAC17F958D2ee523a2206206994597C13D831ec7");

    fn token(token: Address, owner: Address) -> Need {
        Need::Token(Hint::well_known(1).query(token, owner))
    }

    fn keys(question: &Question) -> usize {
        match question {
            Question::Proof { keys, .. } => keys.len(),
            _ => 0,
        }
    }

    #[test]
    fn what_several_holdings_need_is_asked_once() {
        let owners: Vec<Address> = (1..=200).map(Address::repeat_byte).collect();
        let tokens = owners.iter().map(|owner| token(USDT, *owner));
        let needs: Vec<Need> = tokens.chain([Need::Account(USDT), Need::Account(owners[0])]).collect();
        let plan = Plan::new(&needs, At::Number(7));
        assert!(plan.counts().iter().all(|questions| *questions == 1));
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
    fn many_slots_of_one_account_are_several_questions() {
        let key = |number: usize| B256::from(alloy_primitives::U256::from(number));
        let mut query = Query::code(USDT);
        (0..2 * Plan::KEYS + 3).for_each(|number| query.add_slot(USDT, key(number)));
        let other = Need::Token(Query::slot(USDT, key(1_000)));
        let plan = Plan::new(&[Need::Token(query.clone()), other], At::Latest);
        assert_eq!(plan.questions.iter().map(keys).collect::<Vec<_>>(), [64, 64, 4, 0]);
        assert_eq!(plan.counts(), [4, 1]);
        let results = plan.questions.iter().map(|_| Ok(RawValue::from_string("1".to_owned()).unwrap()));
        let parts = plan.collect(results.collect());
        let all = parts[0].as_ref().unwrap();
        assert!(covers(all, &query));
        query.add_slot(USDT, key(1_000));
        assert!(!covers(all, &query), "the other holding asked for it");
        assert!(!covers(all, &Query::account(Address::ZERO)));
        assert!(!covers(parts[1].as_ref().unwrap(), &Query::code(USDT)));
    }

    #[test]
    fn a_holding_fails_with_the_first_question_that_fails() {
        let owner = Address::repeat_byte(1);
        let usdc = alloy_primitives::address!("A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48");
        let plan = Plan::new(&[token(usdc, owner), Need::Account(owner)], At::Latest);
        assert_eq!(plan.questions.len(), 3, "the token, its implementation, and the owner");
        let result = || Ok(RawValue::from_string("1".to_owned()).unwrap());
        let parts = plan.collect(vec![result(), Err(Failure::NotSynced), result()]);
        assert_eq!(parts[0].as_ref().unwrap_err(), &Failure::NotSynced);
        assert_eq!(parts[1].as_ref().unwrap().pieces().len(), 1);
        let parts = plan.collect(vec![result()]);
        assert_eq!(parts[1].as_ref().unwrap_err(), &Failure::NoResult);
    }
}
