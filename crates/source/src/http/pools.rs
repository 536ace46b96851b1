//! The two pools of connections of a transport. The second is used while the connection of the first is silent.

use std::sync::{Arc, OnceLock};

use super::servers::Pool;

/// Makes the builder of a client.
#[derive(Clone)]
pub(super) struct Builder(Arc<dyn Fn() -> reqwest::ClientBuilder + Send + Sync>);

impl Builder {
    pub(super) fn new(builder: impl Fn() -> reqwest::ClientBuilder + Send + Sync + 'static) -> Self {
        Self(Arc::new(builder))
    }

    pub(super) fn make(&self) -> reqwest::ClientBuilder {
        (self.0)()
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").finish_non_exhaustive()
    }
}

/// Two clients that differ in nothing but their connections.
#[derive(Clone, Debug)]
pub(super) struct Pools {
    first: reqwest::Client,
    /// Made when it is used first: it reads the certificates of the system again.
    second: Arc<OnceLock<Option<reqwest::Client>>>,
    /// `None` if the client is the app's own: then it is the only one.
    builder: Option<Builder>,
}

impl Pools {
    pub(super) fn new(first: reqwest::Client, builder: Option<Builder>) -> Self {
        Self { first, second: Arc::default(), builder }
    }

    pub(super) fn first(&self) -> &reqwest::Client {
        &self.first
    }

    /// The client of this pool; the first if there is no other.
    pub(super) fn of(&self, pool: Pool) -> &reqwest::Client {
        let make = || self.builder.as_ref().and_then(|builder| builder.make().build().ok());
        match pool {
            Pool::First => &self.first,
            Pool::Second => self.second.get_or_init(make).as_ref().unwrap_or(&self.first),
        }
    }
}
