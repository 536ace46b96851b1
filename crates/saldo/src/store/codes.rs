//! The codes of tokens. Each is stored once, by its hash, however many readings use it.

use alloy_primitives::{B256, Bytes, keccak256};
use saldo_reading::Holding;
use saldo_source::{SortedMap, SortedSet};

use super::form::{self, Codes};
use crate::token_proof::TokenProof;

/// The most bytes of a code. Deployed code has at most 24 KB (EIP-170).
pub(super) const MAX_CODE: usize = 256 << 10;

/// A reading, by its holding and its block.
pub(super) type ReadingKey = (Holding, B256);

/// The codes in the storage, and which readings use them.
#[derive(Default)]
pub(super) struct CodeIndex {
    stored: SortedSet<B256>,
    uses: SortedMap<ReadingKey, Vec<B256>>,
    users: SortedMap<B256, usize>,
}

impl CodeIndex {
    pub(super) fn with_stored(stored: SortedSet<B256>) -> Self {
        Self { stored, ..Self::default() }
    }

    /// Whether it is stored, and a reading uses it.
    pub(super) fn has(&self, hash: &B256) -> bool {
        self.stored.contains(hash) && self.users_of(hash) > 0
    }

    /// Has `reading` use these codes and no other.
    pub(super) fn set(&mut self, reading: ReadingKey, codes: Vec<B256>) {
        for hash in self.uses.remove(&reading).unwrap_or_default() {
            if let Some(users) = self.users.get_mut(&hash) {
                *users = users.saturating_sub(1);
            }
        }
        for hash in &codes {
            add_one(&mut self.users, hash);
        }
        if !codes.is_empty() {
            self.uses.insert(reading, codes);
        }
    }

    /// Treats codes that no reading uses as not stored: the next write removes them, or writes them again.
    pub(super) fn drop_unused(&mut self) {
        let Self { stored, users, .. } = self;
        stored.retain(|hash| users.get(hash).is_some_and(|users| *users > 0));
    }

    fn users_of(&self, hash: &B256) -> usize {
        self.users.get(hash).copied().unwrap_or_default()
    }

    fn used_by(&self, reading: &ReadingKey) -> &[B256] {
        self.uses.get(reading).map_or(&[], Vec::as_slice)
    }
}

/// What a write changes of the codes.
#[derive(Default)]
pub(super) struct CodeChanges {
    /// The codes that are new.
    pub(super) put: Codes,
    /// Those that no reading uses any more.
    pub(super) removed: SortedSet<B256>,
    /// The proofs of tokens that are written, as they are written.
    written: SortedMap<ReadingKey, Written>,
    removed_readings: Vec<ReadingKey>,
}

impl CodeChanges {
    /// What changes where readings are removed and others are written.
    pub(super) fn between(
        index: &CodeIndex,
        removed_readings: &[ReadingKey],
        written: SortedMap<ReadingKey, Written>,
    ) -> Self {
        let mut lost: SortedMap<B256, usize> = SortedMap::new();
        for reading in removed_readings.iter().chain(written.keys()) {
            index.used_by(reading).iter().for_each(|hash| add_one(&mut lost, hash));
        }
        let mut gained: SortedMap<B256, usize> = SortedMap::new();
        let mut put = Codes::new();
        for (hash, code) in written.values().flat_map(|written| &written.codes) {
            add_one(&mut gained, hash);
            if !index.stored.contains(hash) {
                put.insert(*hash, code.clone());
            }
        }
        let is_unused = |(hash, lost): &(&B256, &usize)| {
            let gained = gained.get(*hash).copied().unwrap_or_default();
            index.users_of(hash).saturating_add(gained) <= **lost
        };
        let removed = lost.iter().filter(is_unused).map(|(hash, _)| *hash).collect();
        Self { put, removed, written, removed_readings: removed_readings.to_vec() }
    }

    /// The nodes of a reading, as they are written; `None` if it has no codes.
    pub(super) fn nodes_of(&self, reading: &ReadingKey) -> Option<&[Bytes]> {
        self.written.get(reading).map(|written| written.nodes.as_slice())
    }

    /// Has `index` say what is in the storage after the write.
    pub(super) fn apply_to(&self, index: &mut CodeIndex) {
        for reading in &self.removed_readings {
            index.set(*reading, Vec::new());
        }
        for (reading, written) in &self.written {
            index.set(*reading, written.codes.iter().map(|(hash, _)| *hash).collect());
        }
        index.stored.retain(|hash| !self.removed.contains(hash));
        index.stored.extend(self.put.keys().copied());
    }
}

/// The proof of a token's balance as it is written, and its codes, which are written by their hashes.
pub(super) struct Written {
    nodes: Vec<Bytes>,
    codes: Vec<(B256, Bytes)>,
}

impl Written {
    /// Splits a proof as it is kept in memory; `None` if it is not the proof of a token.
    pub(super) fn of(nodes: &[Bytes]) -> Option<Self> {
        let [proof] = nodes else { return None };
        let TokenProof { accounts, codes } = form::exactly(proof, proof.len())?;
        let codes: Vec<(B256, Bytes)> = codes.into_iter().map(|code| (keccak256(&code), code)).collect();
        let hashes: Vec<B256> = codes.iter().map(|(hash, _)| *hash).collect();
        let proof = alloy_rlp::encode(TokenProof { accounts, codes: Vec::new() });
        Some(Self { nodes: vec![proof.into(), alloy_rlp::encode(hashes).into()], codes })
    }
}

fn add_one(counts: &mut SortedMap<B256, usize>, hash: &B256) {
    let count = counts.entry(*hash).or_default();
    *count = count.saturating_add(1);
}
