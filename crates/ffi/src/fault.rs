//! What went wrong for good: false proofs, a contradiction of the chain, and faults of the storage.

/// A proof that was false under the exact block of its request.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Evidence {
    /// The provider that was asked. The evidence does not prove that this provider sent the reply.
    pub provider: String,
    /// Why the proof was refused.
    pub reason: String,
    /// One JSON object with the request, the reply, the block and the reason. It contains the address.
    pub json: String,
}

/// A contradiction that the chain's validators signed. Nothing more is proven until trust starts again.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ConsensusFault {
    /// The slot of the contradiction.
    pub slot: u64,
    /// The two roots, each 0x and 64 hexadecimal digits.
    pub roots: Vec<String>,
    /// The signed updates of both sides, so that others can check it.
    pub json: String,
}

/// Something that was stored and had to be dropped, or that could not be written.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct StorageFault {
    /// `unreadable`, `unwritten`, `refused`, `all_dropped`, `damaged`, `light_client`, `block`, `reading` or `block_missing`; a
    /// later version may have others.
    pub code: String,
    /// What happened, for people. It names no address.
    pub text: String,
}

impl From<&saldo::Evidence> for Evidence {
    fn from(evidence: &saldo::Evidence) -> Self {
        Self {
            provider: evidence.provider().as_str().to_owned(),
            reason: evidence.reason().to_owned(),
            json: evidence.to_json(),
        }
    }
}

impl From<&saldo::ConsensusFault> for ConsensusFault {
    fn from(fault: &saldo::ConsensusFault) -> Self {
        Self {
            slot: fault.slot().get(),
            roots: fault.roots().iter().map(ToString::to_string).collect(),
            json: fault.to_json(),
        }
    }
}

impl From<&saldo::StorageFault> for StorageFault {
    fn from(fault: &saldo::StorageFault) -> Self {
        let code = match fault {
            saldo::StorageFault::Unreadable(_) => "unreadable",
            saldo::StorageFault::Unwritten(_) => "unwritten",
            saldo::StorageFault::Refused(_) => "refused",
            saldo::StorageFault::AllDropped => "all_dropped",
            saldo::StorageFault::Damaged => "damaged",
            saldo::StorageFault::LightClient(_) => "light_client",
            saldo::StorageFault::Block(_) => "block",
            saldo::StorageFault::Reading { .. } => "reading",
            saldo::StorageFault::BlockMissing { .. } => "block_missing",
            _ => "other",
        };
        Self { code: code.to_owned(), text: fault.to_string() }
    }
}
