//! Whether the sequencer of a rollup announced the block of a claim.

use std::fmt;

use alloy_primitives::Address;

/// The sequencer of a rollup announced the block of a claim: it signed the block, or one that follows it.
///
/// It is a label of a reading that is not proven, and no level: a [`Policy`](crate::Policy) cannot ask for it in place of one. Its words
/// say what one trusts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announced {
    signer: Address,
}

impl Announced {
    /// The label of a block that the key of this address signed, or that one follows which it signed.
    pub const fn by(signer: Address) -> Self {
        Self { signer }
    }

    /// Returns the address of the sequencer's key, which L1 names.
    pub const fn signer(&self) -> Address {
        self.signer
    }
}

/// What is known, and what one trusts, in a sentence.
impl fmt::Display for Announced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the sequencer {} announced this block; that proves nothing: one trusts its key, which can sign two blocks of one number",
            self.signer
        )
    }
}
