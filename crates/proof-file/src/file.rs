//! The file: what it holds, and its bytes.

use alloy_primitives::{B256, Bytes};
use saldo_beacon::encode::Writer;
use saldo_beacon::{LightClientUpdate, Network};
use saldo_reading::NetworkId;

use crate::committee::{Committee, Form, canonical, decode_head, encode_head};
use crate::error::FileError;
use crate::format::{MAGIC, VERSION};
use crate::limit::{MAX_BYTES, MAX_HEADER_BYTES, MAX_HEADERS};
use crate::ssz::{Container, list, write_list};
use crate::state::StateProof;

/// A file that proves what some addresses held at one block, to a reader who trusts little. Nothing of it is checked here:
/// [`verify`](crate::verify()) does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceProof {
    chain_id: u64,
    genesis_validators_root: B256,
    committee: Committee,
    head: LightClientUpdate,
    headers: Vec<Bytes>,
    state: StateProof,
}

impl BalanceProof {
    /// Puts a file together.
    ///
    /// `head` is the update that the committee signed. The file is about the block of its finalized header, if it has one, else
    /// about that of its attested header, or about the last of `headers`: the RLP of the headers from there down. If the head
    /// names only the hash of its block, that block's header is the first.
    pub fn new(
        network: &Network,
        committee: Committee,
        head: LightClientUpdate,
        headers: Vec<Bytes>,
        state: StateProof,
    ) -> Self {
        Self {
            chain_id: network.chain_id(),
            genesis_validators_root: network.genesis_validators_root(),
            committee: committee.canonical(network),
            // The committee of the next period is not part of a head.
            head: canonical(network, LightClientUpdate { next_sync_committee: None, ..head }),
            headers,
            state,
        }
    }

    /// Returns the bytes of the file, which [`BalanceProof::decode`] reads.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.fixed(&MAGIC);
        writer.fixed(&VERSION.to_le_bytes());
        writer.uint64(self.chain_id);
        writer.roots(&[self.genesis_validators_root]);
        writer.variable(self.committee.encode());
        writer.variable(encode_head(&self.head));
        writer.variable(write_list(self.headers.iter().map(|header| header.to_vec())));
        writer.variable(self.state.encode());
        writer.finish()
    }

    /// Reads the bytes of a file of `network`. There is exactly one sequence of bytes for each content.
    ///
    /// # Errors
    /// [`FileError`] if the bytes are not a file of this version and network, or are written in another way than
    /// [`BalanceProof::encode`] writes.
    pub fn decode(bytes: &[u8], network: &Network) -> Result<Self, FileError> {
        if bytes.len() > MAX_BYTES {
            return Err(FileError::TooLarge { got: bytes.len(), limit: MAX_BYTES });
        }
        if !bytes.starts_with(&MAGIC) {
            return Err(FileError::NotAProofFile);
        }
        let mut container = Container::new("the file", bytes);
        let _ = container.fixed::<8>()?;
        match container.uint16()? {
            VERSION => {}
            got => return Err(FileError::Version { got }),
        }
        let chain_id = container.uint64()?;
        if chain_id != network.chain_id() {
            return Err(FileError::OtherNetwork { got: chain_id, expected: network.chain_id() });
        }
        let (got, expected) = (container.fixed()?, network.genesis_validators_root());
        if got != expected {
            return Err(FileError::OtherGenesis { got, expected });
        }
        (0..4).try_for_each(|_| container.offset())?;
        let [committee, head, headers, state] = container.parts()?;
        let headers = list("the headers", headers, MAX_HEADERS, MAX_HEADER_BYTES)?;
        let file = Self {
            chain_id,
            genesis_validators_root: got,
            state: StateProof::decode(state, NetworkId::new(chain_id))?,
            committee: Committee::decode(committee, network)?,
            head: decode_head(head, network)?,
            headers: headers.into_iter().map(Bytes::copy_from_slice).collect(),
        };
        let is_canonical = file.committee == file.committee.clone().canonical(network)
            && file.head == canonical(network, file.head.clone());
        // Nodes in another order, lists that are not sorted, and objects that have two encodings end here.
        if is_canonical && file.encode() == bytes { Ok(file) } else { Err(FileError::NotCanonical) }
    }

    /// Returns the form of the file.
    pub const fn form(&self) -> Form {
        self.committee.form()
    }

    /// Returns the chain id (EIP-155) that the file claims.
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Returns the evidence for the committee.
    pub const fn committee(&self) -> &Committee {
        &self.committee
    }

    /// Returns the update that the committee signed.
    pub const fn head(&self) -> &LightClientUpdate {
        &self.head
    }

    /// Returns the RLP of the headers from the head's block down to the block that the file is about.
    pub fn headers(&self) -> &[Bytes] {
        &self.headers
    }

    /// Returns the holdings and the proofs of their amounts.
    pub const fn state(&self) -> &StateProof {
        &self.state
    }
}
