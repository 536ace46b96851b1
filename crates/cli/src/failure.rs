//! A failure of the command itself: there is no reading at all.

use std::fmt;

use serde_json::json;

use crate::say::say;

/// Why the command could not do its work. Holds no URL.
#[derive(Debug)]
pub(crate) struct CommandFailure {
    code: &'static str,
    detail: String,
    next_step: String,
    status: u8,
}

impl CommandFailure {
    /// The exit status of a usage error.
    pub(crate) const USAGE: u8 = 2;

    /// The caller's arguments are wrong.
    pub(crate) fn usage(code: &'static str, detail: impl fmt::Display, next_step: impl fmt::Display) -> Self {
        Self { code, detail: detail.to_string(), next_step: next_step.to_string(), status: Self::USAGE }
    }

    /// The command could not do its work.
    pub(crate) fn failed(
        code: &'static str,
        detail: impl fmt::Display,
        next_step: impl fmt::Display,
    ) -> Self {
        Self { code, detail: detail.to_string(), next_step: next_step.to_string(), status: 1 }
    }

    /// A cause on this machine.
    pub(crate) fn internal(detail: impl fmt::Display, next_step: impl fmt::Display) -> Self {
        Self::failed("internal", detail, next_step)
    }

    /// The same failure with the place at which it was found.
    pub(crate) fn at(self, place: &str) -> Self {
        Self { detail: format!("{place}: {}", self.detail), ..self }
    }

    /// All of `failures` as one: the code and the next step are those of the first. At most `named` are told one by one.
    pub(crate) fn of_all(failures: Vec<Self>, named: usize) -> Self {
        let further = failures.len().saturating_sub(named);
        let mut details: Vec<String> =
            failures.iter().take(named).map(|failure| failure.detail.clone()).collect();
        if further > 0 {
            details.push(format!("and {further} more"));
        }
        let detail = details.join("; ");
        match failures.into_iter().next() {
            Some(first) => Self { detail, ..first },
            None => Self::internal("no failure", "Try again."),
        }
    }

    /// What is wrong, and the next step, in one line.
    pub(crate) fn to_line(&self) -> String {
        format!("{}. {}", self.detail, self.next_step)
    }

    /// What is wrong.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// What to do about it.
    pub(crate) fn next_step(&self) -> &str {
        &self.next_step
    }

    /// The exit status.
    pub(crate) fn status(&self) -> u8 {
        self.status
    }

    /// Prints the failure: as JSON to standard output, like the readings, or as text to standard error. If standard output
    /// cannot be written, the text goes to standard error in both cases.
    pub(crate) fn report(&self, as_json: bool) {
        if as_json {
            let error = json!({ "code": self.code, "detail": self.detail, "next_step": self.next_step });
            if crate::print(&json!({ "error": error }).to_string()).is_ok() {
                return;
            }
        }
        say(format_args!("saldo: {}\n  {}", self.detail, self.next_step));
    }
}

impl From<&clap::Error> for CommandFailure {
    /// The error must have gone through [`withhold`](crate::usage::withhold) before.
    fn from(error: &clap::Error) -> Self {
        Self::usage("usage", crate::usage::one_line(error), "See `saldo --help`.")
    }
}
