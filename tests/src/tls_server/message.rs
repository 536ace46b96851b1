//! Requests and answers of HTTP/1.1, as far as these tests need them.

use saldo_drill::http::{HttpRequest, Reply};

/// The first request in `bytes`, once it is complete, and its length.
pub(super) fn parse(bytes: &[u8]) -> Option<(HttpRequest, usize)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?, first.next()?);
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()))
        .collect();
    let (path, query) = split(target);
    let request = HttpRequest { method: method.to_owned(), path, query, headers, body: Vec::new() };
    let length = end + request.header("content-length").parse().unwrap_or(0);
    let body = bytes.get(end..length)?.to_vec();
    Some((HttpRequest { body, ..request }, length))
}

/// A request of HTTP/2.
pub(super) fn of_parts(parts: &http::request::Parts, body: Vec<u8>) -> HttpRequest {
    let target = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let (path, query) = split(target);
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    HttpRequest { method: parts.method.to_string(), path, query, headers, body }
}

fn split(target: &str) -> (String, Vec<(String, String)>) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    (path.to_owned(), pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Everything before the body of an answer. The connection stays open.
pub(super) fn head(reply: &Reply) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} Answer\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", reply.body.len()));
    head.into_bytes()
}
