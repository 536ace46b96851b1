//! The real wallet: `saldo`'s client in a simulated world.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use saldo::{Checkpoint, Client, ClientBuilder, Endpoint, Holding, MemoryStorage, Network, Policy, Trust};
use saldo_beacon::unit::Slot;

use super::host::Role;
use super::party::Party;
use super::wallet::{Shown, ShownBlock, Wallet};
use super::world::{Start, Table, Wants, World};
use saldo_drill::Chain;
use saldo_drill::simulate::Simulation;

/// The client as a wallet.
pub(super) struct RealWallet {
    pub(super) client: Client,
}

impl Wallet for RealWallet {
    fn read<'a>(&'a self, holdings: &'a [Holding]) -> BoxFuture<'a, Vec<Shown>> {
        async move {
            let readings = self.client.read(holdings).await;
            let each = holdings.iter().zip(&readings);
            each.map(|(holding, reading)| Shown::of(reading, self.client.withdrawn(holding).as_ref()))
                .collect()
        }
        .boxed()
    }

    fn network_changed(&self, online: bool) {
        self.client.network_changed(online);
    }

    fn remembers(&self) -> bool {
        true
    }

    fn withdrawn(&self, holding: Holding) -> Option<ShownBlock> {
        self.client.withdrawn(&holding).map(|proven| ShownBlock::of(proven.anchor()))
    }
}

/// The client's policy for these demands.
pub(super) fn policy(wants: &Wants) -> Policy {
    let policy = if wants.finalized { Policy::finalized() } else { Policy::signed() };
    Policy {
        operators_per_address: wants.operators,
        strict: wants.strict,
        deadline: Duration::from_millis(wants.deadline),
        max_age: Duration::from_secs(wants.max_age()),
        ..policy
    }
}

/// The network table of a wallet in `world`.
pub(super) fn table(world: &World, chain: &Chain) -> Network {
    match world.table {
        Table::Complete => chain.network(),
        Table::WithoutTimeOf(fork) => chain.network_before(fork),
        Table::Without(fork) => chain.network_without(fork),
    }
}

/// A client for `world`, with these `providers` and this
/// `storage`.
pub(super) fn set_up(
    world: &World,
    chain: &Chain,
    simulation: &Simulation,
    storage: &MemoryStorage,
    policy: Policy,
    providers: &[Party],
) -> Client {
    let builder = Client::builder(table(world, chain))
        .policy(policy)
        .transport(simulation.internet())
        .clock(simulation.clock())
        .storage(storage.clone());
    let builder = trust(builder, world.trust, chain.checkpoint());
    let builder = (0..)
        .zip(providers)
        .fold(builder, |builder, (index, party)| builder.rpc(endpoint(Role::Provider, index, party)));
    let builder = (0..)
        .zip(&world.sources)
        .fold(builder, |builder, (index, party)| builder.beacon(endpoint(Role::Source, index, party)));
    let witnesses = matches!(world.trust, Start::Agreement(_) | Start::Both(_));
    let witnesses = if witnesses { world.witnesses.as_slice() } else { &[] };
    let builder = (0..).zip(witnesses).fold(builder, |builder, (index, party)| {
        builder.checkpoint_source(endpoint(Role::Witness, index, party))
    });
    builder.build().expect("a world's wallet has all it needs")
}

fn trust(builder: ClientBuilder, start: Start, checkpoint: Checkpoint) -> ClientBuilder {
    match start {
        Start::Given => builder.checkpoint(checkpoint),
        Start::GivenWithWrongSlot => {
            let slot = checkpoint.slot.map(|slot| Slot::new(slot.get().saturating_add(8)));
            builder.checkpoint(Checkpoint { slot, ..checkpoint })
        }
        Start::Agreement(k) => builder.checkpoint(Trust::agree(k)),
        Start::Both(k) => builder.checkpoint(checkpoint).checkpoint(Trust::agree(k)),
    }
}

/// The name of a party, which is also its host's.
pub(super) fn name(role: Role, index: usize) -> String {
    match role {
        Role::Provider => format!("provider{index}"),
        Role::Source => format!("source{index}"),
        Role::Witness => format!("witness{index}"),
    }
}

/// The URL of a party.
pub(super) fn url(role: Role, index: usize) -> String {
    format!("https://{}.test", name(role, index))
}

/// A party as the wallet knows it.
pub(super) fn endpoint(role: Role, index: usize, party: &Party) -> Endpoint {
    let endpoint = Endpoint::new(&url(role, index))
        .and_then(|endpoint| endpoint.named(&name(role, index)))
        .and_then(|endpoint| endpoint.operator(&format!("operator{}", party.operator)))
        .and_then(|endpoint| endpoint.hosting(&format!("hosting{}", party.hosting)))
        .expect("a name and a URL that are made here can be used");
    if party.is_mirror { endpoint.mirror() } else { endpoint }
}
