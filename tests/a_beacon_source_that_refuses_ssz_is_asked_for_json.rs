//! Some servers refuse a request that prefers SSZ, and others fail for a moment. Both still lead to a proof in the same call.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::U256;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use saldo::{Client, Reading, Request, Response, Transport, TransportError};
use saldo_drill::simulate::{Internet, Simulation};
use saldo_drill::{BeaconSource, Chain, Fault, Provider};
use saldo_tests::scene::{ALICE, BEFORE};

/// The internet with a beacon source that answers requests for SSZ with this status.
#[derive(Clone)]
struct RefusesSsz {
    internet: Internet,
    status: Arc<Mutex<Option<u16>>>,
    /// The formats that the source was asked for.
    asked: Arc<Mutex<Vec<&'static str>>>,
}

impl Transport for RefusesSsz {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let is_light_client = request.url.expose().path().contains("/light_client/");
        if is_light_client {
            let accept = request.headers.iter().find(|(name, _)| *name == "accept").unwrap();
            let is_ssz = accept.1.contains("octet-stream");
            self.asked.lock().unwrap().push(if is_ssz { "ssz" } else { "json" });
            let refused = self.status.lock().unwrap().filter(|_| is_ssz);
            if let Some(status) = refused {
                let body = b"{\"message\":\"use another media type\"}".to_vec();
                return async move { Ok(Response { status, headers: Vec::new(), body }) }.boxed();
            }
        }
        self.internet.send(request)
    }
}

struct World {
    simulation: Simulation,
    transport: RefusesSsz,
    client: Client,
    source: BeaconSource,
}

impl World {
    fn new(status: Option<u16>) -> Self {
        let chain = Chain::builder(1).accounts([(ALICE, BEFORE)]).build();
        let simulation = Simulation::new(1, &chain);
        let internet = simulation.internet();
        internet.register("http://p.test", Provider::honest(&chain));
        let source = BeaconSource::honest(&chain);
        internet.register("http://s.test", source.clone());
        let transport = RefusesSsz { internet, status: Arc::new(Mutex::new(status)), asked: Arc::default() };
        let client = Client::builder(chain.network())
            .checkpoint(chain.checkpoint())
            .rpc("http://p.test")
            .beacon("http://s.test")
            .transport(transport.clone())
            .clock(simulation.clock())
            .build()
            .unwrap();
        Self { simulation, transport, client, source }
    }

    fn balance(&self) -> Reading {
        self.simulation.run(self.client.balance(ALICE))
    }

    fn asked(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.transport.asked.lock().unwrap())
    }
}

fn amount(reading: &Reading) -> Option<U256> {
    reading.proven().map(|proven| proven.amount().base_units())
}

#[test]
fn a_refusal_of_ssz_leads_to_json_in_the_same_call_and_is_remembered() {
    for status in [400, 406, 415] {
        let world = World::new(Some(status));
        let reading = world.balance();
        assert_eq!(amount(&reading), Some(BEFORE), "{status}: {reading:?}");
        let asked = world.asked();
        assert!(asked.contains(&"ssz") && asked.contains(&"json"), "{status}: {asked:?}");
        // The server sends SSZ again: it is still asked only once each time, for JSON.
        *world.transport.status.lock().unwrap() = None;
        world.simulation.pass(Duration::from_secs(24));
        assert_eq!(amount(&world.balance()), Some(BEFORE), "{status}");
        let asked = world.asked();
        assert!(!asked.is_empty() && !asked.contains(&"ssz"), "{status}: {asked:?}");
    }
}

#[test]
fn other_statuses_say_nothing_about_ssz() {
    for status in [404, 405, 501, 500, 503] {
        let world = World::new(Some(status));
        assert_eq!(amount(&world.balance()), None, "{status}");
        let asked = world.asked();
        assert!(asked.iter().all(|format| *format == "ssz"), "{status}: {asked:?}");
    }
}

#[test]
fn a_server_that_fails_with_500_for_a_moment_is_asked_again() {
    for status in [500, 502, 503] {
        let world = World::new(None);
        world.source.add(Fault::Status(status).times(2));
        let reading = world.balance();
        assert_eq!(amount(&reading), Some(BEFORE), "{status}: {reading:?}");
    }
}

#[test]
fn a_server_that_always_fails_with_500_is_not_said_to_lack_the_checkpoint() {
    let world = World::new(None);
    world.source.add(Fault::Status(500));
    let reading = world.balance();
    assert_eq!(reading.why().unwrap().code(), "light_client_behind");
}
