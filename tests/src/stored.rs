//! Stored records, read and changed by a test.

use std::future::ready;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use alloy_primitives::{Address, B256, Bloom, Bytes, U256};
use alloy_rlp::{Decodable, Encodable, Header};
use futures_util::FutureExt;
use futures_util::task::{ArcWake, waker};
use saldo::{BoxedFuture, Entries, Storage, StorageError, Version, Write};
use saldo_beacon::container::ExecutionPayloadHeader;
use sha2::{Digest, Sha256};

/// `value` with the checksum that a record named `name` needs.
pub fn with_record_checksum(name: &str, mut value: Vec<u8>) -> Vec<u8> {
    let mut digest = Sha256::new();
    digest.update(name.as_bytes());
    digest.update([0]);
    digest.update(&value);
    value.extend_from_slice(&digest.finalize());
    value
}

/// Everything that is in `storage`.
///
/// # Panics
/// If it cannot be read at once.
pub fn entries(storage: &impl Storage) -> Vec<(String, Vec<u8>)> {
    storage.load().now_or_never().expect("it is ready at once").expect("it can be read").0
}

/// Writes into `storage`.
///
/// # Panics
/// If it cannot be written at once.
pub fn put(storage: &impl Storage, writes: impl IntoIterator<Item = Write>) {
    let (_, version) = storage.load().now_or_never().expect("it is ready at once").expect("it can be read");
    let written = storage.apply(writes.into_iter().collect(), version);
    written.now_or_never().expect("it is ready at once").expect("it can be written");
}

/// A storage whose writes are durable when [`Storage::apply`] returns: for virtual time, which does not wait for threads.
pub struct Durable<S>(pub S);

impl<S: Storage> Storage for Durable<S> {
    fn load(&self) -> BoxedFuture<'_, Result<(Entries, Version), StorageError>> {
        self.0.load()
    }

    fn apply(
        &self,
        changes: Vec<Write>,
        expected: Version,
    ) -> BoxedFuture<'_, Result<Version, StorageError>> {
        let (done, is_done) = channel();
        let waker = waker(Arc::new(Tell(Mutex::new(done))));
        let mut applied = self.0.apply(changes, expected);
        loop {
            if let Poll::Ready(written) = applied.poll_unpin(&mut Context::from_waker(&waker)) {
                return ready(written).boxed();
            }
            is_done.recv().expect("the storage wakes the task that waits");
        }
    }
}

struct Tell(Mutex<Sender<()>>);

impl ArcWake for Tell {
    fn wake_by_ref(this: &Arc<Self>) {
        let _ = this.0.lock().unwrap_or_else(PoisonError::into_inner).send(());
    }
}

/// The hash tree root of the payload header in the record of a block.
///
/// # Panics
/// If there is none in it.
pub fn payload_root(block: &[u8]) -> B256 {
    let mut fields = block;
    Header::decode(&mut fields).expect("a list");
    let _chain_id = u64::decode(&mut fields).expect("a chain id");
    let _source = u8::decode(&mut fields).expect("a kind");
    let header = Bytes::decode(&mut fields).expect("a header");
    let mut header = &header[..];
    let fields = &mut header;
    Header::decode(fields).expect("a list");
    fn field<T: Decodable>(fields: &mut &[u8]) -> T {
        T::decode(fields).expect("a field")
    }
    let mut header = ExecutionPayloadHeader {
        parent_hash: field(fields),
        fee_recipient: field::<Address>(fields),
        state_root: field(fields),
        receipts_root: field(fields),
        logs_bloom: field::<Bloom>(fields),
        prev_randao: field(fields),
        block_number: field(fields),
        gas_limit: field(fields),
        gas_used: field(fields),
        timestamp: field(fields),
        extra_data: field(fields),
        base_fee_per_gas: field::<U256>(fields),
        block_hash: field(fields),
        transactions_root: field(fields),
        withdrawals_root: field(fields),
        blob_gas_used: None,
        excess_blob_gas: None,
    };
    let blobs: Vec<u64> = field(fields);
    (header.blob_gas_used, header.excess_blob_gas) = (blobs.first().copied(), blobs.get(1).copied());
    header.hash_tree_root()
}

/// The parts of a stored proof that waits for L1: provider, time in seconds, fields of the header, nodes.
pub type PendingParts = (String, u64, Vec<Bytes>, Vec<Bytes>);

/// The parts of a stored proof that waits for L1.
///
/// # Panics
/// If it is none.
pub fn pending_parts(record: &[u8]) -> PendingParts {
    let fields = &mut &record[..record.len() - 32];
    Header::decode(fields).expect("a list");
    let provider = String::decode(fields).expect("a provider");
    let came = u64::decode(fields).expect("a time");
    let header = Bytes::decode(fields).expect("a header");
    let header = Vec::decode(&mut &header[..]).expect("the fields of a header");
    (provider, came, header, Vec::decode(fields).expect("nodes"))
}

/// The name and the record of a proof of the coin of `owner` on the rollup of that chain id, as saldo writes it without a key.
pub fn pending_record(parts: &PendingParts, chain_id: u64, owner: Address) -> (String, Vec<u8>) {
    const STATE_ROOT: usize = 3;
    let (provider, came, header, nodes) = parts;
    let root = B256::from_slice(&header[STATE_ROOT]);
    let id = B256::from_slice(&Sha256::new().chain_update(root).chain_update(provider).finalize());
    let name = format!("pending/{chain_id}/{owner:#x}/{id:#x}");
    let mut fields = Vec::new();
    provider.encode(&mut fields);
    came.encode(&mut fields);
    Bytes::from(alloy_rlp::encode(header)).encode(&mut fields);
    nodes.encode(&mut fields);
    let mut record = Vec::new();
    Header { list: true, payload_length: fields.len() }.encode(&mut record);
    record.extend(fields);
    let record = with_record_checksum(&name, record);
    (name, record)
}
