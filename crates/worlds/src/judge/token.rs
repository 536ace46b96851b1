//! Tokens: whether an amount is that of the token's own code, and whether it is true that there is none.

use saldo::Holding;
use saldo_beacon::unit::UnixTime;
use saldo_drill::Chain;

use super::{Judge, Read};
use crate::HOLDINGS;
use crate::story::Event;
use crate::token::{Truth, leads_to, truth};
use crate::wallet::ShownAmount;

impl Judge<'_> {
    /// What is wrong with the amount of a token that is shown, if something is.
    pub(super) fn false_token(&self, holding: &Holding, what: &str, amount: &ShownAmount) -> Option<String> {
        let block = amount.block;
        let known = |chain: &Chain| truth(chain, block.hash, holding);
        let twin = self.chains.twin.as_ref().filter(|_| self.is_split());
        let Some(truth) = known(&self.chains.main).or_else(|| twin.and_then(known)) else {
            let text =
                format!("the {what} {} is of block {}, which does not exist", amount.units, block.hash);
            return Some(text);
        };
        let is_true = match truth {
            Truth::Units(units, is_frozen) => (units, is_frozen) == (amount.units, amount.is_frozen),
            Truth::Executed(units) => units == amount.units && !amount.is_frozen,
            Truth::Unprovable | Truth::NotAToken => false,
        };
        let frozen = if amount.is_frozen { ", frozen," } else { "" };
        let (units, number) = (amount.units, block.number);
        (!is_true)
            .then(|| format!("the {what} is shown as {units}{frozen} at block {number}, and is {truth:?}"))
    }

    /// Whether the code is true of some holding of this read that has it: after a block that the reading can be of.
    pub(super) fn has_no_balance(&self, code: &str, read: &Read<'_>) -> bool {
        let holdings = read.places.iter().zip(read.shown).filter(|(_, shown)| shown.why == Some(code));
        let mut holdings = holdings.filter_map(|(place, _)| HOLDINGS.get(*place));
        holdings.all(|holding| {
            let is_it = |chain: &Chain| self.was_without_balance(code, chain, holding, read);
            let twin = self.chains.twin.as_ref().filter(|_| self.is_split());
            is_it(&self.chains.main) || twin.is_some_and(is_it)
        })
    }

    fn was_without_balance(&self, code: &str, chain: &Chain, holding: &Holding, read: &Read<'_>) -> bool {
        let is_true = |hash| match truth(chain, hash, holding) {
            Some(Truth::NotAToken) => code == "not_a_token",
            Some(Truth::Unprovable | Truth::Executed(_)) => code == "token_layout_unproven",
            Some(Truth::Units(..)) | None => false,
        };
        // A block that was replaced since is not on the chain any more.
        if is_true(read.signed.hash) || self.is_reorganised(read) && self.was_ever(code, holding) {
            return true;
        }
        let since = self.oldest_of(read);
        let tip = chain.tip().number;
        let blocks = (0..=tip).rev().map_while(|number| chain.block(number));
        blocks.take_while(|block| block.timestamp >= since).any(|block| is_true(block.hash))
    }

    /// The time of the oldest block that a reading of now may be of.
    fn oldest_of(&self, read: &Read<'_>) -> UnixTime {
        let began = self.chains.main.network().slot_start(self.world_slot());
        let age = self.world.wants.max_age().saturating_add(60);
        let now = began.saturating_add(std::time::Duration::from_millis(read.from));
        // With a wrong clock the wallet may take an old block for a young one.
        let age = if self.clock_was_touched { u64::MAX } else { age };
        UnixTime::from_secs(now.as_secs().saturating_sub(age))
    }

    /// Whether the story of the world has an event after which the code is true of the holding.
    fn was_ever(&self, code: &str, holding: &Holding) -> bool {
        self.world.story.events.iter().any(|(_, event)| match event {
            Event::Token(event) => leads_to(*event, holding, code),
            _ => false,
        })
    }
}
