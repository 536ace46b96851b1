//! The endpoints of a network: those that the user names, and those that are listed.

use std::path::Path;

use saldo::{Endpoint, Listed};

use crate::failure::CommandFailure;

/// The endpoints to ask: those that the user named, else those of the directory.
pub(crate) struct EndpointChoice {
    pub(crate) endpoints: Vec<Endpoint>,
    /// The operators of the built-in endpoints.
    listed: Vec<String>,
}

impl EndpointChoice {
    pub(super) fn new(named: Vec<Endpoint>, directory: &[Listed]) -> Self {
        if !named.is_empty() {
            return Self { endpoints: named, listed: Vec::new() };
        }
        let built_in = directory.iter().filter(|listed| listed.is_built_in());
        Self {
            listed: built_in.map(|listed| listed.endpoint().run_by().to_owned()).collect(),
            endpoints: directory.iter().map(|listed| listed.endpoint().clone()).collect(),
        }
    }

    /// Whether an endpoint is among them that the user did not name.
    pub(super) fn is_listed(&self) -> bool {
        !self.listed.is_empty()
    }

    pub(super) fn notice(&self, operators: usize) -> String {
        format!(
            "asking public servers: at most {} of {} see an address; --rpc-url or --providers names your own",
            operators.min(self.endpoints.len()),
            self.listed.join(", "),
        )
    }
}

/// Parses an endpoint. An error names only its position, never the URL.
///
/// # Errors
/// A usage failure.
pub(crate) fn endpoint(text: &str, option: &str, position: usize) -> Result<Endpoint, CommandFailure> {
    text.parse().map_err(|error| {
        let detail = format!("{option} number {position}: {error}");
        CommandFailure::usage("not_a_url", detail, format!("Write {option} [NAME=]https://host/path."))
    })
}

/// Parses a mirror: a URL or a folder. An error names only its position.
pub(super) fn mirror(text: &str, position: usize) -> Result<Endpoint, CommandFailure> {
    const OPTION: &str = "--mirror";
    if text.contains("://") {
        return endpoint(text, OPTION, position).map(Endpoint::mirror);
    }
    let (name, path) = match text.split_once('=') {
        Some((name, path)) if !name.contains(['/', '\\', ':']) => (Some(name), path),
        _ => (None, text),
    };
    let usage = |error: &dyn std::fmt::Display| {
        let detail = format!("{OPTION} number {position}: {error}");
        CommandFailure::usage(
            "not_a_mirror",
            detail,
            format!("Write {OPTION} [NAME=]https://host/path or a folder."),
        )
    };
    if !Path::new(path).is_dir() {
        return Err(usage(&"no such folder"));
    }
    let folder = Endpoint::folder(path).map_err(|error| usage(&error))?;
    name.map_or(Ok(folder.clone()), |name| folder.named(name.trim())).map_err(|error| usage(&error))
}

/// An environment variable, if it has a value.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}
