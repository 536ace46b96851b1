//! The same chain and the same faults in memory, in virtual time: nothing sleeps for real, and a seed replays a run.
//!
//! ```
//! use std::time::Duration;
//!
//! use saldo_drill::simulate::Simulation;
//! use saldo_drill::{Chain, Fault, Provider};
//! use saldo_source::Clock;
//!
//! let chain = Chain::new(1);
//! let simulation = Simulation::new(1, &chain);
//! simulation.internet().register("http://alice.test", Provider::honest(&chain));
//! simulation.internet().register("http://mallory.test", Provider::honest(&chain).with(Fault::Hang));
//!
//! let clock = simulation.clock();
//! let before = chain.tip().number;
//! simulation.run(async move { clock.sleep(Duration::from_secs(36)).await });
//! assert_eq!(chain.tip().number, before + 3);
//! ```

mod clock;
mod internet;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

pub use clock::VirtualClock;
pub use internet::{Exchange, Internet};

use crate::{Chain, Seed};

/// A world in virtual time: a clock, an internet, and chains that grow as time passes.
#[derive(Debug)]
pub struct Simulation {
    clock: VirtualClock,
    internet: Internet,
    chains: Vec<Chain>,
}

impl Simulation {
    /// Starts at the moment `chain` stands at. From then on the chain follows the time.
    pub fn new(seed: u64, chain: &Chain) -> Self {
        let clock = VirtualClock::starting_at(chain.time());
        let internet = Internet::new(Seed::new(seed), clock.clone());
        Self { clock, internet, chains: vec![chain.clone()] }
    }

    /// Another chain that follows the time.
    pub fn follow(&mut self, chain: &Chain) {
        self.chains.push(chain.clone());
    }

    /// The network between the device and its sources; implements [`Transport`](saldo_source::Transport).
    pub fn internet(&self) -> Internet {
        self.internet.clone()
    }

    /// The device's clock; implements [`Clock`](saldo_source::Clock).
    pub fn clock(&self) -> VirtualClock {
        self.clock.clone()
    }

    /// Lets that much time pass while the device does nothing.
    pub fn pass(&self, duration: Duration) {
        self.run(self.clock.timer(duration));
    }

    /// Runs `future` to its end. Whenever it cannot continue, time jumps to the next moment that a future waits for.
    ///
    /// # Panics
    /// If the future waits for something that can never happen: nothing is ready, and no timer is set.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            if woken.0.swap(false, Ordering::SeqCst) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                    return output;
                }
            } else {
                let now = self.clock.jump();
                assert!(now.is_some(), "the simulated future waits for something that can never happen");
            }
            self.grow();
        }
    }

    /// Brings the chains to the present.
    fn grow(&self) {
        let now = self.clock.true_time();
        self.chains.iter().for_each(|chain| chain.advance_to(now));
    }
}

/// Remembers that the future wants to be polled again.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}
