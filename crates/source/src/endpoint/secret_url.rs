//! A URL that only the transport sees.

use std::fmt;

use url::Url;

/// A provider's URL. It may carry an API key in its path, query or user info, so only the transport sees it: `Debug` shows the
/// scheme and the host, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(pub(super) Url);

impl SecretUrl {
    /// The URL itself, for the transport only.
    pub fn expose(&self) -> &Url {
        &self.0
    }

    /// The same URL with `path` (which starts with `/`) appended to its path, and `query` to its query.
    pub(crate) fn join(&self, path: &str, query: &[(&str, String)]) -> Self {
        let mut url = self.0.clone();
        let joined = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&joined);
        if !query.is_empty() {
            let mut pairs = url.query_pairs_mut();
            for (key, value) in query {
                pairs.append_pair(key, value);
            }
        }
        Self(url)
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/…", self.0.scheme(), self.0.host_str().unwrap_or("?"))
    }
}
