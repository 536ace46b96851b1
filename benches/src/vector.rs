//! The real data for the rows. It is not in the repository: `$SALDO_VECTORS`, else `../shared/vectors`.

use std::path::PathBuf;

use serde::de::DeserializeOwned;

use crate::Missing;

/// The bytes of one file.
pub(crate) fn bytes(relative: &str) -> Result<Vec<u8>, Missing> {
    let root = std::env::var_os("SALDO_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
        PathBuf::from,
    );
    std::fs::read(root.join(relative)).map_err(|error| {
        format!("{relative}: {error} (set SALDO_VECTORS to the folder of the test vectors)").into()
    })
}

/// One JSON file.
pub(crate) fn json<T: DeserializeOwned>(relative: &str) -> Result<T, Missing> {
    serde_json::from_slice(&bytes(relative)?).map_err(|error| format!("{relative}: {error}").into())
}
