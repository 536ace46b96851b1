//! Writes the public API that is in a rustdoc JSON file to standard output, one item a line.
//!
//! Left out is what says nothing about this crate: blanket implementations, and auto traits. Derived implementations stay:
//! a `Default` where there must be none should be seen in review.

use std::path::PathBuf;
use std::process::ExitCode;

use public_api::Builder;

fn main() -> ExitCode {
    let Some(json) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: saldo-api-text RUSTDOC.json");
        return ExitCode::FAILURE;
    };
    match Builder::from_rustdoc_json(json).omit_blanket_impls(true).omit_auto_trait_impls(true).build() {
        Ok(api) => {
            print!("{api}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
