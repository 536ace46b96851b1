//! Links each new head to the blocks of shown readings. A head that does not follow the head before it may be
//! of a branch without those blocks.

use saldo_chain::Level;
use saldo_reading::{Holding, Proven};
use saldo_source::Deadline;

use crate::inner::ClientInner;
use crate::link::Link;

/// How far down the heads are linked.
#[derive(Default)]
pub(super) struct Links {
    /// The lowest block number to link to. Below it, too many heads were missed.
    from: u64,
    /// Number of tries in a row in which no provider had the next header.
    failures: u32,
}

impl Links {
    /// Number of headers fetched for one head, at most.
    const AT_ONCE: usize = 4;
    /// Number of heads for which a header that no provider has is requested again: at first many providers are
    /// still on the old branch.
    const TRIES: u32 = 4;

    /// Links the newest head to the blocks of the last proven readings of `holdings`.
    pub(super) async fn extend(&mut self, inner: &ClientInner, holdings: &[Holding], deadline: Deadline) {
        let newest = || inner.head.newest(inner.env.policy.assurance).map_or(0, |head| head.number());
        let is_signed = |last: &Proven| last.anchor().assurance().level() < Level::Finalized;
        let signed = holdings.iter().filter_map(|holding| inner.last(holding)).filter(is_signed);
        let Some(lowest) = signed.map(|last| last.anchor().number()).min() else { return };
        // After a restart of trust, `from` is of the earlier chain, whose blocks can have had any number.
        let lowest = lowest.max(self.from.min(newest()));
        match inner.link_down_to(lowest, Self::AT_ONCE, deadline).await {
            Link::Whole => self.failures = 0,
            Link::Broken { .. } if self.failures < Self::TRIES => {
                self.failures = self.failures.saturating_add(1);
            }
            Link::Broken { .. } | Link::Longer => *self = Self { from: newest(), failures: 0 },
        }
    }
}
