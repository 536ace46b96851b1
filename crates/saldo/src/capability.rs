//! What a provider can do, as far as it has shown.

use std::collections::BTreeMap;
use std::time::Duration;

use saldo_reading::ProviderId;
use saldo_source::execution::LARGEST_BATCH;

/// What one provider has shown that it can and cannot do, so that it is not asked in vain every time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capability {
    /// How many questions it takes in one request.
    pub(crate) batch: usize,
    /// Whether `eth_getProof` takes a block by its hash.
    pub(crate) block_hash: bool,
    /// Whether its headers as JSON have a layout that is known here; else they are asked for as bytes.
    pub(crate) json_header: bool,
    /// Whether it proves at a signed block, and not at its own tip alone.
    pub(crate) behind_tip: bool,
    /// Whether the last of its tips that were waited for were signed in the end.
    pub(crate) tips_were_signed: bool,
    /// Until when this is believed, on the monotonic clock.
    pub(crate) until: Duration,
}

/// By provider.
#[derive(Default)]
pub(crate) struct Capabilities(BTreeMap<ProviderId, Capability>);

impl Capability {
    fn unknown(now: Duration) -> Self {
        Self {
            batch: LARGEST_BATCH,
            block_hash: true,
            json_header: true,
            behind_tip: true,
            tips_were_signed: false,
            until: now.saturating_add(Capabilities::AGE),
        }
    }
}

impl Capabilities {
    /// After so long everything is tried again: nodes are upgraded.
    pub(crate) const AGE: Duration = Duration::from_secs(60 * 60);

    /// What `provider` is known for at `now`; whatever is not known is believed to be possible.
    pub(crate) fn of(&self, provider: &ProviderId, now: Duration) -> Capability {
        let known = self.0.get(provider).copied();
        known.filter(|known| now < known.until).unwrap_or(Capability::unknown(now))
    }

    /// What is known at `now`.
    pub(crate) fn all(&self, now: Duration) -> impl Iterator<Item = (&ProviderId, &Capability)> {
        self.0.iter().filter(move |(_, known)| now < known.until)
    }

    /// Takes back what was known before a restart.
    pub(crate) fn restore(&mut self, provider: ProviderId, known: Capability) {
        self.0.insert(provider, known);
    }

    /// Notes what `provider` has shown at `now`.
    pub(crate) fn note(&mut self, provider: &ProviderId, now: Duration, learn: impl FnOnce(&mut Capability)) {
        let mut known = self.of(provider, now);
        learn(&mut known);
        self.0.insert(provider.clone(), known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learned_is_tried_again_after_an_hour() {
        let provider = ProviderId::new("a").unwrap();
        let mut capabilities = Capabilities::default();
        let start = Duration::from_secs(5);
        capabilities.note(&provider, start, |known| known.batch = 1);
        let later = start + Duration::from_secs(3_599);
        capabilities.note(&provider, later, |known| known.block_hash = false);
        let known = capabilities.of(&provider, later);
        assert_eq!((known.batch, known.block_hash, known.json_header), (1, false, true));
        let again = start + Capabilities::AGE;
        assert_eq!(capabilities.of(&provider, again), Capability::unknown(again));
    }
}
