//! The version of the library, which the packages compare with their own.

/// Returns the version of the native library. A package of another version refuses to load it.
#[uniffi::export]
pub fn library_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
