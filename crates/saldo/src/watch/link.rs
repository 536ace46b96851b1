//! Linking each new head to what is shown: one that does not follow the head before it may be of a branch that excludes that.

use saldo_chain::Level;
use saldo_reading::{Holding, Proven};
use saldo_source::Deadline;

use crate::inner::ClientInner;
use crate::link::Link;

/// How far down heads are linked.
#[derive(Default)]
pub(super) struct Links {
    /// Not below this block number: too many heads were missed there.
    from: u64,
    /// How often in a row nobody had the next header.
    failures: u32,
}

impl Links {
    /// So many headers are fetched for one head.
    const AT_ONCE: usize = 4;
    /// For so many heads one that nobody has is asked for: at first many providers are on the old branch still.
    const TRIES: u32 = 4;

    /// Links the newest head to the blocks of what was proven of `holdings`.
    pub(super) async fn lengthen(&mut self, inner: &ClientInner, holdings: &[Holding], deadline: Deadline) {
        let newest = || inner.head.newest(inner.env.policy.assurance).map_or(0, |head| head.number());
        let is_signed = |last: &Proven| last.anchor().assurance().level() < Level::Finalized;
        let signed = holdings.iter().filter_map(|holding| inner.last(holding)).filter(is_signed);
        let Some(lowest) = signed.map(|last| last.anchor().number()).min() else { return };
        // Of a chain that was given up, blocks can have had any number.
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
