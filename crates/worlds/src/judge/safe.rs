//! Safety, under every fault: amounts are true, and readings never go back.

use super::{Judge, Read, wrong};
use crate::HOLDINGS;
use crate::holding::of_token;
use crate::verdict::{Check, Violation};
use crate::wallet::{Shown, ShownAmount};
use saldo::Holding;
use saldo_drill::Chain;

impl Judge<'_> {
    /// Checks 1, 2, the second half of 4, and the age.
    pub(super) fn safe(&mut self, read: &Read<'_>) -> Vec<Violation> {
        if read.shown.len() != read.places.len() {
            let text = format!("{} readings of {} holdings", read.shown.len(), read.places.len());
            return vec![wrong(Check::Truth, read, text)];
        }
        let mut all = Vec::new();
        for (index, shown) in read.places.iter().zip(read.shown) {
            let Some(holding) = HOLDINGS.get(*index) else { continue };
            all.extend(self.truth(read, holding, shown));
            all.extend(self.order(read, *index, shown));
            all.extend(self.withdrawal(read, shown));
            all.extend(self.age(read, shown));
            if let Some(newest) = shown.newest() {
                self.newest.insert(*index, newest.block);
            } else {
                self.newest.remove(index);
            }
        }
        all
    }

    fn truth(&self, read: &Read<'_>, holding: &Holding, shown: &Shown) -> Option<Violation> {
        if let Some(text) = &shown.wrong {
            return Some(wrong(Check::Truth, read, text.as_str()));
        }
        for (what, amount) in [("amount", shown.amount), ("last amount", shown.last)] {
            let Some(amount) = amount else { continue };
            if of_token(holding).is_some() {
                if let Some(text) = self.false_token(holding, what, &amount) {
                    return Some(wrong(Check::Truth, read, text));
                }
                continue;
            }
            let Some(truth) = self.true_amount(holding, &amount) else {
                let text = format!(
                    "the {what} {} is of block {}, which does not exist",
                    amount.units, amount.block.hash
                );
                return Some(wrong(Check::Truth, read, text));
            };
            if truth != amount.units {
                let text = format!(
                    "the {what} is shown as {} at block {}, and is {truth}",
                    amount.units, amount.block.number
                );
                return Some(wrong(Check::Truth, read, text));
            }
        }
        let both = shown.amount.is_some() && shown.why.is_some();
        both.then(|| wrong(Check::Truth, read, "an amount is shown as known beside a reason why it is not"))
    }

    /// The balance of the account after that block, if the block was ever on a signed branch.
    fn true_amount(&self, holding: &Holding, amount: &ShownAmount) -> Option<alloy_primitives::U256> {
        let known = |chain: &Chain| chain.balance_at_hash(amount.block.hash, holding.owner());
        let twin = self.chains.twin.as_ref().filter(|_| self.is_split());
        known(&self.chains.main).or_else(|| twin.and_then(known))
    }

    fn order(&self, read: &Read<'_>, index: usize, shown: &Shown) -> Option<Violation> {
        let before = self.newest.get(&index)?;
        // If two thirds signed both branches, each excludes the other.
        let stands = self.is_canonical(before) && !self.is_split();
        let Some(now) = shown.newest() else {
            let text = format!("the amount proven at block {} is not shown any more", before.number);
            return stands.then(|| wrong(Check::Last, read, text));
        };
        let is_same = now.block.hash == before.hash;
        if is_same && before.finalized && !now.block.finalized {
            return Some(wrong(Check::Order, read, "a finalized block is shown as only signed"));
        }
        let goes_back = !is_same && now.block.number <= before.number;
        let text = || format!("block {} is shown after block {}", now.block.number, before.number);
        if goes_back && stands {
            return Some(wrong(Check::Order, read, text()));
        }
        let is_told = shown.withdrawn.is_some() || shown.amount.is_some();
        (goes_back && !is_told).then(|| wrong(Check::Withdrawal, read, text() + ", without a withdrawal"))
    }

    fn withdrawal(&self, read: &Read<'_>, shown: &Shown) -> Option<Violation> {
        if let Some(withdrawn) = shown.withdrawn.filter(|withdrawn| self.is_canonical(withdrawn)) {
            let text = format!("block {} is withdrawn, but is on the chain", withdrawn.number);
            return Some(wrong(Check::Withdrawal, read, text));
        }
        let newest = shown.newest()?.block;
        let text = format!("block {} is shown, and the signed chain has another", newest.number);
        // The newest head shows its own block, and the hash of the one before.
        let is_excluded =
            newest.number.saturating_add(1) >= read.signed.number && newest.hash != read.signed.hash;
        // A head of an earlier slot adds nothing to a later one.
        let slot = self.chains.main.network().slot_at(newest.time);
        let is_later = slot.is_some_and(|slot| slot < read.signed.slot) && self.told < read.signed.slot;
        // If that head was replaced during the read, the wallet cannot know the new one yet.
        let told = self.chains.main.block(read.signed.number);
        let still_stands = told.is_some_and(|block| block.hash == read.signed.hash);
        let is_gone =
            is_excluded && is_later && !newest.finalized && !self.is_canonical(&newest) && still_stands;
        (is_gone && self.knows_newest_head(read)).then(|| wrong(Check::Withdrawal, read, text))
    }

    fn age(&self, read: &Read<'_>, shown: &Shown) -> Option<Violation> {
        let amount = shown.amount.filter(|_| self.offset == 0)?;
        let began = self.chains.main.network().slot_start(self.world_slot());
        let age = began
            .saturating_add(std::time::Duration::from_millis(read.from))
            .saturating_sub(amount.block.time)
            .as_secs();
        // Slots that the newest block may be behind the clock without any fault.
        let limit = self.world.wants.max_age().saturating_add(60);
        let text = format!("the amount is {age} s old, {limit} s are allowed");
        (age > limit).then(|| wrong(Check::Age, read, text))
    }
}
