//! Who may ask: the `Host` and the `Origin` of a request.
//!
//! A web page in the user's browser reaches every port of this machine. Its requests name the page's origin; and a page whose name
//! was made to point to this machine (DNS rebinding) names that host.

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Uri};

/// The hosts and origins that are allowed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    /// Without ports, in small letters. This machine's own names are always allowed.
    hosts: Vec<String>,
    origins: Vec<String>,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// It names another host, or none, or several.
    Host,
    /// It comes from a web page that is not allowed.
    Origin,
}

impl Denied {
    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::Host => "this host name is not allowed: start the server with --allow-host",
            Self::Origin => "web pages of this origin are not allowed: start the server with --allow-origin",
        }
    }
}

impl Access {
    pub(crate) fn new(hosts: &[String], origins: &[String]) -> Self {
        let hosts = hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        let origins =
            origins.iter().map(|origin| origin.trim_end_matches('/').to_ascii_lowercase()).collect();
        Self { hosts, origins }
    }

    /// Whether the request may be answered. Returns its origin, if it has one.
    ///
    /// # Errors
    /// [`Denied`].
    pub(crate) fn check<'a>(
        &self,
        uri: &Uri,
        headers: &'a HeaderMap,
    ) -> Result<Option<&'a HeaderValue>, Denied> {
        let named = headers.get_all(HOST).iter().map(|host| host.as_bytes());
        // HTTP/2 has it in the address; a request to a proxy has it there too.
        let in_address = uri.authority().map(|authority| authority.as_str().as_bytes());
        let mut hosts = named.chain(in_address).peekable();
        if hosts.peek().is_none() || headers.get_all(HOST).iter().count() > 1 {
            return Err(Denied::Host);
        }
        if !hosts.all(|host| self.allows_host(host)) {
            return Err(Denied::Host);
        }
        let mut origins = headers.get_all(ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => Ok(None),
            (Some(origin), None) if self.allows_origin(origin) => Ok(Some(origin)),
            _ => Err(Denied::Origin),
        }
    }

    fn allows_host(&self, host: &[u8]) -> bool {
        let Ok(authority) = Authority::try_from(host) else { return false };
        let host = authority.host().to_ascii_lowercase();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let is_this_machine =
            host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        (is_this_machine || self.hosts.iter().any(|allowed| *allowed == host || allowed == bare))
            && !authority.as_str().contains('@')
    }

    fn allows_origin(&self, origin: &HeaderValue) -> bool {
        let origin = origin.to_str().unwrap_or_default().to_ascii_lowercase();
        self.origins.contains(&origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(access: &Access, hosts: &[&str], origin: Option<&str>) -> Result<bool, Denied> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, host.parse().unwrap());
        }
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        access.check(&"/".parse().unwrap(), &headers).map(|origin| origin.is_some())
    }

    #[test]
    fn only_this_machine_is_a_host_by_default() {
        let access = Access::new(&["Saldo.Example".to_owned()], &[]);
        for host in
            ["localhost", "LOCALHOST:8545", "127.0.0.1:8545", "127.0.0.2", "[::1]:8545", "saldo.example:1"]
        {
            assert_eq!(check(&access, &[host], None), Ok(false), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "10.0.0.1",
            "0.0.0.0:8545",
            "user@localhost",
            "",
            "local host",
            "[::2]",
        ] {
            assert_eq!(check(&access, &[host], None), Err(Denied::Host), "{host}");
        }
        assert_eq!(check(&access, &[], None), Err(Denied::Host));
        assert_eq!(check(&access, &["localhost", "localhost"], None), Err(Denied::Host));
        let uri: Uri = "http://evil.example/".parse().unwrap();
        let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static("localhost"))]);
        assert_eq!(access.check(&uri, &headers), Err(Denied::Host), "both must be allowed");
    }

    #[test]
    fn no_page_is_an_origin_by_default() {
        let access = Access::new(&[], &["https://app.example/".to_owned()]);
        assert_eq!(check(&access, &["localhost"], Some("https://app.example")), Ok(true));
        for origin in [
            "https://evil.example",
            "http://app.example",
            "http://localhost:8545",
            "null",
            "https://app.example:444",
        ] {
            assert_eq!(check(&access, &["localhost"], Some(origin)), Err(Denied::Origin), "{origin}");
        }
    }
}
