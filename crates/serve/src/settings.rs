//! What a server allows.

use std::time::Duration;

/// What a server allows. By default: this machine only, no web pages, and limits that one wallet or a few programs never reach.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Host names, without ports, that requests may name, besides this machine's own.
    pub allowed_hosts: Vec<String>,
    /// Origins of web pages that may ask, for example `https://app.example`.
    pub allowed_origins: Vec<String>,
    /// The most connections at a time. Further ones are closed at once.
    pub max_connections: usize,
    /// The most bodies that are answered at a time. Further ones wait.
    pub max_running: usize,
    /// How long a connection may take to send its first request, and any request to send its body.
    pub read_timeout: Duration,
    /// How long a connection may be idle.
    pub idle_timeout: Duration,
    /// How long requests in progress may take once the server is stopped.
    pub drain_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            max_connections: 1_024,
            max_running: 512,
            read_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            drain_timeout: Duration::from_secs(10),
        }
    }
}
