//! The capabilities of providers, as far as their answers have shown them.

use std::time::Duration;

use saldo_reading::ProviderId;
use saldo_source::{BatchSize, SortedMap, SortedSet};

/// What one provider can and cannot do. It prevents requests that would fail every time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Capability {
    /// The number of calls that it accepts in one request.
    pub(super) batch: BatchSize,
    /// Whether its `eth_getProof` accepts a block hash.
    pub(super) block_hash: bool,
    /// Whether its JSON headers have a known layout; else headers are requested as bytes.
    pub(super) json_header: bool,
    /// Whether it says what a call reads (`eth_createAccessList`).
    pub(super) access_lists: bool,
    /// Whether it proves at signed blocks, and not only at its own tip.
    pub(super) behind_tip: bool,
    /// How far behind the newest signed block it proves.
    pub(super) depth: Depth,
    /// Whether the block of its last pending proof was signed in the end.
    pub(super) tips_were_signed: bool,
    /// All of this is believed until this time, on the monotonic clock.
    pub(super) until: Duration,
}

/// How far behind the newest signed block a provider proves, in blocks, as its answers have shown. Its own tip
/// is a little ahead of that block, by about the same distance each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Depth {
    /// The greatest depth at which it has proven.
    served: Option<u64>,
    /// The least depth at which it no longer had the state.
    refused: Option<u64>,
}

impl Depth {
    /// Records a proof at this depth. Earlier refusals at this depth or less no longer count.
    pub(super) fn serves(&mut self, depth: u64) {
        self.served = self.served.max(Some(depth));
        self.refused = self.refused.filter(|refused| *refused > depth);
    }

    /// Records that the state at this depth was missing.
    pub(super) fn refuses(&mut self, depth: u64) {
        self.refused = Some(self.refused.map_or(depth, |refused| refused.min(depth)));
        self.served = self.served.filter(|served| *served < depth);
    }

    /// Records the provider's statement that it proves to this depth and no further. Its own proofs count more
    /// than the statement.
    pub(super) fn says(&mut self, depth: u64) {
        let beyond = depth.saturating_add(1);
        if self.served < Some(beyond) {
            self.refused = Some(self.refused.map_or(beyond, |refused| refused.min(beyond)));
        }
    }

    /// Whether it is known not to prove at this depth. Between the served and the refused depth nothing is
    /// known.
    pub(super) fn ends_before(&self, depth: u64) -> bool {
        self.refused.is_some_and(|refused| refused <= depth)
    }
}

/// The capabilities by provider.
#[derive(Default)]
pub(super) struct Capabilities(SortedMap<ProviderId, Capability>);

impl Capability {
    fn unknown(now: Duration) -> Self {
        Self {
            batch: BatchSize::default(),
            block_hash: true,
            json_header: true,
            access_lists: true,
            behind_tip: true,
            depth: Depth::default(),
            tips_were_signed: false,
            until: now.saturating_add(Capabilities::AGE),
        }
    }
}

impl Capabilities {
    /// After this time everything is tried again, because nodes are upgraded.
    pub(super) const AGE: Duration = Duration::from_secs(60 * 60);

    /// The capability of `provider` at `now`. Everything unknown counts as possible.
    pub(super) fn of(&self, provider: &ProviderId, now: Duration) -> Capability {
        let known = self.0.get(provider).copied();
        known.filter(|known| now < known.until).unwrap_or(Capability::unknown(now))
    }

    /// All capabilities that are still believed at `now`.
    pub(super) fn all(&self, now: Duration) -> impl Iterator<Item = (&ProviderId, &Capability)> {
        self.0.iter().filter(move |(_, known)| now < known.until)
    }

    /// Restores a capability from before a restart.
    pub(super) fn restore(&mut self, provider: ProviderId, known: Capability) {
        self.0.insert(provider, known);
    }

    /// The providers that are known not to prove at this depth behind the newest signed block.
    pub(super) fn too_shallow(&self, depth: u64, now: Duration) -> SortedSet<ProviderId> {
        let each = self.0.keys().filter(|provider| self.of(provider, now).depth.ends_before(depth));
        each.cloned().collect()
    }

    /// Updates the capability of `provider` at `now`.
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
    fn the_depth_follows_from_what_a_provider_serves_and_refuses() {
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
    fn a_stated_depth_holds_until_an_answer_shows_another() {
        let mut depth = Depth::default();
        depth.says(63);
        assert_eq!([63, 64].map(|at| depth.ends_before(at)), [false, true]);
        // It first claims more than it serves, and then serves more than it claims.
        depth.refuses(32);
        depth.says(127);
        assert_eq!([31, 32].map(|at| depth.ends_before(at)), [false, true]);
        depth.serves(90);
        depth.says(63);
        assert!(!depth.ends_before(90));
    }

    #[test]
    fn a_provider_that_proves_too_little_is_known_for_an_hour() {
        let provider = ProviderId::new("a").unwrap();
        let mut capabilities = Capabilities::default();
        let now = Duration::from_secs(5);
        capabilities.note(&provider, now, |known| known.depth.refuses(64));
        assert!(capabilities.too_shallow(63, now).is_empty());
        assert_eq!(capabilities.too_shallow(64, now), SortedSet::from([provider]));
        assert!(capabilities.too_shallow(64, now + Capabilities::AGE).is_empty());
    }

    #[test]
    fn a_capability_is_tried_again_after_an_hour() {
        let provider = ProviderId::new("a").unwrap();
        let mut capabilities = Capabilities::default();
        let start = Duration::from_secs(5);
        capabilities.note(&provider, start, |known| known.batch = BatchSize::known(1));
        let later = start + Duration::from_secs(3_599);
        capabilities.note(&provider, later, |known| known.block_hash = false);
        let known = capabilities.of(&provider, later);
        assert_eq!((known.batch.size(), known.block_hash, known.json_header), (1, false, true));
        let again = start + Capabilities::AGE;
        assert_eq!(capabilities.of(&provider, again), Capability::unknown(again));
    }
}
