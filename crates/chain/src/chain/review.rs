//! What a change of the chain means for the blocks that the state of other blocks records.

use std::collections::BTreeMap;

use super::block::Block;
use crate::history::Recorded;
use crate::level::Level;

/// Updates the recorded blocks. Each has the assurance of the block whose state records it, and is dropped with that block unless it is
/// final itself. At most `most` are kept.
pub(super) fn recorded(recorded: &mut BTreeMap<u64, Recorded>, blocks: &BTreeMap<u64, Block>, most: usize) {
    recorded.retain(|number, recorded| {
        if recorded.is_final() {
            return true;
        }
        let other = blocks.get(number).map(|block| block.anchor.hash());
        if other.is_some_and(|other| other != recorded.anchor.hash()) {
            return false;
        }
        let (under, hash) = recorded.under;
        let Some(under) = blocks.get(&under).filter(|under| under.anchor.hash() == hash) else {
            return false;
        };
        if under.anchor.assurance().level() == Level::Finalized {
            recorded.anchor = recorded.anchor.with_assurance(under.anchor.assurance());
        }
        true
    });
    while recorded.len() > most {
        recorded.pop_first();
    }
}
