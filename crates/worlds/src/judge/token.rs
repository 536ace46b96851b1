//! Tokens: whether an amount is that of the token's own code, and whether it is true that there is none.

use saldo::Holding;
use saldo_beacon::unit::UnixTime;
use saldo_drill::Chain;

use super::{Judge, Read};
use crate::holding::{HOLDINGS, of_token};
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
            Truth::NotRun | Truth::NoCode | Truth::NotAToken => false,
        };
        let frozen = if amount.is_frozen { ", frozen," } else { "" };
        let (units, number) = (amount.units, block.number);
        (!is_true)
            .then(|| format!("the {what} is shown as {units}{frozen} at block {number}, and is {truth:?}"))
    }

    /// Whether the reason is true of each holding of this read that has it: after a block that the reading can be of.
    pub(super) fn has_no_balance(&self, code: &str, read: &Read<'_>) -> bool {
        let wanted = match code {
            "not_a_token" => Truth::NotAToken,
            "token_not_run" => Truth::NotRun,
            _ => return false,
        };
        let shown = read.places.iter().zip(read.shown).filter(|(_, shown)| shown.why == Some(code));
        let mut holdings = shown.filter_map(|(place, _)| HOLDINGS.get(*place));
        holdings.all(|holding| self.may_be(holding, read, |truth| truth == wanted))
    }

    /// Whether no provider has a code that this read of `holding` needs.
    pub(super) fn may_lack_code(&self, holding: &Holding, read: &Read<'_>) -> bool {
        self.may_be(holding, read, |truth| truth == Truth::NoCode)
    }

    /// Whether `is_it` holds of what the holding truly was after some block that a reading can be of.
    fn may_be(&self, holding: &Holding, read: &Read<'_>, is_it: impl Fn(Truth) -> bool + Copy) -> bool {
        let on = |chain: &Chain| self.may_be_on(chain, holding, read, is_it);
        let twin = self.chains.twin.as_ref().filter(|_| self.is_split());
        on(&self.chains.main) || twin.is_some_and(on)
    }

    fn may_be_on(
        &self,
        chain: &Chain,
        holding: &Holding,
        read: &Read<'_>,
        is_it: impl Fn(Truth) -> bool,
    ) -> bool {
        let is_true = |hash| truth(chain, hash, holding).is_some_and(&is_it);
        if is_true(read.signed.hash) {
            return true;
        }
        let token = of_token(holding).map(|(_, token)| token);
        let mut events = self.world.story.events.iter().filter_map(|(_, event)| match event {
            Event::Token(event) => leads_to(*event, token?),
            _ => None,
        });
        // A block that was replaced since is not on the chain any more.
        if self.is_reorganised(read) && events.any(&is_it) {
            return true;
        }
        let since = self.oldest_of(read);
        let blocks = (0..=chain.tip().number).rev().map_while(|number| chain.block(number));
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
}
