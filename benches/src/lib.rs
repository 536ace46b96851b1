//! Measures speed together with its limit and a peer library, in the same run.
//!
//! A [`Row`] is one piece of work, done in up to three ways: the unavoidable part (the *limit*), a well-known library
//! (the *peer*), and saldo (*ours*). `limits` measures all rows; `benches/daily.rs` runs the same work in a benchmark
//! harness.

mod home;
mod home_tokens;
mod measure;
mod proof;
mod reply;
mod row;
mod token;
mod token_run;
mod update;
mod vector;

pub use measure::{Measured, measure};
pub use row::{Bound, Row, Side, Work};

/// Prepares a row.
pub type Maker = fn() -> Result<Row, Missing>;

/// All rows by name. Preparing a row fails if its real data is missing.
pub const ROWS: [(&str, Maker); 14] = [
    ("account_proof", proof::account),
    ("account_and_slot", proof::account_and_slot),
    ("batch_of_100_accounts", proof::batch),
    ("known_token", token::known_layout),
    ("executed_token", token_run::executed),
    ("hostile_tokens", token_run::hostile),
    ("finality_update", update::finality_update),
    ("hand_over", update::hand_over),
    ("fourteen_hand_overs", update::fourteen_hand_overs),
    ("bootstrap", update::bootstrap),
    ("reply_of_100_proofs", reply::reply),
    ("open_100_readings", home::open),
    ("refresh_100_holdings", home::refresh),
    ("coin_and_50_tokens", home_tokens::refresh),
];

/// Why a row cannot be measured on this machine.
pub type Missing = Box<dyn std::error::Error>;
