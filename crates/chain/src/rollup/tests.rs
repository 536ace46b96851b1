//! Tests of the whole way, over states that are built and proven like real ones.

mod attacks;
mod base;
mod captured;
mod codes;
mod held;
mod links;
mod profiles;
mod real;
#[cfg(feature = "sequencer")]
mod sequencer;
mod vectors;
mod world;
