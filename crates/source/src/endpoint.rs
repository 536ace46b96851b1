//! A provider: its secret URL, its name for outputs, and its operator.

mod operator;
mod secret_url;

use std::fmt;
use std::path::{Path, PathBuf};

use saldo_reading::ProviderId;
use url::Url;

pub use secret_url::SecretUrl;

/// Why a URL cannot be an endpoint. Shows nothing of the URL. The caller's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The text is not a URL.
    #[error("not a URL; expected for example https://host/path")]
    NotAUrl,
    /// The scheme is not `http` or `https`.
    #[error("the URL's scheme must be http or https")]
    Scheme,
    /// The URL has no host.
    #[error("the URL has no host")]
    NoHost,
    /// Plain HTTP to another machine, for a source whose word is believed: a machine on the way could answer for all sources.
    #[error("the URL must be https, or of this machine: this source is believed without proof")]
    Unencrypted,
    /// The name is empty, longer than [`ProviderId::MAX_LEN`] bytes, or has a control character.
    #[error("a provider's name must have 1 to {} printable characters", ProviderId::MAX_LEN)]
    Name,
    /// The folder's path is empty, or cannot be made absolute.
    #[error("the folder's path cannot be used")]
    Folder,
    /// A mirror, where an API is needed.
    #[error("a mirror has light-client data only")]
    Mirror,
}

/// One provider: its URL, which stays secret, and its name, which outputs show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    url: SecretUrl,
    id: ProviderId,
    kind: Kind,
    operator: Option<String>,
    edge: Option<String>,
    hosting: Option<String>,
    declared: Option<Declared>,
}

/// How an endpoint is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// An API: JSON-RPC, or a beacon API.
    Interface,
    /// Light-client objects as plain files.
    Mirror,
    /// Light-client objects as plain files in a folder of this device.
    Folder(SecretPath),
}

/// A path of this device. It may hold the user's name, so it is not shown.
#[derive(Clone, PartialEq, Eq)]
struct SecretPath(PathBuf);

impl fmt::Debug for SecretPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Where an endpoint's operator and hosting are documented, and when that was last read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// A page, or a person.
    pub source: String,
    /// The day, as YYYY-MM-DD.
    pub as_of: String,
}

impl Endpoint {
    /// An endpoint whose name is its host (and port, if the URL has one).
    ///
    /// # Errors
    /// [`EndpointError`] if `url` is not an `http` or `https` URL with a host.
    pub fn new(url: &str) -> Result<Self, EndpointError> {
        let url = Url::parse(url.trim()).map_err(|_| EndpointError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(EndpointError::Scheme);
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(EndpointError::NoHost)?;
        let name = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let id = ProviderId::new(&name).ok_or(EndpointError::NoHost)?;
        Ok(Self::of(url, id))
    }

    /// A mirror of light-client data in a folder of this device ([`mirror`](crate::mirror)). Its name is `folder` until
    /// [`Endpoint::named`] gives another. The path stays secret, as a URL does.
    ///
    /// # Errors
    /// [`EndpointError::Folder`] if no folder can have that path.
    pub fn folder(path: impl AsRef<Path>) -> Result<Self, EndpointError> {
        let path = std::path::absolute(path).map_err(|_| EndpointError::Folder)?;
        // Without the path: a transport would see it.
        let url = Url::parse("file:///").map_err(|_| EndpointError::Folder)?;
        let id = ProviderId::new("folder").ok_or(EndpointError::Name)?;
        let here = || Some(operator::THIS_DEVICE.to_owned());
        let kind = Kind::Folder(SecretPath(path));
        Ok(Self { kind, operator: here(), hosting: here(), ..Self::of(url, id) })
    }

    /// The same endpoint as a mirror: it has light-client objects as plain files ([`mirror`](crate::mirror)), and no beacon API.
    #[must_use]
    pub fn mirror(mut self) -> Self {
        if self.kind == Kind::Interface {
            self.kind = Kind::Mirror;
        }
        self
    }

    /// Whether it has light-client objects as plain files, and no beacon API.
    pub fn is_mirror(&self) -> bool {
        self.kind != Kind::Interface
    }

    /// Its folder on this device, if it is one.
    pub(crate) fn folder_path(&self) -> Option<&Path> {
        match &self.kind {
            Kind::Folder(SecretPath(path)) => Some(path),
            Kind::Interface | Kind::Mirror => None,
        }
    }

    fn of(url: Url, id: ProviderId) -> Self {
        let (operator, edge, hosting, declared) = Default::default();
        Self { url: SecretUrl(url), id, kind: Kind::Interface, operator, edge, hosting, declared }
    }

    /// The same endpoint under the given name.
    ///
    /// # Errors
    /// [`EndpointError::Name`] if `name` is empty, longer than [`ProviderId::MAX_LEN`] bytes, or has a control character.
    pub fn named(mut self, name: &str) -> Result<Self, EndpointError> {
        self.id = ProviderId::new(name).ok_or(EndpointError::Name)?;
        Ok(self)
    }

    /// The same endpoint with its operator. Two endpoints of one operator count as one witness, and fail together.
    ///
    /// # Errors
    /// [`EndpointError::Name`], as for [`Endpoint::named`].
    pub fn operator(mut self, operator: &str) -> Result<Self, EndpointError> {
        self.operator = Some(plain(operator)?);
        Ok(self)
    }

    /// The same endpoint with its hosting, as its operator says: a company, or a company and region.
    ///
    /// # Errors
    /// [`EndpointError::Name`], as for [`Endpoint::named`].
    pub fn hosting(mut self, hosting: &str) -> Result<Self, EndpointError> {
        self.hosting = Some(plain(hosting)?);
        Ok(self)
    }

    /// The same endpoint with the company of its edge (a content delivery network): all endpoints behind one edge fail with it.
    ///
    /// # Errors
    /// [`EndpointError::Name`], as for [`Endpoint::named`].
    pub fn edge(mut self, edge: &str) -> Result<Self, EndpointError> {
        self.edge = Some(plain(edge)?);
        Ok(self)
    }

    /// The same endpoint with the source that documents its operator, edge and hosting, and the day (YYYY-MM-DD) it was read.
    ///
    /// # Errors
    /// [`EndpointError::Name`], as for [`Endpoint::named`].
    pub fn declared(mut self, source: &str, as_of: &str) -> Result<Self, EndpointError> {
        self.declared = Some(Declared { source: plain(source)?, as_of: plain(as_of)? });
        Ok(self)
    }

    /// Whether no machine on the way can change its answers: they come over TLS, or from this machine.
    pub fn is_private(&self) -> bool {
        self.url.0.scheme() == "https" || self.is_on_this_device()
    }

    /// Whether it is a folder or a server of this device.
    pub(crate) fn is_on_this_device(&self) -> bool {
        let is_loopback = match self.url.0.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            // With a dot at its end the name is the same (RFC 1034, section 3.1).
            Some(url::Host::Domain(name)) => name.strip_suffix('.').unwrap_or(name) == "localhost",
            None => false,
        };
        is_loopback || self.folder_path().is_some()
    }

    /// Its operator: as declared, else the host.
    pub fn run_by(&self) -> &str {
        self.operator.as_deref().or_else(|| self.url.0.host_str()).unwrap_or_else(|| self.id.as_str())
    }

    /// [`Endpoint::run_by`] for comparing: endpoints with one key have one operator, however its name or host is written.
    pub fn operator_key(&self) -> String {
        match (&self.operator, self.url.0.host()) {
            (Some(name), _) => operator::of_name(name),
            (None, Some(host)) => operator::of_host(&host),
            (None, None) => operator::of_name(self.id.as_str()),
        }
    }

    /// The [`Endpoint::operator_key`] of an operator by its name or host. It compares the names of other companies as well.
    pub fn operator_key_of(name: &str) -> String {
        operator::of_name(name)
    }

    /// Whether [`Endpoint::run_by`] was declared, rather than taken from the host.
    pub fn operator_is_declared(&self) -> bool {
        self.operator.is_some()
    }

    /// Its hosting, if that was declared.
    pub fn hosted_by(&self) -> Option<&str> {
        self.hosting.as_deref()
    }

    /// The company of its edge, if that was declared.
    pub fn behind_edge_of(&self) -> Option<&str> {
        self.edge.as_deref()
    }

    /// The source of the declared operator, edge and hosting, if that is known.
    pub fn declaration(&self) -> Option<&Declared> {
        self.declared.as_ref()
    }

    /// The provider's name in every output.
    pub fn id(&self) -> &ProviderId {
        &self.id
    }

    /// The provider's URL, for the transport only.
    pub fn url(&self) -> &SecretUrl {
        &self.url
    }
}

fn plain(name: &str) -> Result<String, EndpointError> {
    ProviderId::new(name).map(|name| name.as_str().to_owned()).ok_or(EndpointError::Name)
}

impl TryFrom<&str> for Endpoint {
    type Error = EndpointError;

    fn try_from(text: &str) -> Result<Self, EndpointError> {
        text.parse()
    }
}

impl TryFrom<String> for Endpoint {
    type Error = EndpointError;

    fn try_from(text: String) -> Result<Self, EndpointError> {
        text.parse()
    }
}

impl std::str::FromStr for Endpoint {
    type Err = EndpointError;

    /// Reads `URL` or `NAME=URL`. The text before the first `=` is a name only if it cannot be part of a URL.
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        match text.split_once('=') {
            Some((name, url)) if !name.contains(['/', '?', '@', ':', '#']) => {
                Self::new(url)?.named(name.trim())
            }
            _ => Self::new(text),
        }
    }
}

#[cfg(test)]
mod tests;
