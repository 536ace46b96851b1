//! One entry of a directory.

use crate::endpoint::Endpoint;

/// An endpoint of a [`Directory`](super::Directory), with what is publicly documented about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub(super) endpoint: Endpoint,
    pub(super) documented: Option<Documented>,
    pub(super) get_proof: Option<String>,
    pub(super) light_client: Option<String>,
    pub(super) tracking: Option<String>,
    pub(super) built_in: bool,
}

/// Where an endpoint is documented, and when that page was last read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Documented {
    pub(super) page: String,
    pub(super) read_on: String,
}

impl Listed {
    /// The text for what is not documented.
    pub const UNKNOWN: &'static str = "unknown";

    /// Returns the endpoint, with its name, operator and hosting.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the public page that documents, announces or lists the endpoint.
    pub fn documented_on(&self) -> Option<&str> {
        self.documented.as_ref().map(|documented| documented.page.as_str())
    }

    /// Returns the day (YYYY-MM-DD) on which that page was last read.
    pub fn read_on(&self) -> Option<&str> {
        self.documented.as_ref().map(|documented| documented.read_on.as_str())
    }

    /// Returns what is documented about `eth_getProof`, in a few words; else [`Listed::UNKNOWN`].
    pub fn get_proof(&self) -> &str {
        self.get_proof.as_deref().unwrap_or(Self::UNKNOWN)
    }

    /// Returns what is documented about the light-client routes, in a few words; else [`Listed::UNKNOWN`].
    pub fn light_client(&self) -> &str {
        self.light_client.as_deref().unwrap_or(Self::UNKNOWN)
    }

    /// Returns what the operator says about tracking, in a few words; else [`Listed::UNKNOWN`].
    pub fn tracking(&self) -> &str {
        self.tracking.as_deref().unwrap_or(Self::UNKNOWN)
    }

    /// Whether the entry is built into saldo. Then its URL is public and holds no key.
    pub fn is_built_in(&self) -> bool {
        self.built_in
    }

    /// Marks the entry as built into saldo.
    pub(super) fn mark_built_in(&mut self) {
        self.built_in = true;
    }
}
