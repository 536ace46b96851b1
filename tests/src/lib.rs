//! What the tests share: where the real-world vectors are, and how a test that cannot run says so.

pub mod beacon;
pub mod beacon_opinion;
pub mod captured;
pub mod clinic;
pub mod consensus;
pub mod council;
pub mod counted;
pub mod forge;
pub mod further;
pub mod gate;
pub mod gloas;
pub mod heard;
pub mod kept;
pub mod life;
pub mod mirrored;
pub mod mutation;
pub mod scenario;
pub mod scene;
pub mod second_opinion;
pub mod spec_store;
pub mod still;
pub mod supply;
pub mod syntax;
pub mod witness;

use std::io::Write;
use std::path::PathBuf;

/// The folder `relative` inside the test vectors, or `None` after printing `skipped: …`.
///
/// The vectors are not part of the repository. They are looked for at `$SALDO_VECTORS`, else beside the
/// checkout at `../shared/vectors`.
///
/// # Panics
/// If they are absent and `CI=true`: in CI nothing is skipped.
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

/// Says that a test is skipped, and why.
///
/// # Panics
/// If `CI=true`: in CI nothing is skipped.
pub fn skip(reason: &str) {
    assert!(
        std::env::var_os("CI").is_none_or(|value| value != "true"),
        "must not be skipped in CI: {reason}"
    );
    // Past the test harness, which keeps what a passing test prints to itself.
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}

/// The folder of data that belongs to the repository, `tests/data`.
pub fn data(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data").join(relative)
}
