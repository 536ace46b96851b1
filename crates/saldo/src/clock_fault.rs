//! Finds out that it is this device's clock that makes heads, blocks or a checkpoint look old.

use saldo_reading::Why;
use saldo_reading::gate::Found;

use crate::inner::ClientInner;
use crate::why;

impl ClientInner {
    /// Replaces a reason that depends on the time if the dates that the servers give show that this device's clock is fast.
    pub(crate) fn blame_fast_clock(&self, found: Found) -> Found {
        match found {
            Found::Nothing(why) if self.is_fast_clock(&why) => Found::Nothing(Why::ClockOff),
            Found::Claim { claim, provider, why } if self.is_fast_clock(&why) => {
                Found::Claim { claim, provider, why: Why::ClockOff }
            }
            other => other,
        }
    }

    fn is_fast_clock(&self, why: &Why) -> bool {
        let checkpoint_sources =
            self.head.trust_start().agreement().map_or(&[][..], |agreement| &agreement.sources);
        let endpoints = self.env.execution.iter().chain(&self.env.beacon).chain(checkpoint_sources);
        why::depends_on_time(why) && self.env.dispatcher.io().dates_show_fast_clock(endpoints)
    }
}
