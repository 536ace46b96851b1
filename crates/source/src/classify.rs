//! What a reply without a result means: one class for each kind of refusal that clients and providers are known to send.

use saldo_reading::Failure;
use serde_json::Value;

use crate::retry_after::retry_after;
use crate::transport::Response;

/// A JSON-RPC error, as far as it is read. Its text is never shown: it comes from outside.
pub(crate) struct Refusal<'a> {
    pub(crate) code: i64,
    pub(crate) message: &'a str,
    pub(crate) data: &'a Value,
}

/// The meaning of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    QuotaExhausted,
    RateLimited,
    ProofWindowMissed,
    NotSynced,
    Denied,
    NotServed,
    OutOfService,
}

/// A row fits an error that has one of the codes, or whose message (in lower case) has all parts of one of the texts.
struct Row {
    codes: &'static [i64],
    texts: &'static [&'static [&'static str]],
    class: Class,
}

/// The first row that fits decides. Codes mean different things at different providers, so the more specific texts come first.
const TABLE: &[Row] = &[
    Row {
        codes: &[402, -33000],
        texts: &[
            &["daily credit"],
            &["daily request count"],
            &["monthly capacity"],
            &["quota exceeded"],
            &["credits exhausted"],
            &["out of credits"],
            &["daily request limit"],
            &["daily limit"],
            &["monthly limit"],
            &["exceeded", "quota"],
            &["quota", "reached"],
            &["upgrade your plan"],
        ],
        class: Class::QuotaExhausted,
    },
    Row {
        codes: &[429, -32005, -32007, -32029, -32090],
        texts: &[
            &["rate limit"],
            &["rate-limit"],
            &["too many requests"],
            &["request limit"],
            &["limit exceeded"],
            &["rate exceeded"],
            &["compute units per second"],
            &["concurrent requests capacity"],
        ],
        class: Class::RateLimited,
    },
    Row {
        codes: &[],
        texts: &[
            &["maximum proof window"],
            &["requested block is too old"],
            &["missing trie node"],
            &["historical state"],
            &["no state available"],
            &["state", "is not available"],
            &["state", "not found"],
            &["pruned"],
            &["archive"],
        ],
        class: Class::ProofWindowMissed,
    },
    Row {
        codes: &[],
        texts: &[
            &["api key"],
            &["api-key"],
            &["project id"],
            &["unauthorized"],
            &["not allowed"],
            &["must be authenticated"],
            &["invalid host"],
            &["access denied"],
            &["forbidden"],
            &["invalid token"],
        ],
        class: Class::Denied,
    },
    Row {
        codes: &[-32601, -32004, -32701],
        texts: &[
            &["not whitelisted"],
            &["method not found"],
            &["does not exist/is not available"],
            &["method", "is not available"],
            &["method", "disabled"],
            &["not supported"],
            &["unsupported method"],
        ],
        class: Class::NotServed,
    },
    Row {
        codes: &[],
        texts: &[
            &["header not found"],
            &["header for hash not found"],
            &["unknown block"],
            &["block not found"],
            &["resource not found"],
            &["could not find block"],
            &["greater than current height"],
            &["blockoutofrange"],
            &["invalid block tag"],
        ],
        class: Class::NotSynced,
    },
    Row {
        codes: &[-32046, -32055, -32056, -32057, -32059, -32071],
        texts: &[
            &["cannot fulfill request"],
            &["no nodes available"],
            &["no healthy upstream"],
            &["service unavailable"],
            &["bad gateway"],
            &["gateway timeout"],
        ],
        class: Class::OutOfService,
    },
];

impl Row {
    fn fits(&self, code: i64, message: &str) -> bool {
        self.codes.contains(&code)
            || self.texts.iter().any(|parts| parts.iter().all(|part| message.contains(part)))
    }
}

/// The class of an error object.
pub(crate) fn refusal(error: &Refusal<'_>, response: &Response, method: &'static str) -> Failure {
    let message = error.message.to_ascii_lowercase();
    let row = TABLE.iter().find(|row| row.fits(error.code, &message)).map(|row| row.class);
    let class = match (response.status, row) {
        // If text and status differ, the one that lasts longer decides: a quota lasts longer than a rate limit.
        (_, Some(Class::QuotaExhausted)) | (402, _) => Some(Class::QuotaExhausted),
        (429, _) | (401 | 403, Some(Class::RateLimited)) => Some(Class::RateLimited),
        // Whatever the text says is missing, it is missing to this key. With another key it may be there.
        (401 | 403, _) => Some(Class::Denied),
        // A text that says nothing leaves it to the status.
        (status, row) => row.or(is_denial(status).then_some(Class::Denied)),
    };
    match class {
        Some(Class::QuotaExhausted) => Failure::QuotaExhausted,
        Some(Class::RateLimited) => {
            Failure::RateLimited { retry_after: retry_after(response, Some((&message, error.data))) }
        }
        Some(Class::ProofWindowMissed) => Failure::ProofWindowMissed,
        Some(Class::NotSynced) => Failure::NotSynced,
        Some(Class::Denied) => Failure::Denied { status: response.status },
        Some(Class::NotServed) => Failure::NotServed { method },
        Some(Class::OutOfService) => Failure::OutOfService { code: error.code },
        None => Failure::Rpc { code: error.code },
    }
}

/// The class of a response whose body is not a JSON-RPC reply.
pub(crate) fn without_reply(response: &Response, method: &'static str) -> Failure {
    if let Some(failure) = of_text(response) {
        return failure;
    }
    match response.status {
        status if is_denial(status) => Failure::Denied { status },
        405 => Failure::NotServed { method },
        200..=299 => Failure::Malformed { what: "not a JSON-RPC reply" },
        status => Failure::Http { status },
    }
}

/// The class of a response that is no answer of any API, as far as its status and its text say the same everywhere: a limit, a
/// log-in page, or a refused key.
pub(crate) fn of_text(response: &Response) -> Option<Failure> {
    /// RFC 6585, section 6: the network wants a person to log in.
    const NETWORK_LOG_IN: u16 = 511;
    let text = said(response);
    let row = TABLE.iter().find(|row| row.fits(0, &text)).map(|row| row.class);
    match (response.status, row) {
        (402, _) | (_, Some(Class::QuotaExhausted)) => Some(Failure::QuotaExhausted),
        (429, _) | (_, Some(Class::RateLimited)) => {
            let retry_after = retry_after(response, Some((&text, &Value::Null)));
            Some(Failure::RateLimited { retry_after })
        }
        (NETWORK_LOG_IN, _) => Some(Failure::WebPage),
        (200..=299, _) if is_web_page(response) => Some(Failure::WebPage),
        (status @ 200..=299, Some(Class::Denied)) => Some(Failure::Denied { status }),
        _ => None,
    }
}

/// Whether the status says that the key or the path of the URL is wrong. JSON-RPC has one path: 404 says that it is another.
fn is_denial(status: u16) -> bool {
    matches!(status, 401 | 403 | 404)
}

/// The beginning of a body that is plain text or JSON of another kind, in lower case. A web page says nothing.
pub(crate) fn said(response: &Response) -> String {
    const LONGEST: usize = 1024;
    if is_web_page(response) {
        return String::new();
    }
    let beginning = response.body.get(..LONGEST).unwrap_or(&response.body);
    String::from_utf8_lossy(beginning).to_ascii_lowercase()
}

/// Whether the body is a web page: by its content type, or because it begins with `<`. No JSON text begins so; a light-client
/// object may, but its content type says what it is.
pub(crate) fn is_web_page(response: &Response) -> bool {
    let is_said_to_be = |kind| response.header("content-type").is_some_and(|said| said.starts_with(kind));
    let is_marked_up = response.body.trim_ascii_start().first() == Some(&b'<');
    is_said_to_be("text/html") || (is_marked_up && !is_said_to_be("application/octet-stream"))
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
