//! The faults that any HTTP source can have, put on an answer.

use std::io::{Read, Write, repeat};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use saldo_beacon::unit::UnixTime;
use serde_json::json;

use crate::date::http_date;
use crate::fault::{Fault, Rule};
use crate::http::{Reaction, Reply};

impl Fault {
    /// What a device gets instead of `reply`, made at `now`, from a source with this fault: of those that either kind of
    /// source can have.
    pub fn applied_to(self, reply: Reply, now: UnixTime) -> Reaction {
        carry(&[self.into()], reply, Duration::ZERO, now)
    }
}

/// What becomes of `reply`, made at `now`, under `rules`, after `latency`.
pub(crate) fn carry(rules: &[Rule], mut reply: Reply, latency: Duration, now: UnixTime) -> Reaction {
    for rule in rules {
        reply = spoil(&rule.fault, reply);
    }
    if let Some(date) = date(rules, now) {
        reply = reply.header("date", &date);
    }
    reply.delay = latency;
    let broken = rules.iter().find_map(|rule| match rule.fault {
        Fault::Refuse => Some(Reaction::Refuse),
        Fault::Unresolvable => Some(Reaction::Unresolvable),
        Fault::BadCertificate => Some(Reaction::BadCertificate),
        Fault::Hang => Some(Reaction::Hang),
        Fault::Reset { after } => Some(Reaction::Reset { reply: reply.clone(), after }),
        Fault::Trickle { bytes_per_second } => {
            Some(Reaction::Trickle { reply: reply.clone(), bytes_per_second: bytes_per_second.max(1) })
        }
        _ => None,
    });
    broken.unwrap_or(Reaction::Reply(reply))
}

/// What the `Date` header says, if there is one.
fn date(rules: &[Rule], now: UnixTime) -> Option<String> {
    let seconds = rules.iter().try_fold(now.as_secs(), |seconds, rule| match rule.fault {
        Fault::NoDate => None,
        Fault::ShiftedDate(shift) => Some(seconds.saturating_add_signed(shift)),
        _ => Some(seconds),
    })?;
    Some(http_date(UnixTime::from_secs(seconds)))
}

/// The answer under one fault; faults of the connection and of the content leave it as it is.
fn spoil(fault: &Fault, mut reply: Reply) -> Reply {
    match fault {
        Fault::Status(status) => {
            Reply::json(*status, &json!({ "code": status, "message": "the server has failed" }))
        }
        Fault::RateLimited { retry_after } => {
            let error = json!({ "code": 429, "message": "too many requests" });
            let reply = Reply::json(429, &json!({ "jsonrpc": "2.0", "id": null, "error": error }));
            retry_after.iter().fold(reply, |reply, value| reply.header("retry-after", value))
        }
        Fault::QuotaExhausted => {
            let error = json!({ "code": -33000, "message": "daily credit limit exceeded" });
            Reply::json(402, &json!({ "jsonrpc": "2.0", "id": null, "error": error }))
        }
        Fault::Forbidden => {
            let error = json!({ "code": -32601, "message": "method not whitelisted" });
            Reply::json(403, &json!({ "jsonrpc": "2.0", "id": null, "error": error }))
        }
        Fault::Html => {
            let page = "<!DOCTYPE html><html><body><h1>Just a moment...</h1></body></html>";
            Reply::new(200, "text/html; charset=utf-8", page)
        }
        Fault::Redirect(location) => Reply::new(302, "text/html", "").header("location", location),
        Fault::Huge { bytes } => {
            let mut body = vec![b' '; *bytes];
            body.append(&mut reply.body);
            Reply { body, ..reply }
        }
        Fault::GzipBomb { bytes } => {
            let body = bomb(*bytes).unwrap_or_default();
            Reply::new(200, "application/json", body).header("content-encoding", "gzip")
        }
        Fault::Truncated => {
            reply.body.truncate(reply.body.len() / 2);
            reply
        }
        Fault::Body(body) => Reply::new(200, "application/json", body.as_str()),
        Fault::AnswerUnderStatus(status) => Reply { status: *status, ..reply },
        _ => reply,
    }
}

/// That many blanks, compressed to about a thousandth.
fn bomb(bytes: u64) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    std::io::copy(&mut repeat(b' ').take(bytes), &mut encoder)?;
    encoder.flush()?;
    encoder.finish()
}
