//! How long a provider asks to wait, in the forms that providers use.

use std::time::Duration;

use serde_json::Value;

use crate::date::unix_seconds;
use crate::transport::Response;

/// The longest wait that is read; longer ones become this.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// A larger number is not a wait in seconds but a moment, in seconds since 1970.
const MOMENT: u32 = 1_000_000_000;

/// Returns how long to wait: by the header `Retry-After`, in seconds or as a date
/// ([RFC 9110, section 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)), else by similar headers
/// (`Retry-After-Ms`, `RateLimit-Reset`, `X-RateLimit-Reset`), else by the error object.
///
/// A moment is compared with the response's own `Date`, never with this device's clock, which may be wrong. Without a `Date` it is
/// ignored.
pub(crate) fn retry_after(response: &Response, error: Option<(&str, &Value)>) -> Option<Duration> {
    let header = |name| response.header(name).map(str::trim);
    let sent = header("date").and_then(unix_seconds);
    let until = |moment: u64| Some(Duration::from_secs(moment.saturating_sub(sent?)));
    let wait = header("retry-after")
        .and_then(|text| seconds(text).or_else(|| unix_seconds(text).and_then(until)))
        .or_else(|| header("retry-after-ms").and_then(|text| Some(Duration::from_millis(text.parse().ok()?))))
        .or_else(|| {
            let reset = header("ratelimit-reset").or_else(|| header("x-ratelimit-reset"))?;
            seconds(reset).or_else(|| until(reset.parse().ok()?))
        })
        .or_else(|| error.and_then(|(message, data)| in_data(data).or_else(|| in_message(message))));
    wait.map(|wait| wait.min(LONGEST))
}

/// A number of seconds, with or without a fraction: `1`, `1.5`, `1.` or `.5`. Digits after the ninth are left out.
///
/// Reading it as `f64` would link 15 KB of tables and code into the library for phones.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain(whole) || !is_plain(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let seconds: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let nanos = format!("{:0<9}", fraction.get(..9).unwrap_or(fraction)).parse().ok()?;
    (seconds < u64::from(MOMENT)).then(|| Duration::new(seconds, nanos))
}

fn duration(seconds: f64) -> Option<Duration> {
    if !(0.0..f64::from(MOMENT)).contains(&seconds) {
        None
    } else {
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// The wait in an error's `data`: `backoff_seconds`, alone or under `rate`, or `retry_after`, in seconds.
fn in_data(data: &Value) -> Option<Duration> {
    let places = ["/backoff_seconds", "/rate/backoff_seconds", "/retry_after", "/retryAfter"];
    let number = places.into_iter().find_map(|place| data.pointer(place)?.as_f64());
    number.and_then(duration)
}

/// The wait in an error's message: `… in 12s`, `… in 1.5 seconds`, `… after 300 ms`.
fn in_message(message: &str) -> Option<Duration> {
    let words: Vec<&str> = message.split([' ', ',', ';', '(', ')']).filter(|word| !word.is_empty()).collect();
    words.windows(3).chain(words.get(words.len().saturating_sub(2)..)).find_map(|words| {
        let (&before, number) = (words.first()?, words.get(1)?);
        if !matches!(before, "in" | "after") {
            return None;
        }
        let digits = number.trim_end_matches(|end: char| !end.is_ascii_digit());
        let unit = match number.strip_prefix(digits)?.trim_matches('.') {
            "" => words.get(2)?.trim_matches(['.', '!']),
            unit => unit,
        };
        let amount = seconds(digits)?;
        match unit {
            "s" | "sec" | "secs" | "second" | "seconds" => Some(amount),
            "ms" | "millisecond" | "milliseconds" => amount.checked_div(1_000),
            "m" | "min" | "minute" | "minutes" => amount.checked_mul(60),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SENT: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");

    fn by_headers(headers: &[(&str, &str)]) -> Option<Duration> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        retry_after(&Response { status: 429, headers, body: Vec::new() }, None)
    }

    fn by_error(message: &str, data: &Value) -> Option<Duration> {
        retry_after(&Response::default(), Some((message, data)))
    }

    #[test]
    fn headers_hold_seconds_or_a_moment() {
        for (headers, millis) in [
            (&[("retry-after", "30")][..], 30_000),
            (&[("retry-after", " 1.5 ")], 1_500),
            (&[("retry-after", "1.")], 1_000),
            (&[("retry-after", ".25")], 250),
            (&[("retry-after", "0.0010000000001")], 1),
            (&[("retry-after", "000000000000000000000000000002")], 2_000),
            (&[SENT, ("retry-after", "Sun, 06 Nov 1994 08:50:00 GMT")], 23_000),
            (&[SENT, ("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")], 0),
            (&[("retry-after-ms", "250")], 250),
            (&[("ratelimit-reset", "7")], 7_000),
            (&[("x-ratelimit-reset", "8")], 8_000),
            (&[("date", "Tue, 24 Nov 2026 12:00:00 GMT"), ("x-ratelimit-reset", "1795521609")], 9_000),
            (&[("retry-after", "soon"), ("ratelimit-reset", "7")], 7_000),
            (&[("retry-after", "999999999")], 24 * 60 * 60 * 1_000),
        ] {
            assert_eq!(by_headers(headers), Some(Duration::from_millis(millis)), "{headers:?}");
        }
    }

    #[test]
    fn a_moment_without_a_date_and_text_that_is_no_number_are_ignored() {
        for headers in [
            &[("retry-after", "Sun, 06 Nov 1994 08:50:00 GMT")][..],
            &[("x-ratelimit-reset", "1795521609")],
            &[("retry-after", "-1")],
            &[("retry-after", "inf")],
            &[("retry-after", "NaN")],
            &[("retry-after", "1e3")],
            &[("retry-after", "+1")],
            &[("retry-after", ".")],
            &[("retry-after", "1.2.3")],
            &[("retry-after", "1000000000")],
            &[("retry-after", "99999999999999999999999999999999")],
            &[("retry-after", "")],
        ] {
            assert_eq!(by_headers(headers), None, "{headers:?}");
        }
    }

    #[test]
    fn errors_hold_the_wait_in_their_data_or_message() {
        for (message, data, millis) in [
            ("", json!({ "backoff_seconds": 30.5 }), 30_500),
            ("", json!({ "rate": { "allowed_rps": 1, "backoff_seconds": 24.0 } }), 24_000),
            ("", json!({ "retry_after": 3 }), 3_000),
            ("rate limit exceeded, try again in 12s", Value::Null, 12_000),
            ("retry in 1.5 seconds, please", Value::Null, 1_500),
            ("please retry after 300 ms", Value::Null, 300),
            ("try again in 2 minutes.", Value::Null, 120_000),
        ] {
            assert_eq!(by_error(message, &data), Some(Duration::from_millis(millis)), "{message}");
        }
        for (message, data) in [
            ("try again in a while", Value::Null),
            ("block 12 in 3 trees", Value::Null),
            ("in", json!({ "backoff_seconds": -1 })),
            ("after", json!({ "backoff_seconds": 1e18 })),
            ("", json!([1])),
        ] {
            assert_eq!(by_error(message, &data), None, "{message}");
        }
    }
}
