//! What a provider can do, as far as it has shown.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use saldo_reading::ProviderId;
use saldo_source::execution::LARGEST_BATCH;

/// What one provider has shown that it can and cannot do, so that it is not asked in vain every time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Capability {
    /// How many questions it takes in one request.
    pub(super) batch: usize,
    /// Whether `eth_getProof` takes a block by its hash.
    pub(super) block_hash: bool,
    /// Whether its headers as JSON have a layout that is known here; else they are asked for as bytes.
    pub(super) json_header: bool,
    /// Whether it proves at a signed block, and not at its own tip alone.
    pub(super) behind_tip: bool,
    /// How far behind the newest signed block it proves.
    pub(super) depth: Depth,
    /// Whether the last of its tips that were waited for were signed in the end.
    pub(super) tips_were_signed: bool,
    /// Until when this is believed, on the monotonic clock.
    pub(super) until: Duration,
}

/// How far behind the newest signed block a provider proves, in blocks, as far as its answers have shown. Its own tip is a
/// little ahead of that block, by about the same each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Depth {
    /// The furthest it has proven.
    served: Option<u64>,
    /// The nearest that it no longer had the state of.
    refused: Option<u64>,
}

impl Depth {
    /// It has proven at a block so far behind. What it refused at no greater depth was another time's.
    pub(super) fn serves(&mut self, depth: u64) {
        self.served = self.served.max(Some(depth));
        self.refused = self.refused.filter(|refused| *refused > depth);
    }

    /// It no longer had the state of a block so far behind.
    pub(super) fn refuses(&mut self, depth: u64) {
        self.refused = Some(self.refused.map_or(depth, |refused| refused.min(depth)));
        self.served = self.served.filter(|served| *served < depth);
    }

    /// It says that it proves so far behind, and no further: so it is, unless it has shown that it does.
    pub(super) fn says(&mut self, depth: u64) {
        let beyond = depth.saturating_add(1);
        if self.served < Some(beyond) {
            self.refused = Some(self.refused.map_or(beyond, |refused| refused.min(beyond)));
        }
    }

    /// Whether it is known not to prove so far behind. Between what it served and what it refused nothing is known.
    pub(super) fn ends_before(&self, depth: u64) -> bool {
        self.refused.is_some_and(|refused| refused <= depth)
    }
}

/// By provider.
#[derive(Default)]
pub(super) struct Capabilities(BTreeMap<ProviderId, Capability>);

impl Capability {
    fn unknown(now: Duration) -> Self {
        Self {
            batch: LARGEST_BATCH,
            block_hash: true,
            json_header: true,
            behind_tip: true,
            depth: Depth::default(),
            tips_were_signed: false,
            until: now.saturating_add(Capabilities::AGE),
        }
    }
}

impl Capabilities {
    /// After so long everything is tried again: nodes are upgraded.
    pub(super) const AGE: Duration = Duration::from_secs(60 * 60);

    /// What `provider` is known for at `now`; whatever is not known is believed to be possible.
    pub(super) fn of(&self, provider: &ProviderId, now: Duration) -> Capability {
        let known = self.0.get(provider).copied();
        known.filter(|known| now < known.until).unwrap_or(Capability::unknown(now))
    }

    /// What is known at `now`.
    pub(super) fn all(&self, now: Duration) -> impl Iterator<Item = (&ProviderId, &Capability)> {
        self.0.iter().filter(move |(_, known)| now < known.until)
    }

    /// Takes back what was known before a restart.
    pub(super) fn restore(&mut self, provider: ProviderId, known: Capability) {
        self.0.insert(provider, known);
    }

    /// Those that are known not to prove so far behind the newest signed block.
    pub(super) fn too_shallow(&self, depth: u64, now: Duration) -> BTreeSet<ProviderId> {
        let each = self.0.keys().filter(|provider| self.of(provider, now).depth.ends_before(depth));
        each.cloned().collect()
    }

    /// Notes what `provider` has shown at `now`.
    pub(super) fn note(&mut self, provider: &ProviderId, now: Duration, learn: impl FnOnce(&mut Capability)) {
        let mut known = self.of(provider, now);
        learn(&mut known);
        self.0.insert(provider.clone(), known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_deep_one_proves_follows_from_what_it_refuses() {
        let mut depth = Depth::default();
        assert!(!depth.ends_before(u64::MAX));
        depth.serves(3);
        depth.refuses(90);
        depth.refuses(64);
        assert_eq!([3, 63, 64, 90].map(|at| depth.ends_before(at)), [false, false, true, true]);
        // It serves more than before, and then less.
        depth.serves(80);
        assert_eq!([64, 80, 90].map(|at| depth.ends_before(at)), [false; 3]);
        depth.refuses(2);
        assert_eq!([1, 2, 80].map(|at| depth.ends_before(at)), [false, true, true]);
        depth.serves(1);
        assert_eq!([1, 2].map(|at| depth.ends_before(at)), [false, true]);
    }

    #[test]
    fn what_one_says_of_it_holds_until_it_shows_otherwise() {
        let mut depth = Depth::default();
        depth.says(63);
        assert_eq!([63, 64].map(|at| depth.ends_before(at)), [false, true]);
        // It says more than it keeps to, and keeps to more than it says.
        depth.refuses(32);
        depth.says(127);
        assert_eq!([31, 32].map(|at| depth.ends_before(at)), [false, true]);
        depth.serves(90);
        depth.says(63);
        assert!(!depth.ends_before(90));
    }

    #[test]
    fn who_proves_too_little_is_known_for_an_hour() {
        let provider = ProviderId::new("a").unwrap();
        let mut capabilities = Capabilities::default();
        let now = Duration::from_secs(5);
        capabilities.note(&provider, now, |known| known.depth.refuses(64));
        assert!(capabilities.too_shallow(63, now).is_empty());
        assert_eq!(capabilities.too_shallow(64, now), BTreeSet::from([provider]));
        assert!(capabilities.too_shallow(64, now + Capabilities::AGE).is_empty());
    }

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
