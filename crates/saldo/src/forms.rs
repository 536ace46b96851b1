//! Which forms of a question a provider takes.

use std::collections::BTreeMap;

use saldo_reading::ProviderId;

/// What a provider turned out not to take, so that it is not asked that way every time. Kept for the client's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Several questions in one request.
    pub(crate) batches: bool,
    /// A block named by its hash in `eth_getProof`.
    pub(crate) block_hash: bool,
    /// A header as JSON has a layout that is not known here: it is asked for as bytes.
    pub(crate) json_header: bool,
}

/// By provider.
#[derive(Default)]
pub(crate) struct Forms(BTreeMap<ProviderId, Refused>);

impl Forms {
    /// What `provider` is known not to take.
    pub(crate) fn of(&self, provider: &ProviderId) -> Refused {
        self.0.get(provider).copied().unwrap_or_default()
    }

    /// Notes what `provider` does not take.
    pub(crate) fn note(&mut self, provider: &ProviderId, learn: impl FnOnce(&mut Refused)) {
        learn(self.0.entry(provider.clone()).or_default());
    }
}
