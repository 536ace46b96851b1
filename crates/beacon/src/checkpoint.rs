//! The beacon block that trust starts from.

use core::fmt;
use core::str::FromStr;
use std::sync::Arc;

use alloy_primitives::B256;

use crate::unit::Slot;

/// A beacon block that the user vouches for, or that k of n independent sources vouch for.
///
/// Its text form is `0xROOT`, or `0xROOT@SLOT` to check the slot as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    /// Hash tree root of the beacon block header.
    pub root: B256,
    /// The block's slot, if it is known. A bootstrap at another slot is then refused.
    pub slot: Option<Slot>,
}

/// The text is not `0xROOT` or `0xROOT@SLOT`. The caller's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a checkpoint is written as 0xROOT or 0xROOT@SLOT, with a root of 64 hexadecimal digits")]
pub struct CheckpointFormatError;

impl FromStr for Checkpoint {
    type Err = CheckpointFormatError;

    fn from_str(text: &str) -> Result<Self, CheckpointFormatError> {
        let (root, slot) = match text.split_once('@') {
            Some((root, slot)) => (root, Some(slot)),
            None => (text, None),
        };
        if !root.starts_with("0x") || slot.is_some_and(|slot| !slot.bytes().all(|byte| byte.is_ascii_digit()))
        {
            return Err(CheckpointFormatError);
        }
        let root = root.parse().map_err(|_| CheckpointFormatError)?;
        let slot = slot.map(str::parse).transpose().map_err(|_| CheckpointFormatError)?;
        Ok(Self { root, slot })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.slot {
            Some(slot) => write!(formatter, "{}@{slot}", self.root),
            None => write!(formatter, "{}", self.root),
        }
    }
}

/// What trust starts from, and who vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    checkpoint: Checkpoint,
    voucher: Voucher,
}

/// Who vouches for a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Voucher {
    /// The caller that set up the client gave it.
    Caller,
    /// Independent operators named the same root when they were asked for the block at one slot.
    Agreement {
        /// The slot that they were asked about: the first of an epoch.
        slot: Slot,
        /// The operators that named this root, sorted and without duplicates.
        operators: Arc<[String]>,
    },
}

impl Origin {
    /// Makes the origin from a checkpoint that `voucher` vouches for.
    pub fn new(checkpoint: Checkpoint, voucher: Voucher) -> Self {
        Self { checkpoint, voucher }
    }

    /// Returns the beacon block that trust starts from.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Returns who vouches for it.
    pub fn voucher(&self) -> &Voucher {
        &self.voucher
    }
}

impl From<Checkpoint> for Origin {
    fn from(checkpoint: Checkpoint) -> Self {
        Self { checkpoint, voucher: Voucher::Caller }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        let root = B256::repeat_byte(0xab);
        for checkpoint in
            [Checkpoint { root, slot: None }, Checkpoint { root, slot: Some(Slot::new(14_017_856)) }]
        {
            assert_eq!(checkpoint.to_string().parse(), Ok(checkpoint));
        }
    }

    #[test]
    fn other_text_is_refused() {
        let root = B256::repeat_byte(1).to_string();
        for text in [
            "",
            "0x",
            "0x12",
            root.trim_start_matches("0x"),
            &format!("{root}@"),
            &format!("{root}@+1"),
            &format!("{root}@1@2"),
        ] {
            assert_eq!(text.parse::<Checkpoint>(), Err(CheckpointFormatError), "{text}");
        }
    }
}
