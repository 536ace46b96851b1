//! Building the client of a rollup, beside that of its L1.

use saldo_chain::rollup::Profile;
use saldo_reading::Policy;

use super::ClientBuilder;
use crate::client::Client;
use crate::rollup::network_of;

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
}
