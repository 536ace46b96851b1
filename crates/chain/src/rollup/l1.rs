//! The L1 block under which a rollup's contracts are read.

use std::time::Duration;

use crate::{Anchor, Level};
use alloy_primitives::{Address, B256, U256, b256};
use saldo_beacon::unit::UnixTime;
use saldo_proof::{ProvenState, Query};

use crate::rollup::obstacle::{Contract, Obstacle, Refusal};
use crate::rollup::profile::Profile;
use crate::rollup::word::Word;

/// A final and recent L1 block, and what is proven under its state.
#[derive(Clone, Copy, Debug)]
pub struct L1State<'a> {
    profile: &'a Profile,
    anchor: &'a Anchor,
    state: &'a ProvenState,
}

/// keccak256 of `systemconfig.unsafeblocksigner`.
const SIGNER_SLOT: B256 = b256!("65a7ed542fb37fe237fdfbdd70b31598523fe5b32879e307bae27a0bd9581c08");

impl<'a> L1State<'a> {
    /// How old the L1 block may be, unless the caller decides otherwise. A final block of Ethereum is 13 to 20 minutes old. Under an
    /// older one a game may still count that was taken back since.
    pub const MAX_AGE: Duration = Duration::from_secs(60 * 60);

    /// Takes the L1 block `anchor` and what is proven under its state. `now` is the protocol's time, which is only used to refuse an
    /// old block. Whether a game is over is judged by the block's own time.
    ///
    /// # Errors
    /// [`Refusal`] if the block is of another chain, not final or older than `max_age`, or the proofs are of another state.
    pub fn new(
        profile: &'a Profile,
        anchor: &'a Anchor,
        state: &'a ProvenState,
        now: UnixTime,
        max_age: Duration,
    ) -> Result<Self, Refusal> {
        let (got, expected) = (anchor.chain_id(), profile.l1_chain_id());
        if got != expected {
            return Err(Refusal::OtherL1 { got, expected });
        }
        let (got, expected) = (state.root().get(), anchor.state_root().get());
        if got != expected {
            return Err(Refusal::OtherRoot { got, expected });
        }
        if anchor.assurance().level() < Level::Finalized {
            return Err(Refusal::L1NotFinal);
        }
        let age = now.saturating_sub(anchor.timestamp());
        if age > max_age {
            return Err(Refusal::L1TooOld { age, limit: max_age });
        }
        Ok(Self { profile, anchor, state })
    }

    /// Returns the address whose signatures the rollup's nodes take as those of the sequencer.
    ///
    /// # Errors
    /// [`Obstacle`] if the slot is not proven, or holds no address.
    pub fn sequencer(&self) -> Result<Option<Address>, Obstacle> {
        let Some(system_config) = self.profile.system_config() else { return Ok(None) };
        let mut reader = self.reader();
        let word = reader.word(system_config, SIGNER_SLOT);
        reader.finish()?;
        if !word.is_address() {
            return Err(Refusal::Layout { contract: Contract::SystemConfig }.into());
        }
        Ok(Some(word.address(0)))
    }

    pub(crate) fn profile(&self) -> &'a Profile {
        self.profile
    }

    pub(crate) fn anchor(&self) -> &'a Anchor {
        self.anchor
    }

    pub(crate) fn state(&self) -> &'a ProvenState {
        self.state
    }

    /// Returns the block's own time, in seconds.
    pub(crate) fn time(&self) -> u64 {
        self.anchor.timestamp().as_secs()
    }

    pub(crate) fn reader(&self) -> Reader<'a> {
        Reader::new(self.state)
    }
}

/// Reads proven slots, and collects what is not proven, so that one round of proofs brings all of it.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    state: &'a ProvenState,
    missing: Query,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(state: &'a ProvenState) -> Self {
        Self { state, missing: Query::default() }
    }

    /// Returns the word in a slot. It is zero if it is not proven; then [`Reader::finish`] fails.
    pub(crate) fn word(&mut self, address: Address, key: B256) -> Word {
        let word = self.state.word(address, key);
        if word.is_none() {
            self.missing.add_slot(address, key);
        }
        Word::new(word.unwrap_or_default())
    }

    /// Returns the hash of an account's code. It is zero if it is not proven; then [`Reader::finish`] fails.
    pub(crate) fn code_hash(&mut self, address: Address) -> B256 {
        let hash = self.state.code_hash_of(address);
        if hash.is_none() {
            self.missing.add_account(address);
        }
        hash.unwrap_or_default()
    }

    /// Asks for an account's code, if it is not there.
    pub(crate) fn code(&mut self, address: Address) -> &'a [u8] {
        let hash = self.code_hash(address);
        match self.state.code_with_hash(hash) {
            Some(code) => code.code(),
            None => {
                self.missing.add_code(address);
                &[]
            }
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`Obstacle::Missing`] if anything that was read is not proven.
    pub(crate) fn finish(self) -> Result<(), Obstacle> {
        if self.missing.is_empty() { Ok(()) } else { Err(Obstacle::Missing(self.missing)) }
    }
}

/// Returns the key of the slot `number`.
pub(crate) fn slot(number: u64) -> B256 {
    B256::from(U256::from(number))
}
