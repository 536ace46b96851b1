//! The first and last bytes of a snapshot, and its size limit.

/// The first bytes of every snapshot, whatever its version.
pub(super) const MAGIC: [u8; 8] = *b"saldo-lc";
/// The version that is written. No other version is read.
pub(super) const VERSION: u16 = 1;
/// Bytes of the checksum at the end.
pub(super) const CHECKSUM: usize = 32;
/// The most bytes that are read.
pub(super) const MAX_BYTES: usize = 1 << 17;
