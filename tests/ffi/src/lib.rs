//! One table of scenarios (`scenarios.toml`) that the bindings of every language run against the same drill.
//!
//! `scenario-server NAME` sets one scenario up on loopback and prints one JSON line with everything that a runner needs: the settings of
//! the client, and the steps with their expected results. `README.md` describes the steps.

mod served;
mod simulated;
mod table;

pub use served::Served;
pub use simulated::{CountedHttp, SimulatedClock, Traffic};
pub use table::{Scenario, TABLE, Table, TableError};
