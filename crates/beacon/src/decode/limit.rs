//! How large an answer may be.

/// The most bytes of one object that are read.
pub const MAX_OBJECT_BYTES: usize = 1 << 20;

/// The most bytes of a list of updates that are read.
pub const MAX_LIST_BYTES: usize = 1 << 23;

/// The most updates of a list that are read: `MAX_REQUEST_LIGHT_CLIENT_UPDATES` of the spec.
pub const MAX_UPDATES: usize = 128;
