//! An anchor as bytes, for a reading that is stored on the device.

mod error;
mod payload;
mod vouched;

use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use alloy_rlp::{Decodable, Encodable, RlpDecodable, RlpEncodable};
use saldo_beacon::container::ExecutionPayloadHeader;
use saldo_beacon::unit::{Slot, UnixTime};
use saldo_beacon::{Checkpoint, Finality, Origin, Voucher};
use saldo_proof::StateRoot;

pub use error::StoredAnchorError;

use crate::anchor::{Anchor, Path, Source, Trusted};
use crate::assurance::Assurance;
use crate::header::ExecutionHeader;
use error::MAX_BYTES;
use payload::Payload;
use vouched::StoredVouched;

/// The content of the bytes. `header_root` is the root by which the signed block commits to the header.
#[derive(RlpEncodable, RlpDecodable)]
#[rlp(trailing)]
struct Stored {
    chain_id: u64,
    source: u8,
    header: Bytes,
    header_root: B256,
    assurance: u8,
    signers: u64,
    committee_size: u64,
    path: u8,
    path_number: u64,
    checkpoint: B256,
    /// The checkpoint's slot, if it is known.
    checkpoint_slot: Vec<u64>,
    /// The slot that operators were asked about, if operators agreed on the checkpoint.
    agreed_slot: Vec<u64>,
    operators: Vec<String>,
    /// Of a rollup's block only.
    vouched: Option<StoredVouched>,
}

const RLP: u8 = 0;
const PAYLOAD: u8 = 1;

const SIGNED: u8 = 0;
const FINAL_SIGNED: u8 = 1;
const FINAL_CHECKPOINT: u8 = 2;
const FINAL_FORCED: u8 = 3;
const ROLLUP: u8 = 4;

const HEAD: u8 = 0;
const ANCESTOR: u8 = 1;
const HISTORY: u8 = 2;

impl Anchor {
    /// The most bytes that [`Anchor::load`] reads. That is enough for a header and the names of some operators.
    pub const MAX_STORED_BYTES: usize = MAX_BYTES;

    /// Returns the anchor as bytes for [`Anchor::load`]: its header, and the reason why it is trusted.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (source, header, header_root) = match &self.0.source {
            Source::Rlp(rlp) => (RLP, rlp.clone(), self.hash()),
            Source::Payload(payload) | Source::Claimed(payload) => {
                (PAYLOAD, alloy_rlp::encode(Payload::from(&**payload)).into(), payload.hash_tree_root())
            }
        };
        let (assurance, signers, size) = match self.assurance() {
            Assurance::Signed { signers, size } => (SIGNED, signers, size),
            Assurance::Finalized(Finality::Signed { signers, size }) => (FINAL_SIGNED, signers, size),
            Assurance::Finalized(Finality::Checkpoint) => (FINAL_CHECKPOINT, 0, 0),
            Assurance::Finalized(Finality::Forced { signers, size }) => (FINAL_FORCED, signers, size),
            Assurance::Rollup(_) => (ROLLUP, 0, 0),
        };
        let (path, path_number) = match self.path() {
            Path::Head => (HEAD, 0),
            Path::Ancestor { depth } => (ANCESTOR, depth),
            Path::History { under } => (HISTORY, under),
        };
        let (agreed_slot, operators) = match self.origin().voucher() {
            Voucher::Agreement { slot, operators } => (Some(*slot), operators.to_vec()),
            _ => (None, Vec::new()),
        };
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let slot = |slot: Option<Slot>| slot.map(Slot::get).into_iter().collect();
        let checkpoint = self.origin().checkpoint();
        let stored = Stored {
            chain_id: self.chain_id(),
            source,
            header,
            header_root,
            assurance,
            signers: count(signers),
            committee_size: count(size),
            path,
            path_number,
            checkpoint: checkpoint.root,
            checkpoint_slot: slot(checkpoint.slot),
            agreed_slot: slot(agreed_slot),
            operators,
            vouched: self.assurance().vouched().as_ref().map(StoredVouched::of),
        };
        let mut bytes = Vec::with_capacity(stored.length());
        stored.encode(&mut bytes);
        bytes
    }

    /// Reads the bytes that [`Anchor::to_bytes`] returned for a block of chain `chain_id`.
    ///
    /// The header is hashed again. Two things cannot be checked again: why the block is trusted, because the signature
    /// is not stored, and that a payload's header belongs to the block's hash. So the bytes must be trusted like a
    /// checkpoint, and belong in the app's private storage. If a [`Chain`](crate::Chain) holds the block from another
    /// source, that decides ([`Chain::agrees`](crate::Chain::agrees)).
    ///
    /// # Errors
    /// [`StoredAnchorError`] if the bytes are not a stored anchor, or are of another chain.
    pub fn load(bytes: &[u8], chain_id: u64) -> Result<Self, StoredAnchorError> {
        let stored: Stored = exactly(bytes, Self::MAX_STORED_BYTES)?;
        if stored.chain_id != chain_id {
            return Err(StoredAnchorError::OtherChain { got: stored.chain_id, expected: chain_id });
        }
        let (assurance, path, origin) = (stored.assurance()?, stored.path()?, stored.origin()?);
        let (number, hash, state_root, timestamp, source) = match stored.source {
            RLP => {
                let header = ExecutionHeader::from_rlp(&stored.header, stored.header_root)?;
                let source = Source::Rlp(header.rlp().clone());
                (header.number(), header.hash(), header.state_root(), header.timestamp(), source)
            }
            PAYLOAD => {
                let payload: Payload = exactly(&stored.header, Self::MAX_STORED_BYTES)?;
                let payload = ExecutionPayloadHeader::try_from(payload)?;
                let (got, expected) = (payload.hash_tree_root(), stored.header_root);
                if got != expected {
                    return Err(StoredAnchorError::PayloadRoot { got, expected });
                }
                let (state_root, timestamp) =
                    (StateRoot::new(payload.state_root), UnixTime::from_secs(payload.timestamp));
                let (number, hash) = (payload.block_number, payload.block_hash);
                (number, hash, state_root, timestamp, Source::Claimed(Arc::new(payload)))
            }
            _ => return Err(StoredAnchorError::Malformed),
        };
        Ok(Trusted { chain_id, number, hash, state_root, timestamp, source, assurance, path, origin }
            .anchor())
    }
}

impl Stored {
    fn assurance(&self) -> Result<Assurance, StoredAnchorError> {
        let count = |count: u64| usize::try_from(count).map_err(|_| StoredAnchorError::Malformed);
        let (signers, size) = (count(self.signers)?, count(self.committee_size)?);
        // A head with fewer signers than two thirds is never stored.
        let is_enough = signers.saturating_mul(3) >= size.saturating_mul(2) && signers <= size && size > 0;
        match (self.assurance, &self.vouched) {
            (ROLLUP, Some(vouched)) if (signers, size) == (0, 0) => {
                return Ok(Assurance::Rollup(vouched.read()?));
            }
            (ROLLUP, None) | (_, Some(_)) => return Err(StoredAnchorError::Malformed),
            (_, None) => {}
        }
        match self.assurance {
            FINAL_CHECKPOINT if (signers, size) == (0, 0) => Ok(Assurance::Finalized(Finality::Checkpoint)),
            SIGNED if is_enough => Ok(Assurance::Signed { signers, size }),
            FINAL_SIGNED if is_enough => Ok(Assurance::Finalized(Finality::Signed { signers, size })),
            FINAL_FORCED if is_enough => Ok(Assurance::Finalized(Finality::Forced { signers, size })),
            _ => Err(StoredAnchorError::Malformed),
        }
    }

    fn path(&self) -> Result<Path, StoredAnchorError> {
        match (self.path, self.path_number) {
            (HEAD, 0) => Ok(Path::Head),
            (ANCESTOR, depth) => Ok(Path::Ancestor { depth }),
            (HISTORY, under) => Ok(Path::History { under }),
            _ => Err(StoredAnchorError::Malformed),
        }
    }

    fn origin(&self) -> Result<Origin, StoredAnchorError> {
        let slot = |slots: &[u64]| match slots {
            [] => Ok(None),
            [slot] => Ok(Some(Slot::new(*slot))),
            _ => Err(StoredAnchorError::Malformed),
        };
        let checkpoint = Checkpoint { root: self.checkpoint, slot: slot(&self.checkpoint_slot)? };
        let voucher = match slot(&self.agreed_slot)? {
            Some(slot) => Voucher::Agreement { slot, operators: self.operators.clone().into() },
            None => Voucher::Caller,
        };
        Ok(Origin::new(checkpoint, voucher))
    }
}

/// Decodes a value that must fill all of `bytes`.
fn exactly<T: Decodable>(bytes: &[u8], limit: usize) -> Result<T, StoredAnchorError> {
    if bytes.len() > limit {
        return Err(StoredAnchorError::TooLarge { got: bytes.len() });
    }
    alloy_rlp::decode_exact(bytes).map_err(|_| StoredAnchorError::Malformed)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, Bloom, U256};

    use super::*;
    use crate::assurance;
    use crate::header::tests::header;

    fn voucher(assurance: Assurance) -> assurance::Voucher {
        let operators: Arc<[String]> = Arc::from(["Alice".to_owned(), "Böb".to_owned()]);
        let checkpoint = Checkpoint { root: B256::repeat_byte(3), slot: Some(Slot::new(64)) };
        let origin = Origin::new(checkpoint, Voucher::Agreement { slot: Slot::new(65), operators });
        assurance::Voucher { chain_id: 1, assurance, origin, at: Slot::new(70) }
    }

    fn payload(blobs: bool) -> ExecutionPayloadHeader {
        ExecutionPayloadHeader {
            parent_hash: B256::repeat_byte(1),
            fee_recipient: Address::repeat_byte(2),
            state_root: B256::repeat_byte(3),
            receipts_root: B256::repeat_byte(4),
            logs_bloom: Bloom::repeat_byte(5),
            prev_randao: B256::repeat_byte(6),
            block_number: 7,
            gas_limit: 8,
            gas_used: 0,
            timestamp: 9,
            extra_data: Bytes::from_static(b"extra"),
            base_fee_per_gas: U256::from(10),
            block_hash: B256::repeat_byte(11),
            transactions_root: B256::repeat_byte(12),
            withdrawals_root: B256::repeat_byte(13),
            blob_gas_used: blobs.then_some(0),
            excess_blob_gas: blobs.then_some(14),
        }
    }

    const SIGNED: Assurance = Assurance::Signed { signers: 342, size: 512 };

    /// Returns an anchor of every kind.
    fn anchors() -> Vec<Anchor> {
        let (signers, size) = (400, 512);
        let of_header = |assurance| Anchor::of_header(&header(10, B256::ZERO), &voucher(assurance));
        let finalized = of_header(Assurance::Finalized(Finality::Signed { signers, size }));
        let mut bare = of_header(SIGNED);
        Arc::make_mut(&mut bare.0).origin = Checkpoint { root: B256::ZERO, slot: None }.into();
        vec![
            of_header(Assurance::Finalized(Finality::Checkpoint)),
            of_header(Assurance::Finalized(Finality::Forced { signers, size })),
            Anchor::parent_of(&finalized, &header(9, B256::ZERO)),
            Anchor::recorded(&header(3, B256::ZERO), &finalized),
            Anchor::of_payload(&payload(false), &voucher(SIGNED)),
            Anchor::of_payload(&payload(true), &voucher(SIGNED)),
            finalized,
            bare,
        ]
    }

    #[test]
    fn a_loaded_anchor_equals_the_stored_one() {
        for anchor in anchors() {
            let bytes = anchor.to_bytes();
            let loaded = Anchor::load(&bytes, 1).unwrap();
            assert_eq!((&loaded, loaded.to_bytes()), (&anchor, bytes.clone()));
            // A payload's header cannot be hashed to the block's hash, so the hash is only a claim after loading.
            assert_eq!(loaded.is_bound(), matches!(anchor.0.source, Source::Rlp(_)));
            assert!(anchor.is_bound());
            assert_eq!(Anchor::load(&bytes, 2), Err(StoredAnchorError::OtherChain { got: 1, expected: 2 }));
        }
    }

    #[test]
    fn debug_output_names_the_source_without_its_bytes() {
        for anchor in anchors() {
            let is_bare = matches!(anchor.0.source, Source::Rlp(_));
            let (kept, loaded) = if is_bare { ("Rlp", "Rlp") } else { ("Payload", "Claimed") };
            assert!(format!("{anchor:?}").contains(&format!("source: {kept},")), "{anchor:?}");
            let anchor = Anchor::load(&anchor.to_bytes(), 1).unwrap();
            assert!(format!("{anchor:?}").contains(&format!("source: {loaded},")), "{anchor:?}");
        }
    }

    /// A changed header is always refused. A change elsewhere gives another anchor that can be stored.
    #[test]
    fn no_flipped_bit_makes_another_block() {
        for anchor in anchors() {
            let bytes = anchor.to_bytes();
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                if let Ok(loaded) = Anchor::load(&flipped, 1) {
                    let block = |anchor: &Anchor| {
                        (anchor.number(), anchor.hash(), anchor.state_root(), anchor.timestamp())
                    };
                    assert_eq!(block(&loaded), block(&anchor));
                    assert_ne!(loaded, anchor);
                }
            }
            for length in 0..bytes.len() {
                assert_eq!(Anchor::load(&bytes[..length], 1), Err(StoredAnchorError::Malformed));
            }
            let longer = [bytes, vec![0]].concat();
            assert_eq!(Anchor::load(&longer, 1), Err(StoredAnchorError::Malformed));
        }
    }

    #[test]
    fn stored_bytes_and_signer_counts_are_bounded() {
        let got = Anchor::MAX_STORED_BYTES + 1;
        assert_eq!(Anchor::load(&vec![0; got], 1), Err(StoredAnchorError::TooLarge { got }));
        assert_eq!(Anchor::load(&vec![0; got - 1], 1), Err(StoredAnchorError::Malformed));
        for (signers, size) in [(341, 512), (513, 512), (0, 0)] {
            for assurance in [
                Assurance::Signed { signers, size },
                Assurance::Finalized(Finality::Signed { signers, size }),
                Assurance::Finalized(Finality::Forced { signers, size }),
            ] {
                let few = Anchor::of_header(&header(10, B256::ZERO), &voucher(assurance)).to_bytes();
                assert_eq!(Anchor::load(&few, 1), Err(StoredAnchorError::Malformed), "{assurance:?}");
            }
        }
        // A checkpoint has no count of signers.
        let assurance = Assurance::Finalized(Finality::Checkpoint);
        let bytes = Anchor::of_header(&header(10, B256::ZERO), &voucher(assurance)).to_bytes();
        let stored: Stored = alloy_rlp::decode_exact(&bytes).unwrap();
        let counted = alloy_rlp::encode(Stored { signers: 400, committee_size: 512, ..stored });
        assert_eq!(Anchor::load(&counted, 1), Err(StoredAnchorError::Malformed));
        for (length, is_loaded) in [(32, true), (33, false)] {
            let long = ExecutionPayloadHeader { extra_data: vec![1; length].into(), ..payload(true) };
            let bytes = Anchor::of_payload(&long, &voucher(SIGNED)).to_bytes();
            let refusal = Anchor::load(&bytes, 1).err();
            assert_eq!(refusal, (!is_loaded).then_some(StoredAnchorError::Malformed), "{length}");
        }
        let mut foreign = Anchor::of_payload(&payload(true), &voucher(SIGNED));
        let root = payload(true).hash_tree_root();
        let bytes = foreign.to_bytes();
        Arc::make_mut(&mut foreign.0).source = Source::Payload(Arc::new(payload(false)));
        let place = bytes.windows(32).position(|window| window == root).unwrap();
        let mut swapped = bytes;
        swapped[place] ^= 1;
        assert!(matches!(Anchor::load(&swapped, 1), Err(StoredAnchorError::PayloadRoot { .. })));
    }
}
