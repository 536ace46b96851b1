//! Requests to a relay: the newest block that a rollup's sequencer signed. The signature proves itself, so any relay will do.
//!
//! A relay answers `GET {url}/latest` as the server of Helios for the OP Stack does: `{"data", "signature": {"r", "s", "yParity"}}`.

use std::time::Duration;

use alloy_primitives::{U256, hex};
use saldo_reading::Failure;
use serde::Deserialize;

use crate::classify::of_text;
use crate::endpoint::Endpoint;
use crate::io::Io;
use crate::transport::{Method, Request, Response};

/// The largest reply, in bytes. A block's transactions are part of what is signed, in hexadecimal text.
const MAX_REPLY: usize = 8 * 1024 * 1024;
const NAME: &str = "latest";

#[derive(Deserialize)]
struct Latest {
    data: String,
    signature: Signature,
}

/// Some versions write the parity as `v`, which may be 27 or 28.
#[derive(Deserialize)]
struct Signature {
    r: String,
    s: String,
    #[serde(rename = "yParity")]
    parity: Option<String>,
    v: Option<String>,
}

/// Fetches the newest message of the sequencer that the relay has: signature (65 bytes), the parent's beacon root, and the payload, as the
/// network of the rollup has it without compression. Nothing of it is checked.
///
/// # Errors
/// A [`Failure`] that says why there is no message.
pub async fn newest_message(io: &Io, relay: &Endpoint, timeout: Duration) -> Result<Vec<u8>, Failure> {
    let request = Request {
        method: Method::Get,
        url: relay.url().join("/latest", &[]),
        headers: vec![("accept", "application/json".to_owned())],
        body: Vec::new(),
        timeout,
        max_bytes: MAX_REPLY,
    };
    let response = io.exchange(relay, request).await?;
    match response.status {
        200 => message(&response.body).ok_or_else(|| {
            of_text(&response).unwrap_or(Failure::Malformed { what: "no message of a sequencer" })
        }),
        _ => Err(refusal(&response)),
    }
}

fn refusal(response: &Response) -> Failure {
    if let Some(failure) = of_text(response) {
        return failure;
    }
    match response.status {
        401 | 403 => Failure::Denied { status: response.status },
        400 | 404 | 405 | 501 => Failure::NotServed { method: NAME },
        status => Failure::Http { status },
    }
}

fn message(body: &[u8]) -> Option<Vec<u8>> {
    let Latest { data, signature } = serde_json::from_slice(body).ok()?;
    let parity = match number(signature.parity.as_deref().or(signature.v.as_deref())?)?.try_into() {
        Ok(0_u64 | 27) => 0,
        Ok(1 | 28) => 1,
        _ => return None,
    };
    let data = hex::decode(data.strip_prefix("0x")?).ok()?;
    let (r, s) = (number(&signature.r)?.to_be_bytes::<32>(), number(&signature.s)?.to_be_bytes::<32>());
    Some([&r[..], &s[..], &[parity], &data].concat())
}

/// A quantity: hexadecimal text, with or without leading zeros.
fn number(text: &str) -> Option<U256> {
    let digits = text.strip_prefix("0x").filter(|digits| (1..=64).contains(&digits.len()))?;
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then_some(())?;
    U256::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(data: &str, r: &str, parity: &str) -> Vec<u8> {
        format!(r#"{{"data":"{data}","signature":{{"r":"{r}","s":"0x2",{parity}}},"more":[1]}}"#).into_bytes()
    }

    #[test]
    fn a_message_is_signature_and_data() {
        let expected =
            [&U256::ONE.to_be_bytes::<32>()[..], &U256::from(2).to_be_bytes::<32>()[..], &[1, 0xab]].concat();
        for parity in [r#""yParity":"0x1""#, r#""yParity":"0x1","v":"0x1""#, r#""v":"0x1c""#, r#""v":"0x01""#]
        {
            assert_eq!(message(&body("0xab", "0x01", parity)), Some(expected.clone()), "{parity}");
        }
    }

    #[test]
    fn what_is_no_message_is_none() {
        let parity = r#""yParity":"0x0""#;
        assert!(message(&body("0xab", "0x1", parity)).is_some());
        let long = format!("0x{}", "1".repeat(65));
        for (data, r, parity) in [
            ("ab", "0x1", parity),
            ("0xa", "0x1", parity),
            ("0xzz", "0x1", parity),
            ("0xab", "1", parity),
            ("0xab", "0x", parity),
            ("0xab", "0x+1", parity),
            ("0xab", &long, parity),
            ("0xab", "0x1", r#""yParity":"0x2""#),
            ("0xab", "0x1", r#""v":"0x1b1b1b1b1b1b1b1b1b""#),
            ("0xab", "0x1", r#""w":"0x1""#),
        ] {
            assert_eq!(message(&body(data, r, parity)), None, "{data} {r} {parity}");
        }
        for other in ["", "{}", "[]", "null", r#"{"data":"0x"}"#, r#"{"data":1,"signature":{}}"#] {
            assert_eq!(message(other.as_bytes()), None, "{other}");
        }
    }
}
