//! When two endpoints have one operator: the form in which operators are compared.
//!
//! Two keys for one operator would let it vote twice, and see an address twice. One key for two operators costs a vote, and never
//! safety. So names that mostly mean the same have one key:
//!
//! - letter case, whitespace, invisible characters, and dots at the end ("Example.com." is "example.com");
//! - a host in Unicode and in Punycode, as [`url`] maps them (UTS #46), and a leading `www.`;
//! - a port: one host is one operator, whatever it listens on;
//! - an IPv4 address and the IPv6 addresses that stand for it (mapped, RFC 4291, and NAT64, RFC 6052);
//! - all names and addresses of this device.
//!
//! Other subdomains have keys of their own: `a.hoster.example` and `b.hoster.example` may be two customers of one hoster. Only
//! the public suffix list could tell, and it is not part of this crate.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::Host;

/// The operator of everything on this device.
pub(super) const THIS_DEVICE: &str = "this device";

/// The key of an operator that is known by its host alone.
pub(super) fn of_host(host: &Host<&str>) -> String {
    match host {
        Host::Domain(name) => of_domain(name),
        Host::Ipv4(address) => of_ipv4(*address),
        Host::Ipv6(address) => of_ipv6(*address),
    }
}

/// The key of an operator by its name, which may be a host, with a port or without.
pub(crate) fn of_name(name: &str) -> String {
    let name = folded(name);
    match host(&name).or_else(|| host(without_port(&name)?)) {
        Some(Host::Domain(name)) => of_domain(&name),
        Some(Host::Ipv4(address)) => of_ipv4(address),
        Some(Host::Ipv6(address)) => of_ipv6(address),
        None => name.trim_end_matches(['.', ' ']).to_owned(),
    }
}

fn of_domain(name: &str) -> String {
    let name = name.trim_end_matches('.');
    if name == "localhost" || name.ends_with(".localhost") {
        return THIS_DEVICE.to_owned();
    }
    let bare = name.strip_prefix("www.").filter(|bare| bare.contains('.'));
    bare.unwrap_or(name).to_owned()
}

fn of_ipv4(address: Ipv4Addr) -> String {
    match address.is_loopback() || address.is_unspecified() {
        true => THIS_DEVICE.to_owned(),
        false => address.to_string(),
    }
}

fn of_ipv6(address: Ipv6Addr) -> String {
    if let Some(address) = address.to_ipv4_mapped().or_else(|| behind_nat64(address)) {
        return of_ipv4(address);
    }
    match address.is_loopback() || address.is_unspecified() {
        true => THIS_DEVICE.to_owned(),
        false => address.to_string(),
    }
}

/// The IPv4 address that a NAT64 gateway reaches under this one, by the prefix that all of them share (RFC 6052, section 2.1).
fn behind_nat64(address: Ipv6Addr) -> Option<Ipv4Addr> {
    const PREFIX: [u8; 12] = [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];
    let octets = address.octets();
    let (prefix, embedded) = octets.split_at_checked(PREFIX.len())?;
    let embedded: [u8; 4] = embedded.try_into().ok()?;
    (prefix == PREFIX).then(|| Ipv4Addr::from(embedded))
}

fn host(name: &str) -> Option<Host> {
    // IPv6 is written in brackets in a URL, and mostly without in a name.
    let address = name.parse().ok().map(Host::Ipv6);
    address.or_else(|| Host::parse(name).ok())
}

fn without_port(name: &str) -> Option<&str> {
    let (host, port) = name.rsplit_once(':')?;
    (!port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())).then_some(host)
}

/// The name in lower case, with single spaces, and without invisible characters.
fn folded(name: &str) -> String {
    let is_visible =
        |letter: &char| !matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    let visible: String = name.chars().filter(is_visible).collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::super::Endpoint;
    use super::of_name;

    fn key(url: &str) -> String {
        Endpoint::new(url).unwrap().operator_key()
    }

    fn declared(operator: &str) -> String {
        Endpoint::new("https://node.example").unwrap().operator(operator).unwrap().operator_key()
    }

    /// All of `urls` are one operator, and `other` is another.
    #[track_caller]
    fn assert_one(urls: &[&str], other: &str) {
        let first = key(urls[0]);
        for url in urls {
            assert_eq!(key(url), first, "{url}");
        }
        assert_ne!(key(other), first, "{other}");
    }

    #[test]
    fn a_host_is_one_operator_however_it_is_written() {
        let example = [
            "https://example.com",
            "https://example.com./rpc",
            "https://EXAMPLE.com",
            "https://www.example.com",
            "https://www.example.com.",
            "https://ex%61mple.com",
            "https://example\u{3002}com",
            "https://\u{ff45}xample.com",
        ];
        assert_one(&example, "https://example.org");
    }

    #[test]
    fn ports_schemes_and_keys_do_not_make_another_operator() {
        let example = [
            "https://example.com",
            "https://example.com:443",
            "http://example.com:80",
            "https://example.com:8545",
            "https://user:key@example.com/v3/key",
        ];
        assert_one(&example, "https://example.net:443");
    }

    #[test]
    fn unicode_and_punycode_are_one_host() {
        let host = ["https://bücher.example", "https://xn--bcher-kva.example", "https://BÜCHER.example."];
        assert_one(&host, "https://bucher.example");
        assert_eq!(declared("Bücher.example"), key("https://xn--bcher-kva.example"));
    }

    #[test]
    fn one_ipv4_address_is_one_operator_in_every_notation() {
        let address = [
            "http://192.0.2.33",
            "http://[::ffff:192.0.2.33]:8545",
            "http://[::ffff:c000:221]",
            "http://[64:ff9b::192.0.2.33]",
            "http://3221226017",
            "http://0xc0.0.2.0x21",
        ];
        assert_one(&address, "http://192.0.2.34");
        assert_one(&["http://[2001:db8::1]", "http://[2001:DB8:0::0:1]:1"], "http://[2001:db8::2]");
    }

    #[test]
    fn this_device_is_one_operator_by_all_its_names() {
        let here = [
            "http://localhost:8545",
            "http://localhost.:1",
            "http://node.localhost",
            "http://127.0.0.1",
            "http://127.0.0.2:8545",
            "http://[::1]",
            "http://[::ffff:127.0.0.1]",
            "http://0.0.0.0",
            "http://[::]",
        ];
        assert_one(&here, "http://localhost.example");
        assert_eq!(Endpoint::folder("mirror").unwrap().operator_key(), key("http://localhost"));
    }

    #[test]
    fn a_declared_name_is_one_operator_however_it_is_typed() {
        for name in ["Acme Inc", " acme inc ", "ACME  INC", "Acme\u{a0}Inc.", "Ac\u{ad}me \u{200b}Inc"] {
            assert_eq!(declared(name), "acme inc", "{name:?}");
        }
        assert_ne!(declared("Acme Ltd"), "acme inc");
        for host in ["example.com", "Example.com.", "www.example.com", "example.com:8545", " EXAMPLE.COM "] {
            assert_eq!(declared(host), key("https://example.com"), "{host:?}");
        }
        assert_eq!(of_name("::ffff:192.0.2.33"), of_name("[::ffff:192.0.2.33]:443"));
        assert_eq!(of_name("192.0.2.33:443"), key("http://192.0.2.33"));
    }

    #[test]
    fn different_operators_stay_apart() {
        let (one, another) = ("https://one.hosting.example", "https://another.hosting.example");
        assert_ne!(key(one), key(another), "customers of one hoster");
        assert_ne!(key("https://www.com"), key("https://com.example"));
        assert_ne!(declared("Alpha"), declared("Alpha Two"));
        assert_ne!(declared("Alpha:1"), declared("Beta:1"));
    }
}
