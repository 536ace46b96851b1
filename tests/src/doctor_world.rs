//! A configuration in a simulated network, and the doctor that examines it.

use alloy_primitives::{Address, U256};
use saldo_doctor::{Doctor, Limits, Report};
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Chain, Provider};
use saldo_source::Endpoint;
use std::sync::Arc;

/// A chain, its servers, and the doctor.
pub struct DoctorWorld {
    /// The chain. It has 200 blocks, and the probed account holds 5 wei.
    pub chain: Chain,
    /// The simulated network, in virtual time.
    pub simulation: Simulation,
    /// The execution providers, named `provider0` and so on.
    pub providers: Vec<Provider>,
    /// The beacon sources, named `source0` and so on.
    pub sources: Vec<BeaconSource>,
    /// The checkpoint sources, named `checkpoint0` and so on.
    pub checkpoint_sources: Vec<BeaconSource>,
    /// The configuration, with the chain's checkpoint.
    pub doctor: Doctor,
}

impl DoctorWorld {
    /// That many honest servers of each kind, each with its own operator.
    pub fn new(seed: u64, providers: usize, sources: usize, checkpoint_sources: usize) -> Self {
        let chain = Chain::builder(seed).history(200).accounts([(Address::ZERO, U256::from(5))]).build();
        let simulation = Simulation::new(seed, &chain);
        let internet = simulation.internet();
        let providers: Vec<Provider> = (0..providers).map(|_| Provider::honest(&chain)).collect();
        let sources: Vec<BeaconSource> = (0..sources).map(|_| BeaconSource::honest(&chain)).collect();
        let checkpoint_sources: Vec<BeaconSource> =
            (0..checkpoint_sources).map(|_| BeaconSource::honest(&chain)).collect();
        let mut doctor =
            Doctor::new(chain.network(), Arc::new(internet.clone()), Arc::new(simulation.clock()))
                .checkpoint(Some(chain.checkpoint()));
        let place = |name: String| -> Endpoint {
            format!("{name}=http://{name}.test").parse().expect("a name and a URL")
        };
        for (index, provider) in providers.iter().enumerate() {
            internet.register(&format!("http://provider{index}.test"), provider.clone());
            doctor = doctor.provider(place(format!("provider{index}")));
        }
        for (index, source) in sources.iter().enumerate() {
            internet.register(&format!("http://source{index}.test"), source.clone());
            doctor = doctor.source(place(format!("source{index}")));
        }
        for (index, source) in checkpoint_sources.iter().enumerate() {
            internet.register(&format!("http://checkpoint{index}.test"), source.clone());
            doctor = doctor.checkpoint_source(place(format!("checkpoint{index}")));
        }
        Self { chain, simulation, providers, sources, checkpoint_sources, doctor }
    }

    /// Examines the configuration, in virtual time.
    ///
    /// # Panics
    /// If it takes longer than its limit.
    pub fn examine(&self) -> Report {
        use saldo_source::Clock;
        let clock = self.simulation.clock();
        let before = clock.monotonic();
        let report = self.simulation.run(self.doctor.examine(&|_| {}));
        let took = clock.monotonic() - before;
        assert!(took <= Limits::default().total, "the examination took {took:?}");
        report
    }
}
