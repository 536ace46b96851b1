//! Building the client of a rollup, beside that of its L1.

use std::sync::Arc;

use saldo_chain::Level;
use saldo_chain::rollup::Profile;
use saldo_reading::Policy;

use super::ClientBuilder;
use super::error::BuildError;
use crate::client::Client;
use crate::head::AnyL1;
use crate::inner::ClientInner;
use crate::l1::ClientOfL1;
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

/// Builds the `rollups`, each with its place among the networks. Their L1s are built already.
pub(super) fn build(
    rollups: Vec<(usize, ClientBuilder)>,
    places: &mut Vec<(usize, Arc<ClientInner>)>,
) -> Result<(), BuildError> {
    for (place, mut network) in rollups {
        if let Some(profile) = network.rollup.take() {
            let l1 = l1_of(&profile, places.iter().map(|(_, network)| network))?;
            places.push((place, Arc::new(network.build_rollup(profile, l1)?)));
        }
    }
    Ok(())
}

impl ClientBuilder {
    fn build_rollup(mut self, profile: Profile, l1: AnyL1) -> Result<ClientInner, BuildError> {
        self.check(Level::L1ProofChecked)?;
        let (io, store) = (self.io()?, self.store());
        let inner = ClientInner::of_rollup(profile, l1, self.policy, self.execution, io, store);
        inner.readings.load_storage(&inner.proofs).map_err(BuildError::Storage)?;
        Ok(inner)
    }
}

/// The client of the rollup's L1, among those of the other networks.
fn l1_of<'a>(
    profile: &Profile,
    mut networks: impl Iterator<Item = &'a Arc<ClientInner>>,
) -> Result<AnyL1, BuildError> {
    let (chain_id, l1) = (profile.chain_id(), profile.l1_chain_id());
    let found = networks.find(|network| network.head.network().chain_id() == l1);
    let found = found.ok_or(BuildError::NoL1 { chain_id, l1 })?;
    Ok(Arc::new(ClientOfL1(Arc::clone(found))))
}
