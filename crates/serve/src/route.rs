//! A network, and the path that it is served at.

use std::sync::Arc;

use saldo::{Client, Endpoint, ProviderId, Transport};

use crate::pass_through::PassThrough;

/// A network, and the path that it is served at.
#[derive(Clone, Debug)]
pub struct Route {
    pub(crate) path: String,
    pub(crate) client: Client,
    pub(crate) pass_through: Option<PassThrough>,
}

impl Route {
    /// Serves the network of `client` at `path`, for example `/` or `/sepolia`. Proven answers only.
    pub fn new(path: &str, client: Client) -> Self {
        let path = path.trim_matches('/');
        let path = if path.is_empty() { String::new() } else { format!("/{path}") };
        Self { path, client, pass_through: None }
    }

    /// Asks `provider`, without proof, what cannot be proven. Each such answer names the provider.
    #[must_use]
    pub fn pass_through(mut self, provider: Endpoint, transport: Arc<dyn Transport>) -> Self {
        self.pass_through = Some(PassThrough::new(provider, transport));
        self
    }

    /// Returns the path, without a slash at its end: empty for `/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the provider that is asked without proof, if there is one.
    pub fn passes_through(&self) -> Option<&ProviderId> {
        self.pass_through.as_ref().map(PassThrough::provider)
    }
}
