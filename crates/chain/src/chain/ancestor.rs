//! Which block of a number the newest head descends from.

use super::Chain;
use crate::anchor::Anchor;
use crate::level::Level;

impl Chain {
    /// Returns the block of this number from which the newest head is known to descend: by the hashes of parents, or by the record of
    /// a block on that way. A final block needs no way. `None` if it is not known, although a trusted block of that number may be.
    pub fn ancestor(&self, number: u64) -> Option<&Anchor> {
        let held = self.blocks.get(&number).map(|block| block.anchor.hash());
        let recorded = self.recorded.get(&number).map(|recorded| recorded.anchor.hash());
        let known = [held, recorded].into_iter().flatten().filter_map(|hash| self.at(number, hash));
        if let Some(last) = known.clone().find(|anchor| anchor.assurance().level() == Level::Finalized) {
            return Some(last);
        }
        let mut at = self.newest?;
        let mut hash = self.blocks.get(&at)?.anchor.hash();
        while at >= number {
            let block = self.blocks.get(&at).filter(|block| block.anchor.hash() == hash)?;
            if at == number {
                return self.at(number, hash);
            }
            let record = self.recorded.get(&number).filter(|record| record.under == (at, hash));
            if let Some(record) = record {
                return self.at(number, record.anchor.hash());
            }
            hash = block.parent_hash?;
            at = at.checked_sub(1)?;
        }
        None
    }
}

#[cfg(test)]
#[path = "ancestor_tests.rs"]
mod tests;
