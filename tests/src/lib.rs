//! Shared by the tests: the folder of the real-world vectors, and how a test that cannot run reports it.

pub mod assembler;
pub mod beacon;
pub mod beacon_opinion;
pub mod captured;
pub mod checkpoint_world;
pub mod compiled;
pub mod consensus;
pub mod counted;
pub mod deployed;
pub mod doctor_world;
pub mod forge;
pub mod further;
pub mod gate;
pub mod gloas;
pub mod key_recorder;
pub mod life;
pub mod mirrored;
pub mod mutation;
pub mod proven_world;
pub mod rollup_world;
pub mod scenario;
pub mod scene;
pub mod second_opinion;
pub mod slow_storage;
pub mod spec_store;
pub mod stopped_clock;
pub mod stored;
pub mod supply;
pub mod syntax;
pub mod tls_server;
pub mod tls_world;
pub mod token;
pub mod travel;
pub mod watched;

use std::io::Write;
use std::path::PathBuf;

use saldo::{Address, Holding, NetworkId};

/// The network of the drill's chains.
pub const NETWORK: NetworkId = NetworkId::new(saldo_drill::Chain::CHAIN_ID);

/// Returns the holding of the coin of [`NETWORK`] by `owner`.
pub const fn native(owner: Address) -> Holding {
    Holding::native(NETWORK, owner)
}

/// The folder `relative` in the test vectors, or `None` after printing `skipped: …`.
///
/// The vectors are not part of the repository. Their folder is `$SALDO_VECTORS`, else `../shared/vectors` beside the
/// checkout.
///
/// # Panics
/// If they are absent and `CI=true`: in CI no test is skipped.
pub fn vectors(relative: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SALDO_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
        PathBuf::from,
    );
    let path = root.join(relative);
    if path.exists() {
        return Some(path);
    }
    skip(&format!("test vectors `{relative}` are not on this machine (set SALDO_VECTORS)"));
    None
}

/// Prints that a test is skipped, and why.
///
/// # Panics
/// If `CI=true`: in CI no test is skipped.
pub fn skip(reason: &str) {
    assert!(
        std::env::var_os("CI").is_none_or(|value| value != "true"),
        "must not be skipped in CI: {reason}"
    );
    // Prints directly to stderr: the test harness hides the output of passing tests.
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}

/// The folder `relative` in the repository's test data, `tests/data`.
pub fn data(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data").join(relative)
}
