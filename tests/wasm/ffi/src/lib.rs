//! `saldo-ffi` as a WebAssembly module: what an app in a browser would load. For `ffi.mjs`, which loads it in Node.

// The functions that UniFFI exports are in another crate: this keeps them.
saldo_ffi::uniffi_reexport_scaffolding!();
