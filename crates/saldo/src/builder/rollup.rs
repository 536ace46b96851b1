//! The client of a rollup, beside that of its L1, and what a client of an L1 tells of a rollup.

use saldo_chain::rollup::Profile;
use saldo_reading::Policy;
#[cfg(feature = "sequencer")]
use saldo_source::Endpoint;
use saldo_source::{BoxedFuture, IntoBoxed};

use super::ClientBuilder;
#[cfg(feature = "sequencer")]
use super::{BuildError, IntoEndpointError};
use crate::client::Client;
use crate::rollup::network_of;
use crate::state::{self, NotProven, RollupCodes};

#[cfg(feature = "sequencer")]
impl ClientBuilder {
    /// Adds a relay of the signatures of a rollup's sequencer after those added before: a server that answers `GET {url}/latest` with the
    /// newest block that the sequencer signed, as the server of Helios for the OP Stack does. It learns no address, and needs no trust:
    /// the signature is checked with the key that L1 names.
    ///
    /// No amount is proven by it. A reading that is provisional says whether the sequencer announced its block
    /// ([`Provisional::announced`](saldo_reading::Provisional::announced)), and a rollup that stands still is told from providers that lag
    /// ([`RollupHealth`](crate::RollupHealth)). It is asked while a reading is provisional; an answer has all transactions of a block, on
    /// Base some 100 KB.
    pub fn sequencer_relay<E>(mut self, endpoint: E) -> Self
    where
        E: TryInto<Endpoint>,
        E::Error: IntoEndpointError,
    {
        match endpoint.try_into() {
            Ok(endpoint) => self.relays.push(endpoint),
            Err(error) => {
                let position = self.relays.len().saturating_add(1);
                self.note(BuildError::Relay { position, error: error.into_endpoint_error() });
            }
        }
        self
    }
}

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
