//! Counts: requests, attempts, and quarantined providers.

use super::{Judge, Read, Worth, wrong};
use crate::host::Visit;
use crate::verdict::{Check, Violation};

impl Judge<'_> {
    /// Checks 5, 6 and 8.
    pub(super) fn plain(&self, read: &Read<'_>, log: &[Visit]) -> Option<Violation> {
        self.budget(read, log).or_else(|| self.quarantine(read)).or_else(|| {
            let most = read.shown.iter().map(|shown| shown.attempts).max()?;
            let text = format!("a reading lists {most} attempts");
            (most > self.bounds.attempts).then(|| wrong(Check::Memory, read, text))
        })
    }

    fn budget(&self, read: &Read<'_>, log: &[Visit]) -> Option<Violation> {
        let since = read.until.saturating_sub(60_000);
        let each = self.reads.iter().filter(|(at, _)| *at >= since.saturating_sub(4_000));
        let accounts = each.fold(0_u64, |sum, (_, accounts)| {
            sum.saturating_add(u64::try_from(*accounts).unwrap_or(u64::MAX))
        });
        let starts = self.restarts.iter().fold(1_u64, |sum, at| sum.saturating_add(u64::from(*at >= since)));
        let budget = accounts
            .saturating_mul(self.bounds.requests_for_each)
            .saturating_add(self.bounds.requests.saturating_mul(starts));
        let recent = log.iter().rev().take_while(|visit| visit.at >= since);
        let mut counts = std::collections::BTreeMap::<_, u64>::new();
        for visit in recent {
            let count = counts.entry((visit.role, visit.index)).or_default();
            *count = count.saturating_add(1);
        }
        let ((role, index), most) = counts.into_iter().max_by_key(|(_, count)| *count)?;
        let text = format!("{most} requests to {role:?} {index} within a minute, {budget} are allowed");
        (most > budget).then(|| wrong(Check::Budget, read, text))
    }

    fn quarantine(&self, read: &Read<'_>) -> Option<Violation> {
        let is_honest = |index: &&usize| {
            let party = self.world.providers.get(**index);
            party.is_some_and(|party| {
                let all = party.all_during(0, read.until, &self.world.outages);
                all.into_iter().all(|behaviour| behaviour.worth() != Worth::False)
            })
        };
        let index = read.quarantined.iter().find(is_honest)?;
        Some(wrong(
            Check::Quarantine,
            read,
            format!("provider{index} is quarantined, and never sent anything false"),
        ))
    }
}
