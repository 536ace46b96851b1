//! The proxies that the environment names. A value that cannot be understood is an error: without the proxy that the user
//! asked for, a request would show this device's address to the provider.

use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

/// The schemes of proxies that work.
const SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];
/// What GNOME calls SOCKS 5.
const SOCKS: &str = "socks";

/// A proxy variable whose value cannot be understood. Shows nothing of the value, which may hold a password. The caller's
/// fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the proxy in {variable} cannot be understood: expected http://, https://, socks5:// or socks5h://, a host and a port"
)]
pub struct ProxyError {
    /// The name of the variable.
    pub variable: &'static str,
}

/// The proxies to use: for `http`, for `https`, and the hosts that are reached without one.
///
/// They come from `http_proxy`, `https_proxy` and `all_proxy` (the last for both), and from `no_proxy`, each in lower or upper
/// case; lower case wins. A server on this device is never asked through a proxy: the proxy would ask its own device.
#[derive(Clone, Default)]
pub struct Proxies {
    http: Option<Url>,
    https: Option<Url>,
    without: Vec<Pattern>,
}

/// A proxy's URL may hold a password.
impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |proxy: &Option<Url>| proxy.as_ref().map(|url| url.scheme().to_owned());
        f.debug_struct("Proxies")
            .field("http", &of(&self.http))
            .field("https", &of(&self.https))
            .finish_non_exhaustive()
    }
}

impl Proxies {
    /// Uses no proxy.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads the environment of this process.
    ///
    /// # Errors
    /// [`ProxyError`] if a value cannot be understood.
    pub fn from_env() -> Result<Self, ProxyError> {
        Self::from_variables(|name| std::env::var_os(name))
    }

    /// Reads the variables that `lookup` gives.
    ///
    /// # Errors
    /// [`ProxyError`] if a value cannot be understood.
    pub fn from_variables(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, ProxyError> {
        let named = |names: &[&'static str]| {
            let mut values = names.iter().filter_map(|name| value(name, &lookup).transpose());
            values.next().transpose()
        };
        let all = named(&["all_proxy", "ALL_PROXY"])?;
        // A web server hands a request's `Proxy` header to its programs as HTTP_PROXY (CVE-2016-5385).
        let is_web_server = lookup("REQUEST_METHOD").is_some();
        let http = named(if is_web_server { &["http_proxy"] } else { &["http_proxy", "HTTP_PROXY"] })?;
        let https = named(&["https_proxy", "HTTPS_PROXY"])?;
        let list =
            ["no_proxy", "NO_PROXY"].iter().find_map(|name| lookup(name).filter(|value| !value.is_empty()));
        let list = list.unwrap_or_default().to_string_lossy().into_owned();
        let entries = list.split([',', ' ', '\t', '\n']).map(str::trim).filter(|entry| !entry.is_empty());
        Ok(Self {
            http: http.or(all.clone()),
            https: https.or(all),
            without: entries.map(Pattern::new).collect(),
        })
    }

    /// The proxy for requests to `url`; `None` if they go there directly.
    pub fn of(&self, url: &Url) -> Option<&Url> {
        let host = url.host()?;
        if is_this_device(&host) || self.without.iter().any(|pattern| pattern.matches(&host, url)) {
            return None;
        }
        if url.scheme() == "https" { self.https.as_ref() } else { self.http.as_ref() }
    }
}

/// The proxy in the variable `name`; `None` if it is not set, or blank.
fn value(name: &'static str, lookup: impl Fn(&str) -> Option<OsString>) -> Result<Option<Url>, ProxyError> {
    let Some(value) = lookup(name) else { return Ok(None) };
    let text = value.to_str().ok_or(ProxyError { variable: name })?.trim();
    if text.is_empty() {
        return Ok(None);
    }
    parse(text).map(Some).ok_or(ProxyError { variable: name })
}

fn parse(text: &str) -> Option<Url> {
    let text = match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SOCKS) => format!("socks5://{rest}"),
        Some(_) => text.to_owned(),
        // Without a scheme only a host and port are clear: a word alone may be anything.
        None => {
            let (_, port) = text.rsplit_once(':')?;
            port.trim_end_matches('/').parse::<u16>().ok()?;
            format!("http://{text}")
        }
    };
    if text.chars().any(|character| character.is_whitespace() || character.is_control()) {
        return None;
    }
    let url = Url::parse(&text).ok()?;
    let is_plain = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    let has_host = url.host_str().is_some_and(|host| !host.is_empty());
    (SCHEMES.contains(&url.scheme()) && is_plain && has_host && url.port() != Some(0)).then_some(url)
}

fn is_this_device(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|address| address.is_loopback())
        }
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            // RFC 6761, section 6.3.
            name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost")
        }
    }
}

/// An entry of `no_proxy`.
#[derive(Clone)]
enum Pattern {
    /// `*`: every host.
    All,
    /// A name, and all names below it; with a port, only there.
    Name { name: String, port: Option<u16> },
    /// Addresses that have the first `bits` bits of this one.
    Network { address: IpAddr, bits: u8 },
}

impl Pattern {
    fn new(entry: &str) -> Self {
        if entry == "*" {
            return Self::All;
        }
        let (address, bits) = match entry.split_once('/') {
            Some((address, bits)) => (address, bits.parse().ok()),
            None => (entry, Some(u8::MAX)),
        };
        let address = address.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        if let (Ok(address), Some(bits)) = (address, bits) {
            return Self::Network { address, bits };
        }
        let (name, port) = match entry.rsplit_once(':') {
            Some((name, port)) if port.parse::<u16>().is_ok() => (name, port.parse().ok()),
            _ => (entry, None),
        };
        let name = name.trim_start_matches("*.").trim_start_matches('.').trim_end_matches('.');
        Self::Name { name: name.to_ascii_lowercase(), port }
    }

    fn matches(&self, host: &Host<&str>, url: &Url) -> bool {
        match (self, host) {
            (Self::All, _) => true,
            (Self::Name { name, port }, host) => {
                let host = host.to_string().to_ascii_lowercase();
                let host = host.trim_end_matches('.');
                let is_below = host
                    .strip_suffix(name.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
                is_below && port.is_none_or(|port| url.port_or_known_default() == Some(port))
            }
            (Self::Network { address: IpAddr::V4(network), bits }, Host::Ipv4(address)) => {
                shares(u128::from(network.to_bits()), u128::from(address.to_bits()), 32, *bits)
            }
            (Self::Network { address: IpAddr::V6(network), bits }, Host::Ipv6(address)) => {
                shares(network.to_bits(), address.to_bits(), 128, *bits)
            }
            (Self::Network { .. }, _) => false,
        }
    }
}

/// Whether two numbers of `width` bits have the same first `bits` bits.
fn shares(one: u128, other: u128, width: u32, bits: u8) -> bool {
    let rest = width.saturating_sub(u32::from(bits));
    (one ^ other).checked_shr(rest).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Result<Proxies, ProxyError> {
        let given: Vec<(String, OsString)> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect();
        Proxies::from_variables(|name| {
            given.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
        })
    }

    fn chosen(variables: &[(&str, &str)], url: &str) -> Option<String> {
        proxies(variables)
            .unwrap()
            .of(&url.parse().unwrap())
            .map(|proxy| proxy.as_str().trim_end_matches('/').to_owned())
    }

    #[test]
    fn every_form_that_desktops_and_shells_export_is_understood() {
        for (value, expected) in [
            ("http://proxy.test:3128", "http://proxy.test:3128"),
            ("HTTP://proxy.test:3128/", "http://proxy.test:3128"),
            ("https://proxy.test:3129", "https://proxy.test:3129"),
            ("socks5://proxy.test:1080", "socks5://proxy.test:1080"),
            ("socks5h://proxy.test:1080", "socks5h://proxy.test:1080"),
            ("socks://proxy.test:1080/", "socks5://proxy.test:1080"),
            ("SOCKS://proxy.test:1080/", "socks5://proxy.test:1080"),
            (" http://proxy.test:3128", "http://proxy.test:3128"),
            ("http://proxy.test:3128\n", "http://proxy.test:3128"),
            ("proxy.test:3128", "http://proxy.test:3128"),
            ("192.0.2.1:3128/", "http://192.0.2.1:3128"),
            ("http://user:pass@proxy.test:3128", "http://user:pass@proxy.test:3128"),
            ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
        ] {
            for name in ["all_proxy", "ALL_PROXY", "https_proxy", "HTTPS_PROXY"] {
                let chosen = chosen(&[(name, value)], "https://node.test/KEY");
                assert_eq!(chosen.as_deref(), Some(expected), "{name}={value:?}");
            }
        }
    }

    #[test]
    fn a_value_that_cannot_be_understood_is_refused_and_not_shown() {
        for value in [
            "nonsense",
            "KEY KEY",
            "http//proxy.test",
            "htp://proxy.test:3128",
            "ftp://proxy.test:3128",
            "socks4://proxy.test:1080",
            "http://",
            "http://:3128",
            "http://proxy.test:99999",
            "http://proxy.test:0",
            "http://proxy .test:3128",
            "http://proxy.test/proxy.pac",
            "proxy.test:port",
            "localhost",
            "://proxy.test:1",
        ] {
            for variable in ["all_proxy", "HTTPS_PROXY", "http_proxy"] {
                let error = proxies(&[(variable, value)]).unwrap_err();
                assert_eq!(error, ProxyError { variable }, "{value:?}");
                let shown = error.to_string();
                assert!(!shown.contains("KEY") && !shown.contains("proxy.test"), "{shown}");
            }
        }
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStringExt;
            let no_text = |name: &str| (name == "all_proxy").then(|| OsString::from_vec(vec![0xff]));
            assert!(Proxies::from_variables(no_text).is_err());
        }
    }

    #[test]
    fn the_scheme_of_the_target_decides_and_lower_case_wins() {
        let all = [
            ("http_proxy", "http://plain.test:1"),
            ("HTTPS_PROXY", "http://upper.test:1"),
            ("https_proxy", "http://secure.test:1"),
            ("all_proxy", "socks5://all.test:1"),
        ];
        assert_eq!(chosen(&all, "http://node.test").as_deref(), Some("http://plain.test:1"));
        assert_eq!(chosen(&all, "https://node.test").as_deref(), Some("http://secure.test:1"));
        let blank = [("https_proxy", " "), ("ALL_PROXY", "socks5h://all.test:1")];
        assert_eq!(chosen(&blank, "https://node.test").as_deref(), Some("socks5h://all.test:1"));
        assert_eq!(chosen(&[], "https://node.test"), None);
        let header = [("HTTP_PROXY", "http://attacker.test:1"), ("REQUEST_METHOD", "GET")];
        assert_eq!(chosen(&header, "http://node.test"), None, "a web server's program");
    }

    #[test]
    fn this_device_and_the_hosts_of_no_proxy_are_reached_directly() {
        let list = ".corp.test, example.test,*.wild.test 10.0.0.0/8,192.0.2.7,[2001:db8::]/32,port.test:8443";
        let is_direct =
            |url: &str| chosen(&[("all_proxy", "http://p.test:1"), ("NO_PROXY", list)], url).is_none();
        for url in [
            "http://127.0.0.1:8545",
            "http://127.9.9.9",
            "http://[::1]:8545",
            "http://[::ffff:127.0.0.1]",
            "http://localhost:8545",
            "https://LOCALHOST",
            "http://localhost.:8545",
            "https://LOCALHOST.",
            "http://a.localhost.",
            "https://corp.test",
            "https://a.b.corp.test",
            "https://example.test",
            "https://a.example.test",
            "https://a.wild.test",
            "http://10.1.2.3",
            "http://192.0.2.7",
            "http://[2001:db8:1::1]",
            "https://port.test:8443",
        ] {
            assert!(is_direct(url), "{url}");
        }
        for url in [
            "https://notexample.test",
            "https://example.test.evil.test",
            "http://11.0.0.1",
            "http://192.0.2.8",
            "http://[2001:db9::1]",
            "https://port.test",
            "https://localhost.evil.test",
            "http://128.0.0.1",
        ] {
            assert!(!is_direct(url), "{url}");
        }
        assert_eq!(chosen(&[("all_proxy", "http://p.test:1"), ("no_proxy", "*")], "https://node.test"), None);
    }
}
