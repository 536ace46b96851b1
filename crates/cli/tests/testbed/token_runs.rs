//! Runs of `saldo balance` with tokens, and token lists for it.

use std::path::PathBuf;

use saldo::Address;
use serde_json::{Value, json};

use super::schema::{assert_follows, schema};
use super::{Run, Services, network_file, run};

/// The lines of a run, each checked against the schema.
#[track_caller]
pub fn lines(run: &Run) -> Vec<Value> {
    let schema = schema("reading");
    for line in run.json() {
        assert_follows(&schema, &line);
    }
    run.json()
}

/// An address as the command prints it.
pub fn hex(address: Address) -> String {
    format!("{address:#x}")
}

/// The options that name these tokens.
pub fn tokens(tokens: &[Address]) -> Vec<String> {
    tokens.iter().flat_map(|token| ["--token".to_owned(), token.to_string()]).collect()
}

/// Runs `saldo balance` for `owners`, with the tokens `of`.
pub fn run_with(services: &Services, owners: &[Address], of: &[Address], options: &[&str]) -> Run {
    let owners = owners.iter().map(ToString::to_string);
    run(services.balance().args(owners).args(tokens(of)).args(options))
}

/// A token list with these entries: chain id, contract, decimals and symbol.
pub fn list(entries: &[(u64, Address, u8, &str)]) -> Value {
    let entry = |(chain, address, decimals, symbol): &(u64, Address, u8, &str)| json!({ "chainId": chain, "address": address.to_string(), "decimals": decimals, "symbol": symbol, "name": "A token" });
    let tokens: Vec<Value> = entries.iter().map(entry).collect();
    json!({ "name": "A list", "timestamp": "2026-01-01T00:00:00Z", "tokens": tokens })
}

/// Writes a file with such a list.
pub fn list_file(entries: &[(u64, Address, u8, &str)]) -> PathBuf {
    network_file(&list(entries).to_string())
}

/// The chain id of the test chain.
pub const CHAIN: u64 = 31_337;
