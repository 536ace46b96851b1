//! `saldo-ffi` as the WebAssembly module that the package for TypeScript loads, in browsers and in Node.

// The functions that are exported are in other crates: these lines keep them.
extern crate uniffi_runtime_wasm as _;
saldo_ffi::uniffi_reexport_scaffolding!();
