//! How an answer is encoded.

/// How an answer is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `application/json`: the object itself, or the object within `{"version": …, "data": …}`.
    Json,
    /// `application/octet-stream`: SSZ.
    Ssz,
}
