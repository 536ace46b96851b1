//! Why a method gives no proven answer, and whether a provider may be asked without proof.

use crate::error::RpcError;

/// Why there is no proven answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Unanswered {
    /// It could be proven, and was not; or the call is wrong. No provider is asked without proof.
    Final(RpcError),
    /// It cannot be proven at all. The chosen provider may be asked without proof, if there is one.
    Unprovable(RpcError),
}

#[cfg(feature = "execute")]
impl Unanswered {
    /// The same, with the error changed by `edit`.
    pub(crate) fn edited(self, edit: impl FnOnce(RpcError) -> RpcError) -> Self {
        match self {
            Self::Final(error) => Self::Final(edit(error)),
            Self::Unprovable(error) => Self::Unprovable(edit(error)),
        }
    }
}

impl From<RpcError> for Unanswered {
    fn from(error: RpcError) -> Self {
        Self::Final(error)
    }
}
