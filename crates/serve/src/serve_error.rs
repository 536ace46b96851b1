//! Why a server does not start.

use std::io;

/// Why a server does not start. The caller's fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The port cannot be opened.
    #[error("the address cannot be listened at: {0}")]
    Listen(#[from] io::Error),
    /// Other machines can reach the address, and no host name is allowed.
    #[error("other machines can reach this address: name the hosts that requests may be for")]
    OpenToOthers,
    /// Another recorder of the `metrics` facade is set in this process.
    #[cfg(feature = "metrics")]
    #[error("this process has another recorder of metrics")]
    OtherRecorder,
    /// No network is given, or two at one path.
    #[error("each network needs a path of its own, and there must be one")]
    Paths,
}
