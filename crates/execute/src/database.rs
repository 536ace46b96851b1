//! The database of the virtual machine: it has only what is known, and notes what was read.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use revm::Database;
use revm::bytecode::Bytecode;
use revm::database_interface::DBErrorMarker;
use revm::state::AccountInfo;
use saldo_proof::Query;

use crate::bound::{ACCOUNTS, Bound, CODE, SLOTS};
use crate::prepared;
use crate::refusal::Refusal;
use crate::source::Source;

/// The run was given up. The reason is in [`Known::refusal`].
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the run was given up")]
pub(crate) struct GivenUp;

impl DBErrorMarker for GivenUp {}

/// What is known, and what was read of it.
pub(crate) struct Known<'a> {
    source: &'a dyn Source,
    /// The number of the parent block, and its hash.
    parent: Option<(u64, B256)>,
    /// The accounts by the hash of their code.
    of_code: BTreeMap<B256, Address>,
    slots: usize,
    code_bytes: usize,
    pub(crate) touched: Query,
    pub(crate) refusal: Option<Refusal>,
}

impl<'a> Known<'a> {
    pub(crate) fn new(source: &'a dyn Source, parent: Option<(u64, B256)>) -> Self {
        let touched = Query::default();
        Self { source, parent, of_code: BTreeMap::new(), slots: 0, code_bytes: 0, touched, refusal: None }
    }

    /// Gives the run up. The first reason counts.
    fn give_up<T>(&mut self, reason: impl Into<Refusal>) -> Result<T, GivenUp> {
        self.refusal.get_or_insert(reason.into());
        Err(GivenUp)
    }

    fn miss<T>(&mut self, query: Query) -> Result<T, GivenUp> {
        self.touched.merge(query.clone());
        self.give_up(Refusal::Missing(query))
    }
}

impl Database for Known<'_> {
    type Error = GivenUp;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, GivenUp> {
        if self.touched.slots().len() >= ACCOUNTS && !self.touched.slots().contains_key(&address) {
            return self.give_up(Bound::Accounts);
        }
        self.touched.add_account(address);
        let Some(seen) = self.source.account(address) else {
            // Most accounts that a contract asks about are contracts that it calls: their code is needed next.
            let mut query = Query::account(address);
            query.add_code(address);
            return self.miss(query);
        };
        if !seen.exists {
            return Ok(None);
        }
        self.of_code.insert(seen.code_hash, address);
        let (balance, nonce, code_hash) = (seen.balance, seen.nonce, seen.code_hash);
        let code = (code_hash == KECCAK256_EMPTY).then(Bytecode::default);
        Ok(Some(AccountInfo { balance, nonce, code_hash, account_id: None, code }))
    }

    fn code_by_hash(&mut self, hash: B256) -> Result<Bytecode, GivenUp> {
        if hash == KECCAK256_EMPTY {
            return Ok(Bytecode::default());
        }
        let Some(code) = self.source.code(hash) else {
            return match self.of_code.get(&hash).copied() {
                Some(address) => self.miss(Query::code(address)),
                None => self.give_up(Refusal::Machine),
            };
        };
        self.code_bytes = self.code_bytes.saturating_add(code.code().len());
        if self.code_bytes > CODE {
            return self.give_up(Bound::Code);
        }
        Ok(prepared::bytecode(code))
    }

    fn storage(&mut self, address: Address, key: U256) -> Result<U256, GivenUp> {
        let key = B256::from(key);
        self.slots = self.slots.saturating_add(1);
        if self.slots > SLOTS {
            return self.give_up(Bound::Slots);
        }
        self.touched.add_slot(address, key);
        match self.source.word(address, key) {
            Some(word) => Ok(word),
            None if self.source.guesses() => Ok(U256::ZERO),
            None => self.miss(Query::slot(address, key)),
        }
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, GivenUp> {
        match self.parent {
            Some((parent, hash)) if parent == number => Ok(hash),
            _ => self.give_up(Refusal::BlockHash { number }),
        }
    }
}
