//! The client of a rollup, beside that of its L1, and what a client of an L1 tells of a rollup.

use saldo_chain::rollup::Profile;
use saldo_reading::Policy;
use saldo_source::{BoxedFuture, IntoBoxed};

use super::ClientBuilder;
use crate::client::Client;
use crate::rollup::network_of;
use crate::state::{self, NotProven, RollupCodes};

impl Client {
    /// Starts building a client for a rollup. Its L1 must be among the networks of the same client: pass the builder to
    /// [`ClientBuilder::and`] of that network's. The default policy is [`Policy::rollup`].
    ///
    /// It needs providers of the rollup ([`ClientBuilder::rpc`]), and no beacon source, checkpoint or trust of its own: all of that is
    /// L1's. A rollup whose contracts' codes are not known ([`Profile::is_pinned`]) proves nothing; its readings are provisional.
    pub fn rollup(profile: Profile) -> ClientBuilder {
        let builder = ClientBuilder::new(network_of(&profile));
        ClientBuilder { rollup: Some(profile), policy: Policy::rollup(), ..builder }
    }

    /// Reads which codes the contracts of the rollup `profile` run, by proofs under the newest final block of this client's network, which
    /// must be the rollup's L1. [`Profile::pinned`] completes a profile by them. Returns at the policy's deadline at the latest.
    ///
    /// # Errors
    /// [`NotProven`] if anything of it is not proven.
    pub fn rollup_codes<'a>(
        &'a self,
        profile: &'a Profile,
    ) -> BoxedFuture<'a, Result<RollupCodes, NotProven>> {
        state::codes(&self.inner, profile).into_boxed()
    }
}
