//! Messages on standard error. A closed or full one never ends the command: the readings are on standard output.

use std::fmt::Display;
use std::io::Write;

/// Writes a line to standard error.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Writes text without a line break to standard error.
pub(crate) fn say_in_place(text: impl Display) {
    let mut out = std::io::stderr().lock();
    let _ = write!(out, "{text}").and_then(|()| out.flush());
}
