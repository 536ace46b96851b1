//! An execution header that is trusted, with the reason why.

use std::fmt;
use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use saldo_beacon::Origin;
use saldo_beacon::container::ExecutionPayloadHeader;
use saldo_beacon::unit::UnixTime;
use saldo_proof::StateRoot;

use crate::assurance::{Assurance, Voucher};
use crate::header::ExecutionHeader;

/// How a header follows from the signed head, or of a rollup from the block whose output root L1 accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Path {
    /// It is that head's own execution header.
    Head,
    /// It is an ancestor of that head, found by parent hashes.
    Ancestor {
        /// How many blocks below the head.
        depth: u64,
    },
    /// The chain's own record of block hashes has its hash, in the state of the block `under`
    /// ([EIP-2935](https://eips.ethereum.org/EIPS/eip-2935)).
    History {
        /// The number of the trusted block whose state has the record.
        under: u64,
    },
}

/// The source of a block's header, kept so that the header can be checked again after a restart.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The header's own RLP, which hashes to the block's hash.
    Rlp(Bytes),
    /// The header of the payload in the signed beacon block. That block commits to it by its hash tree root.
    Payload(Arc<ExecutionPayloadHeader>),
    /// The same, from storage. That it belongs to the block's hash was not checked again.
    Claimed(Arc<ExecutionPayloadHeader>),
}

/// Writes only the kind: the anchor's other fields have what the bytes say.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rlp(_) => "Rlp",
            Self::Payload(_) => "Payload",
            Self::Claimed(_) => "Claimed",
        })
    }
}

/// An execution header that is trusted, with the reason why. [`Chain`](crate::Chain) builds it, or [`Anchor::load`]
/// reads it from storage.
///
/// A clone shares all of it: a wallet with many addresses has many readings at one block.
#[derive(Clone, Debug)]
pub struct Anchor(pub(crate) Arc<Trusted>);

/// What an [`Anchor`] says.
#[derive(Clone, Debug)]
pub(crate) struct Trusted {
    pub(crate) chain_id: u64,
    pub(crate) number: u64,
    pub(crate) hash: B256,
    pub(crate) state_root: StateRoot,
    pub(crate) timestamp: UnixTime,
    pub(crate) source: Source,
    pub(crate) assurance: Assurance,
    pub(crate) path: Path,
    pub(crate) origin: Origin,
}

/// Two anchors are equal if they say the same. The source of the header does not count.
impl PartialEq for Anchor {
    fn eq(&self, other: &Self) -> bool {
        let told = |anchor: &Self| {
            let block =
                (anchor.chain_id(), anchor.number(), anchor.hash(), anchor.state_root(), anchor.timestamp());
            (block, anchor.assurance(), anchor.path())
        };
        told(self) == told(other) && self.origin() == other.origin()
    }
}

impl Eq for Anchor {}

impl Trusted {
    pub(crate) fn anchor(self) -> Anchor {
        Anchor(Arc::new(self))
    }
}

impl Anchor {
    /// Makes the anchor of a head whose own object has the whole header.
    pub(crate) fn of_payload(payload: &ExecutionPayloadHeader, voucher: &Voucher) -> Self {
        Trusted {
            chain_id: voucher.chain_id,
            number: payload.block_number,
            hash: payload.block_hash,
            state_root: StateRoot::new(payload.state_root),
            timestamp: UnixTime::from_secs(payload.timestamp),
            source: Source::Payload(Arc::new(payload.clone())),
            assurance: voucher.assurance,
            path: Path::Head,
            origin: voucher.origin.clone(),
        }
        .anchor()
    }

    /// Makes the anchor of a head that was known by its hash, from its `header`.
    pub(crate) fn of_header(header: &ExecutionHeader, voucher: &Voucher) -> Self {
        Trusted {
            chain_id: voucher.chain_id,
            number: header.number(),
            hash: header.hash(),
            state_root: header.state_root(),
            timestamp: header.timestamp(),
            source: Source::Rlp(header.rlp().clone()),
            assurance: voucher.assurance,
            path: Path::Head,
            origin: voucher.origin.clone(),
        }
        .anchor()
    }

    /// Returns the same block as the block of a head that was known by its hash.
    pub(crate) fn vouched_by(&self, voucher: &Voucher) -> Self {
        Trusted {
            assurance: voucher.assurance,
            path: Path::Head,
            origin: voucher.origin.clone(),
            ..(*self.0).clone()
        }
        .anchor()
    }

    /// Makes the anchor of a block whose hash the state of `under` records. It has the assurance of `under`.
    pub(crate) fn recorded(header: &ExecutionHeader, under: &Self) -> Self {
        Trusted {
            number: header.number(),
            hash: header.hash(),
            state_root: header.state_root(),
            timestamp: header.timestamp(),
            source: Source::Rlp(header.rlp().clone()),
            path: Path::History { under: under.number() },
            ..(*under.0).clone()
        }
        .anchor()
    }

    /// Returns the same block as one whose hash the state of `under` records.
    pub(crate) fn recorded_again(&self, under: &Self) -> Self {
        Trusted {
            assurance: under.assurance(),
            path: Path::History { under: under.number() },
            origin: under.origin().clone(),
            ..(*self.0).clone()
        }
        .anchor()
    }

    /// Makes the anchor of the parent of `child`. It has the assurance of the child, because the child's hash commits
    /// to it.
    pub(crate) fn parent_of(child: &Self, header: &ExecutionHeader) -> Self {
        let depth = match child.path() {
            Path::Head | Path::History { .. } => 1,
            Path::Ancestor { depth } => depth.saturating_add(1),
        };
        Trusted {
            number: header.number(),
            hash: header.hash(),
            state_root: header.state_root(),
            timestamp: header.timestamp(),
            source: Source::Rlp(header.rlp().clone()),
            path: Path::Ancestor { depth },
            ..(*child.0).clone()
        }
        .anchor()
    }

    /// Returns the same block as a final one: an ancestor of the finalized block `number`.
    pub(crate) fn final_below(&self, number: u64, assurance: Assurance) -> Self {
        let path = Path::Ancestor { depth: number.saturating_sub(self.number()) };
        Trusted { assurance, path, ..(*self.0).clone() }.anchor()
    }

    /// Whether it was checked that the header belongs to the hash: the header was hashed here, or it is in a signed
    /// block. That was not checked for the header of a payload from storage.
    pub(crate) fn is_bound(&self) -> bool {
        !matches!(self.0.source, Source::Claimed(_))
    }

    pub(crate) fn with_assurance(&self, assurance: Assurance) -> Self {
        Trusted { assurance, ..(*self.0).clone() }.anchor()
    }

    /// Returns the chain id (EIP-155) of the chain that the header belongs to.
    pub fn chain_id(&self) -> u64 {
        self.0.chain_id
    }

    /// Returns the block number.
    pub fn number(&self) -> u64 {
        self.0.number
    }

    /// Returns the block hash: keccak256 of the header's RLP.
    pub fn hash(&self) -> B256 {
        self.0.hash
    }

    /// Returns the root of the state after this block.
    pub fn state_root(&self) -> StateRoot {
        self.0.state_root
    }

    /// Returns the block's own time.
    pub fn timestamp(&self) -> UnixTime {
        self.0.timestamp
    }

    /// Returns how sure it is that the block belongs to the chain.
    pub fn assurance(&self) -> Assurance {
        self.0.assurance
    }

    /// Returns the header, if its bytes are known; `None` where the signed block has the header in another form. Then the bytes can be
    /// asked for by their [hash](Self::hash).
    pub fn header(&self) -> Option<ExecutionHeader> {
        match &self.0.source {
            Source::Rlp(rlp) => ExecutionHeader::from_rlp(rlp, self.hash()).ok(),
            Source::Payload(_) | Source::Claimed(_) => None,
        }
    }

    /// Returns how the header follows from the signed head.
    pub fn path(&self) -> Path {
        self.0.path
    }

    /// Returns what trust started from, and who vouched for it.
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }
}

#[cfg(test)]
mod tests {
    use saldo_beacon::unit::Slot;
    use saldo_beacon::{Checkpoint, Finality};

    use super::*;
    use crate::header::tests::header;

    const SIGNED: Assurance = Assurance::Signed { signers: 400, size: 512 };
    const FINAL: Assurance = Assurance::Finalized(Finality::Checkpoint);

    fn voucher(assurance: Assurance, root: u8) -> Voucher {
        let origin = Checkpoint { root: B256::repeat_byte(root), slot: None }.into();
        Voucher { chain_id: 1, assurance, origin, at: Slot::new(9) }
    }

    /// What an anchor says about its block, without its assurance.
    fn block(anchor: &Anchor) -> (u64, u64, B256, StateRoot, UnixTime) {
        (anchor.chain_id(), anchor.number(), anchor.hash(), anchor.state_root(), anchor.timestamp())
    }

    #[test]
    fn an_ancestor_that_becomes_a_head_is_marked_as_a_head() {
        let (head, parent) = (header(10, B256::ZERO), header(9, B256::ZERO));
        let below = Anchor::parent_of(&Anchor::of_header(&head, &voucher(SIGNED, 1)), &parent);
        let again = below.vouched_by(&voucher(FINAL, 2));
        assert_eq!(again, Anchor::of_header(&parent, &voucher(FINAL, 2)));
    }

    #[test]
    fn ancestors_count_their_depth_and_have_their_own_time() {
        let headers = [header(10, B256::ZERO), header(9, B256::ZERO), header(8, B256::ZERO)];
        let head = Anchor::of_header(&headers[0], &voucher(SIGNED, 1));
        let parent = Anchor::parent_of(&head, &headers[1]);
        let grandparent = Anchor::parent_of(&parent, &headers[2]);
        assert_eq!(
            (parent.path(), grandparent.path()),
            (Path::Ancestor { depth: 1 }, Path::Ancestor { depth: 2 })
        );
        assert_eq!(block(&grandparent), block(&Anchor::of_header(&headers[2], &voucher(SIGNED, 1))));
        assert_eq!(grandparent.assurance(), SIGNED);
        assert_eq!(grandparent.header().as_ref(), Some(&headers[2]));
    }

    #[test]
    fn a_recorded_block_has_the_assurance_of_the_recording_block() {
        let old = header(3, B256::ZERO);
        let under = Anchor::of_header(&header(10, B256::ZERO), &voucher(FINAL, 2));
        let recorded = Anchor::recorded(&old, &under);
        assert_eq!(block(&recorded), block(&Anchor::of_header(&old, &voucher(FINAL, 2))));
        assert_eq!((recorded.assurance(), recorded.path()), (FINAL, Path::History { under: 10 }));
        assert_eq!(recorded.origin(), under.origin());
        assert_eq!(Anchor::of_header(&old, &voucher(SIGNED, 1)).recorded_again(&under), recorded);
    }
}
