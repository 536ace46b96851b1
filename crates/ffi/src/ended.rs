//! Why a call ended without a result of the client.

/// Why a call ended without a result of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The client was shut down before or during the call.
    Closed,
    /// A panic ended the call. The client goes on with the others.
    Panicked,
}
