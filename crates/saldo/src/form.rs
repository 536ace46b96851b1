//! The serialised forms of a change of a watch, of a verdict about a claim and of the health of a client: the schemas
//! `saldo.change/1`, `saldo.verdict/1` and `saldo.health/1`, described in `docs`.
//!
//! They go one way: nothing can be read back. All keys are always present. No form has a URL.

mod change;
mod health;
mod verdict;
