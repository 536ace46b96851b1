//! The fields of an execution header in the order of RLP. JSON is encoded as RLP again by this table.

/// How a field is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Bytes of exactly this length.
    Fixed(usize),
    /// At most this many bytes (`extraData`).
    Bytes(usize),
    /// An integer of at most 32 bytes, without leading zeros.
    Integer,
}

/// Every field up to Amsterdam: its name in the execution API and its encoding. The first [`ALWAYS`] fields are in every
/// header. Each later field is present only if the field before it is.
///
/// Source: execution-specs, `Header` of each fork (EIP-1559, 4895, 4844, 4788, 7685, 7928, 7843).
pub(crate) const FIELDS: [(&str, Kind); 23] = [
    ("parentHash", Kind::Fixed(32)),
    ("sha3Uncles", Kind::Fixed(32)),
    ("miner", Kind::Fixed(20)),
    ("stateRoot", Kind::Fixed(32)),
    ("transactionsRoot", Kind::Fixed(32)),
    ("receiptsRoot", Kind::Fixed(32)),
    ("logsBloom", Kind::Fixed(256)),
    ("difficulty", Kind::Integer),
    ("number", Kind::Integer),
    ("gasLimit", Kind::Integer),
    ("gasUsed", Kind::Integer),
    ("timestamp", Kind::Integer),
    ("extraData", Kind::Bytes(32)),
    ("mixHash", Kind::Fixed(32)),
    ("nonce", Kind::Fixed(8)),
    ("baseFeePerGas", Kind::Integer),
    ("withdrawalsRoot", Kind::Fixed(32)),
    ("blobGasUsed", Kind::Integer),
    ("excessBlobGas", Kind::Integer),
    ("parentBeaconBlockRoot", Kind::Fixed(32)),
    ("requestsHash", Kind::Fixed(32)),
    ("blockAccessListHash", Kind::Fixed(32)),
    ("slotNumber", Kind::Integer),
];

/// The number of fields that every header has.
pub(crate) const ALWAYS: usize = 15;

/// The places in [`FIELDS`] of the fields that saldo reads.
pub(crate) mod index {
    pub(crate) const PARENT_HASH: usize = 0;
    pub(crate) const UNCLES: usize = 1;
    pub(crate) const COINBASE: usize = 2;
    pub(crate) const STATE_ROOT: usize = 3;
    pub(crate) const TRANSACTIONS_ROOT: usize = 4;
    pub(crate) const NUMBER: usize = 8;
    pub(crate) const GAS_LIMIT: usize = 9;
    pub(crate) const TIMESTAMP: usize = 11;
    pub(crate) const PREV_RANDAO: usize = 13;
    pub(crate) const BASE_FEE: usize = 15;
    pub(crate) const WITHDRAWALS_ROOT: usize = 16;
    pub(crate) const EXCESS_BLOB_GAS: usize = 18;
}
