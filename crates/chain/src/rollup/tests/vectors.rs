//! Where the real data is.

use std::io::Write;
use std::path::PathBuf;

use alloy_primitives::{Address, B256, Bytes, U256};
use serde_json::Value;

/// Reads a file of the test vectors as JSON; as [`vector_text`].
pub(super) fn vector(relative: &str) -> Option<Value> {
    vector_text(relative).map(|text| serde_json::from_str(&text).unwrap())
}

/// Reads a file of the test vectors, or prints `skipped: …`. They are not part of the repository: their folder is
/// `$SALDO_VECTORS`, else `../shared/vectors` beside the checkout.
///
/// # Panics
/// If it is absent and `CI=true`: in CI no test is skipped.
pub(super) fn vector_text(relative: &str) -> Option<String> {
    let beside = || root().join("../shared/vectors");
    let path = std::env::var_os("SALDO_VECTORS").map_or_else(beside, PathBuf::from).join(relative);
    if let Ok(text) = std::fs::read_to_string(&path) {
        return Some(text);
    }
    let reason = format!("test vectors `{relative}` are not on this machine (set SALDO_VECTORS)");
    let is_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!is_ci, "must not be skipped in CI: {reason}");
    // Prints directly to stderr: the test harness hides the output of passing tests.
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
    None
}

/// Reads a file that was captured from the real contracts of the OP Stack on a development chain.
pub(super) fn captured(name: &str) -> Value {
    let text = std::fs::read_to_string(root().join("tests/data/rollup").join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(super) fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {path}"))
}

pub(super) fn hash(value: &Value, path: &str) -> B256 {
    text(value, path).parse().unwrap()
}

pub(super) fn address(value: &Value, path: &str) -> Address {
    text(value, path).parse().unwrap()
}

pub(super) fn bytes(value: &Value, path: &str) -> Bytes {
    text(value, path).parse().unwrap()
}

pub(super) fn number(value: &Value, path: &str) -> u64 {
    let value = value.pointer(path).unwrap_or_else(|| panic!("nothing at {path}"));
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap()
}

pub(super) fn nodes(value: &Value, path: &str) -> Vec<Bytes> {
    serde_json::from_value(value.pointer(path).unwrap().clone()).unwrap()
}

/// The slots of an object whose keys and values are numbers.
pub(super) fn words(value: &Value, name: &str) -> Vec<(B256, U256)> {
    let entries = value[name].as_object().unwrap().iter();
    let word = |text: &str| text.parse::<U256>().unwrap();
    entries.map(|(key, value)| (B256::from(word(key)), word(value.as_str().unwrap()))).collect()
}
