//! Why nothing was proven at a block.

use saldo_chain::Anchor;
use saldo_reading::{Attempt, Why};

use crate::head::Synced;
use crate::inner::ClientInner;
use crate::why;

impl ClientInner {
    /// The reason why nothing was proven at a block.
    pub(crate) fn why_of(
        &self,
        synced: &Synced,
        head: Option<&Anchor>,
        attempts: &[Attempt],
        held_back: bool,
    ) -> Why {
        why::of_read(&why::Case {
            problem: synced.problem.as_ref(),
            heads: &synced.attempts,
            attempts,
            held_back,
            head,
            now: self.head.now(),
            policy: &self.env.policy,
            env: &self.env,
        })
    }
}
