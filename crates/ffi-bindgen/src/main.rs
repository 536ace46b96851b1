//! Generates the bindings of `saldo-ffi` for Kotlin, Swift and Python, from the library that was built.

fn main() {
    uniffi::uniffi_bindgen_main();
}
