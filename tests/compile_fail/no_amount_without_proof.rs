//! Promise 1, at compile time: code that invents an amount, or forgets that it may be unknown, does not compile.

use std::io::Write;

/// The number of programs that must be refused. A program missing from the list would not be run.
const PROGRAMS: usize = 22;

/// The compiler that recorded the messages. Other versions word them differently.
const RECORDED_WITH: &str = "rustc 1.95.";

#[test]
fn code_that_invents_an_amount_does_not_compile() {
    let package = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let count = |folder: &std::path::Path| {
        let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).count()
    };
    assert_eq!(count(&package.join("programs")), PROGRAMS);
    assert_eq!(count(package), 1, "a program outside of `programs` is not compiled");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = std::process::Command::new(rustc).arg("--version").output().unwrap();
    let compiler = String::from_utf8(version.stdout).unwrap();
    if !compiler.starts_with(RECORDED_WITH) {
        let reason = format!("error messages were recorded with {RECORDED_WITH}x, this is {compiler}");
        assert!(
            std::env::var_os("CI").is_none_or(|value| value != "true"),
            "must not be skipped in CI: {reason}"
        );
        // Write directly to stderr: the test harness hides the output of passing tests.
        let _ = writeln!(std::io::stderr(), "skipped: {reason}");
        return;
    }
    trybuild::TestCases::new().compile_fail("programs/*.rs");
}
