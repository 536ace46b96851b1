//! An endpoint, as the app declares it.

use std::fmt;

use saldo::EndpointError;

/// A provider, a beacon source, a checkpoint source or a mirror.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct Endpoint {
    /// The URL. It is a secret: no output shows more of it than the host.
    pub url: String,
    /// The name in every output; by default the host.
    #[uniffi(default = None)]
    pub name: Option<String>,
    /// The operator. Two endpoints of one operator count as one witness. By default the host.
    #[uniffi(default = None)]
    pub operator: Option<String>,
    /// The hosting company, or company and region.
    #[uniffi(default = None)]
    pub hosting: Option<String>,
    /// The company of its edge (a content delivery network).
    #[uniffi(default = None)]
    pub edge: Option<String>,
}

/// Never shows the URL, also in the other languages.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.name.as_deref().unwrap_or(".."))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Endpoint {
    /// Takes only a URL. Its host is the name and the operator.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), name: None, operator: None, hosting: None, edge: None }
    }
}

impl TryFrom<&Endpoint> for saldo::Endpoint {
    type Error = EndpointError;

    fn try_from(given: &Endpoint) -> Result<Self, EndpointError> {
        let mut endpoint: Self = given.url.trim().parse()?;
        if let Some(name) = &given.name {
            endpoint = endpoint.named(name)?;
        }
        if let Some(operator) = &given.operator {
            endpoint = endpoint.operator(operator)?;
        }
        if let Some(hosting) = &given.hosting {
            endpoint = endpoint.hosting(hosting)?;
        }
        if let Some(edge) = &given.edge {
            endpoint = endpoint.edge(edge)?;
        }
        Ok(endpoint)
    }
}
