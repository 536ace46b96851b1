//! Decides which web pages may use the servers of a drill.
//!
//! `drill serve` has an invented chain: any page may read it (CORS), because wallets in browsers are tested too. `drill proxy`
//! and `drill attach` stand before real servers, with their API keys and a node that may hold keys: a page that happens to be
//! open must not reach them.

use std::net::IpAddr;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use saldo_drill::http::{HttpRequest, Reaction, Relay, Reply};

/// The web pages that may read the answers.
#[derive(Clone, Debug)]
pub(super) enum Pages {
    /// All of them.
    Any,
    /// Those of these origins, such as `http://localhost:5173`.
    Of(Vec<String>),
}

impl Pages {
    /// The origin that the answer to `request` may name; `None` if no page sent the request.
    ///
    /// # Errors
    /// The reason why the request is refused.
    fn admit(&self, request: &HttpRequest) -> Result<Option<String>, &'static str> {
        let Self::Of(origins) = self else { return Ok(Some("*".to_owned())) };
        // With a name of its own that leads to this device (DNS rebinding) a page would be of the same origin.
        if !is_own_host(request.header("host")) {
            return Err("the Host header names another host than this device");
        }
        match request.header("origin") {
            // A page of another site loads this as an image or a script: no Origin is sent then.
            "" => match request.header("sec-fetch-site") {
                "" | "none" => Ok(None),
                _ => Err("a web page of another origin asks"),
            },
            origin if origins.iter().any(|allowed| allowed.trim_end_matches('/') == origin) => {
                Ok(Some(origin.to_owned()))
            }
            _ => Err("web pages of this origin may not ask: see --allow-origin"),
        }
    }
}

/// Whether a `Host` header names this device: by an address, or as `localhost`. Rebinding needs another name.
fn is_own_host(host: &str) -> bool {
    let bare = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let name = bare.strip_suffix('.').unwrap_or(bare);
    bare.parse::<IpAddr>().is_ok() || name.eq_ignore_ascii_case("localhost")
}

/// A relay for the pages that may use it, and for programs that are no browsers.
pub(super) struct ForBrowsers<R> {
    pub(super) relay: R,
    pub(super) pages: Pages,
}

const ORIGIN: &str = "access-control-allow-origin";

impl<R: Relay> Relay for ForBrowsers<R> {
    fn relay(&self, request: HttpRequest) -> BoxFuture<'_, Reaction> {
        let origin = match self.pages.admit(&request) {
            Ok(origin) => origin,
            Err(reason) => {
                return ready(Reaction::Reply(Reply::new(403, "text/plain", reason))).boxed();
            }
        };
        if request.method == "OPTIONS" && !self.relay.refuses() {
            let allowed = Reply { status: 204, ..Reply::default() }
                .header("access-control-allow-methods", "GET, POST")
                .header("access-control-allow-headers", "accept, content-type");
            return ready(Reaction::Reply(open(allowed, origin.as_deref()))).boxed();
        }
        self.relay.relay(request).map(move |reaction| open_all(reaction, origin.as_deref())).boxed()
    }

    fn refuses(&self) -> bool {
        self.relay.refuses()
    }
}

/// Lets the page of `origin` read `reply`, and no other: what the server behind said about that is dropped.
fn open(mut reply: Reply, origin: Option<&str>) -> Reply {
    reply.headers.retain(|(name, _)| !name.eq_ignore_ascii_case(ORIGIN));
    match origin {
        Some(origin) => reply.header(ORIGIN, origin).header("vary", "origin"),
        None => reply,
    }
}

fn open_all(reaction: Reaction, origin: Option<&str>) -> Reaction {
    match reaction {
        Reaction::Reply(reply) => Reaction::Reply(open(reply, origin)),
        Reaction::Trickle { reply, bytes_per_second } => {
            Reaction::Trickle { reply: open(reply, origin), bytes_per_second }
        }
        Reaction::Reset { reply, after } => Reaction::Reset { reply: open(reply, origin), after },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(headers: &[(&str, &str)]) -> Result<Option<String>, &'static str> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request = HttpRequest { headers, ..HttpRequest::default() };
        Pages::Of(vec!["http://localhost:5173".to_owned()]).admit(&request)
    }

    #[test]
    fn programs_and_named_pages_are_admitted() {
        for host in ["127.0.0.1:8545", "localhost:8545", "LOCALHOST", "[::1]:8545", "192.168.1.7:8545"] {
            assert_eq!(admitted(&[("host", host)]), Ok(None), "{host}");
            let page = [("host", host), ("origin", "http://localhost:5173"), ("sec-fetch-site", "same-site")];
            assert_eq!(admitted(&page), Ok(Some("http://localhost:5173".to_owned())), "{host}");
        }
        assert_eq!(admitted(&[("host", "localhost"), ("sec-fetch-site", "none")]), Ok(None));
    }

    #[test]
    fn other_pages_and_rebound_names_are_refused() {
        for host in
            ["evil.test", "evil.test:8545", "127.0.0.1.evil.test", "localhost.evil.test", "", "[evil]"]
        {
            assert!(admitted(&[("host", host)]).is_err(), "{host}");
        }
        for origin in
            ["https://evil.test", "null", "http://localhost:5174", "http://localhost:5173.evil.test"]
        {
            assert!(admitted(&[("host", "localhost"), ("origin", origin)]).is_err(), "{origin}");
        }
        for site in ["cross-site", "same-site", "same-origin"] {
            assert!(admitted(&[("host", "localhost"), ("sec-fetch-site", site)]).is_err(), "{site}");
        }
    }
}
