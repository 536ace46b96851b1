//! Reads a balance of a rollup as a wallet does.

use std::sync::Arc;
use std::time::Duration;

use saldo::{BuildError, Client, Policy, Profile};
use saldo_beacon::unit::UnixTime;
use saldo_source::{BoxedFuture, Clock, Endpoint, Request, Response, Transport, TransportError};

use crate::doctor::Doctor;

/// The client of `l1` and of the rollup `profile`. The address that it reads is no secret, so every operator may see it.
pub(crate) fn client(
    l1: &Doctor,
    profile: &Profile,
    (providers, relays): (&[Endpoint], &[Endpoint]),
    deadline: Duration,
) -> Result<Client, BuildError> {
    let all = |policy: Policy| Policy { operators_per_address: usize::MAX, deadline, ..policy };
    let mut of_l1 = Client::builder(l1.network.clone())
        .policy(all(Policy::signed()))
        .transport(SharedTransport(Arc::clone(&l1.transport)))
        .clock(SharedClock(Arc::clone(&l1.clock)));
    if let Some(checkpoint) = l1.checkpoint {
        of_l1 = of_l1.checkpoint(checkpoint);
    } else {
        // A given checkpoint needs no agreement of sources.
        of_l1 = l1.checkpoint_sources.iter().cloned().fold(of_l1, |to, source| to.checkpoint_source(source));
    }
    of_l1 = l1.providers.iter().cloned().fold(of_l1, |to, provider| to.rpc(provider));
    of_l1 = l1.sources.iter().cloned().fold(of_l1, |to, source| to.beacon(source));
    let rollup = Client::rollup(profile.clone()).policy(all(Policy::rollup()));
    let rollup = providers.iter().cloned().fold(rollup, |to, provider| to.rpc(provider));
    #[cfg(feature = "sequencer")]
    let rollup = relays.iter().cloned().fold(rollup, |to, relay| to.sequencer_relay(relay));
    #[cfg(not(feature = "sequencer"))]
    let _ = relays;
    of_l1.and(rollup).build()
}

struct SharedTransport(Arc<dyn Transport>);

impl Transport for SharedTransport {
    fn send(&self, request: Request) -> BoxedFuture<'_, Result<Response, TransportError>> {
        self.0.send(request)
    }
}

struct SharedClock(Arc<dyn Clock>);

impl Clock for SharedClock {
    fn wall(&self) -> UnixTime {
        self.0.wall()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    fn sleep(&self, duration: Duration) -> BoxedFuture<'static, ()> {
        self.0.sleep(duration)
    }
}
