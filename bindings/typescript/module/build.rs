//! Lets the runtime put functions of JavaScript into the table of the module.

fn main() {
    println!("cargo::rustc-link-arg-cdylib=--export-table");
    println!("cargo::rustc-link-arg-cdylib=--growable-table");
}
