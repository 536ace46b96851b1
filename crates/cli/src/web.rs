//! The names by which a local server knows who asks.

/// Reads the origin of web pages: what a browser sends as `Origin`.
///
/// # Errors
/// What an origin looks like.
pub(crate) fn origin(text: &str) -> Result<String, &'static str> {
    let is_host = |host: &str| !host.is_empty() && !host.contains(['/', '?', '#', '@', '*']);
    let whole = text.strip_suffix('/').unwrap_or(text);
    match whole.split_once("://") {
        Some((scheme, host)) if !scheme.is_empty() && is_host(host) => Ok(whole.to_owned()),
        _ => Err(
            "an origin is SCHEME://HOST or SCHEME://HOST:PORT, such as https://app.example. Give the option once for each",
        ),
    }
}

/// Reads a host name: what a client sends as `Host`, without the port.
///
/// # Errors
/// What a host name looks like.
pub(crate) fn host_name(text: &str) -> Result<String, &'static str> {
    let is_address = text.parse::<std::net::IpAddr>().is_ok();
    let is_name = !text.is_empty() && !text.contains(['/', ':', '?', '#', '@', '*', ' ']);
    if is_address || is_name {
        Ok(text.to_owned())
    } else {
        Err("a host is a name without scheme and port, such as saldo.example")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_never_match_is_refused() {
        for right in ["https://app.example", "http://localhost:5173", "chrome-extension://abcdef"] {
            assert_eq!(origin(right).as_deref(), Ok(right));
        }
        assert_eq!(origin("https://app.example/").as_deref(), Ok("https://app.example"));
        for wrong in ["app.example", "*", "https://*", "https://", "://a", "https://a.example/page", ""] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
        for right in ["saldo.example", "192.0.2.1", "2001:db8::1"] {
            assert_eq!(host_name(right).as_deref(), Ok(right));
        }
        for wrong in ["https://saldo.example", "saldo.example:8545", "*", "", "a b"] {
            assert!(host_name(wrong).is_err(), "{wrong}");
        }
    }
}
