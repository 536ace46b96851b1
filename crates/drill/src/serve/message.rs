//! HTTP/1.1 messages: just what a client of one request per connection sends and needs
//! ([RFC 9112](https://www.rfc-editor.org/rfc/rfc9112)).

use url::Url;

use crate::http::{HttpRequest, Reply};

/// The request in `bytes`, once it is complete. What is no HTTP never becomes complete.
pub(super) fn parse(bytes: &[u8]) -> Option<HttpRequest> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, rest) = bytes.split_at_checked(end)?;
    let body = rest.get(4..)?;
    let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
    let (method, rest) = lines.next()?.split_once(' ')?;
    let (target, _) = rest.split_once(' ')?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()))
        .collect();
    // The target is relative; any base gives it a path and a query.
    let url = Url::parse("http://localhost").ok()?.join(target).ok()?;
    let request = HttpRequest {
        method: method.to_owned(),
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        headers,
        body: Vec::new(),
    };
    let length = request.header("content-length").parse().unwrap_or(0);
    Some(HttpRequest { body: body.get(..length)?.to_vec(), ..request })
}

/// Everything before the body of an answer. The length is the whole body's, even where not all of it is sent.
pub(super) fn head(reply: &Reply) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} {}\r\n", reply.status, reason(reply.status));
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", reply.body.len()));
    head.into_bytes()
}

fn reason(status: u16) -> &'static str {
    match status {
        200..300 => "OK",
        300..400 => "Found",
        400..500 => "Refused",
        _ => "Failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_when_it_is_complete() {
        let bytes =
            b"POST /key/v1?a=b%20c HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nAccept: a/b\r\n\r\nbody";
        for cut in 0..bytes.len() {
            assert_eq!(parse(&bytes[..cut]), None, "{cut}");
        }
        let request = parse(bytes).unwrap();
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/key/v1"));
        assert_eq!(request.parameter("a"), Some("b c"));
        assert_eq!(request.header("accept"), "a/b");
        assert_eq!(request.body, b"body");
    }
}
