//! Requests to a beacon source: the routes of the beacon API that a light client needs. Light-client objects prove themselves,
//! so any source will do.

use std::time::Duration;

use alloy_primitives::B256;
use saldo_beacon::decode::Encoding;
use saldo_beacon::unit::{Period, Slot};
use saldo_reading::Failure;

use crate::classify::{of_text, said};
use crate::clock::Deadline;
use crate::endpoint::Endpoint;
use crate::io::Io;
use crate::transport::{Method, Request, Response};

/// The largest reply, in bytes: updates of mainnet in JSON have about 64 KB each.
const MAX_REPLY: usize = 1024 * 1024;

/// The most updates in one request, so that their JSON stays within the limit of a reply.
pub const MAX_UPDATES: u64 = 8;

const SSZ: &str = "application/octet-stream;q=1.0,application/json;q=0.9";
const JSON: &str = "application/json";

/// A reply as it came.
#[derive(Clone, Debug)]
pub struct Data {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Their encoding, by the reply's content type: a source may not send what was asked for.
    pub encoding: Encoding,
    /// The fork that the reply's `Eth-Consensus-Version` header names, if it has one.
    pub fork: Option<String>,
}

/// A route of the beacon API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// The bootstrap of the block with this root.
    Bootstrap(B256),
    /// The best update of each of `count` periods.
    Updates {
        /// The first period.
        start: Period,
        /// How many periods, at most [`MAX_UPDATES`].
        count: u64,
    },
    /// The newest finality update.
    FinalityUpdate,
    /// The newest optimistic update.
    OptimisticUpdate,
    /// The chain's genesis (JSON only).
    Genesis,
    /// The chain's configuration (JSON only).
    Spec,
    /// The header of the newest finalized block (JSON only).
    FinalizedHeader,
    /// The root of the block at a slot (JSON only).
    BlockRoot(Slot),
    /// The header of the block at a slot (JSON only).
    Header(Slot),
    /// The newest finalized epoch (JSON only).
    FinalityCheckpoints,
}

impl Route {
    /// The route's name in a [`Failure`].
    pub fn name(&self) -> &'static str {
        match self {
            Self::Bootstrap(_) => "light_client/bootstrap",
            Self::Updates { .. } => "light_client/updates",
            Self::FinalityUpdate => "light_client/finality_update",
            Self::OptimisticUpdate => "light_client/optimistic_update",
            Self::Genesis => "beacon/genesis",
            Self::Spec => "config/spec",
            Self::FinalizedHeader => "beacon/headers/finalized",
            Self::BlockRoot(_) => "beacon/blocks/{slot}/root",
            Self::Header(_) => "beacon/headers/{slot}",
            Self::FinalityCheckpoints => "beacon/states/head/finality_checkpoints",
        }
    }

    fn path(&self) -> (String, Vec<(&'static str, String)>) {
        match self {
            Self::Bootstrap(root) => (format!("/eth/v1/beacon/light_client/bootstrap/{root}"), Vec::new()),
            Self::Updates { start, count } => {
                let query = vec![
                    ("start_period", start.get().to_string()),
                    ("count", (*count).min(MAX_UPDATES).to_string()),
                ];
                ("/eth/v1/beacon/light_client/updates".to_owned(), query)
            }
            Self::FinalityUpdate => ("/eth/v1/beacon/light_client/finality_update".to_owned(), Vec::new()),
            Self::OptimisticUpdate => {
                ("/eth/v1/beacon/light_client/optimistic_update".to_owned(), Vec::new())
            }
            Self::Genesis => ("/eth/v1/beacon/genesis".to_owned(), Vec::new()),
            Self::Spec => ("/eth/v1/config/spec".to_owned(), Vec::new()),
            Self::FinalizedHeader => ("/eth/v1/beacon/headers/finalized".to_owned(), Vec::new()),
            Self::BlockRoot(slot) => (format!("/eth/v1/beacon/blocks/{slot}/root"), Vec::new()),
            Self::Header(slot) => (format!("/eth/v1/beacon/headers/{slot}"), Vec::new()),
            Self::FinalityCheckpoints => {
                ("/eth/v1/beacon/states/head/finality_checkpoints".to_owned(), Vec::new())
            }
        }
    }

    /// Whether the route has answers in SSZ.
    fn has_ssz(&self) -> bool {
        matches!(
            self,
            Self::Bootstrap(_) | Self::Updates { .. } | Self::FinalityUpdate | Self::OptimisticUpdate
        )
    }
}

/// Fetches one route of a beacon API. [`mirror::fetch`](crate::mirror::fetch) does the same with a mirror.
///
/// # Errors
/// A [`Failure`] that says why there is no reply to use. An error status says something about this source, and nothing about
/// the chain.
pub async fn fetch(io: &Io, source: &Endpoint, route: Route, timeout: Duration) -> Result<Data, Failure> {
    if source.is_mirror() {
        return Err(Failure::NotServed { method: route.name() });
    }
    let deadline = Deadline::after(io.clock(), timeout);
    let wants_ssz = route.has_ssz() && !io.is_without_ssz(source.id());
    let mut response = exchange(io, source, route, if wants_ssz { SSZ } else { JSON }, timeout).await?;
    if wants_ssz && may_refuse_ssz(response.status) {
        response = exchange(io, source, route, JSON, deadline.left(io.clock())).await?;
        if response.status == 200 {
            io.remember_without_ssz(source.id());
        }
    }
    match response.status {
        200 if !may_be_data(&response) => {
            Err(of_text(&response).unwrap_or(Failure::Malformed { what: "no data of the beacon API" }))
        }
        200 => Ok(data(response)),
        _ => Err(refusal(&response, route)),
    }
}

async fn exchange(
    io: &Io,
    source: &Endpoint,
    route: Route,
    accept: &str,
    timeout: Duration,
) -> Result<Response, Failure> {
    let (path, query) = route.path();
    let request = Request {
        method: Method::Get,
        url: source.url().join(&path, &query),
        headers: vec![("accept", accept.to_owned())],
        body: Vec::new(),
        timeout,
        max_bytes: MAX_REPLY,
    };
    io.exchange(source, request).await
}

/// Whether a server that has no SSZ may answer so to a request that prefers SSZ.
fn may_refuse_ssz(status: u16) -> bool {
    matches!(status, 400 | 406 | 415)
}

/// The meaning of a reply with an error status.
pub(crate) fn refusal(response: &Response, route: Route) -> Failure {
    if let Some(failure) = of_text(response) {
        return failure;
    }
    match response.status {
        401 | 403 => Failure::Denied { status: response.status },
        400 | 404 | 405 | 406 | 415 | 501 => Failure::NotServed { method: route.name() },
        // Real servers answer so for a root, a period or a slot that they do not have, and for their own failures.
        500 if is_for_one_object(route) && says_missing(response) => {
            Failure::NotServed { method: route.name() }
        }
        status => Failure::Http { status },
    }
}

fn is_for_one_object(route: Route) -> bool {
    matches!(route, Route::Bootstrap(_) | Route::Updates { .. } | Route::BlockRoot(_))
}

/// Whether the text of an error says that the server does not have the object.
fn says_missing(response: &Response) -> bool {
    const WORDS: [&str; 8] = [
        "not found",
        "not available",
        "no such",
        "unknown block",
        "unknown root",
        "missing",
        "does not exist",
        "don't have",
    ];
    let said = said(response);
    WORDS.iter().any(|words| said.contains(words))
}

/// Whether a reply with HTTP 200 can be an answer of the beacon API. Gateways send their errors with this status too: as plain
/// text, as nothing, or as a JSON object that has no data. Data proves itself, so this only decides how a failure is named.
fn may_be_data(response: &Response) -> bool {
    /// No error is longer; longer JSON is not read twice.
    const LONGEST_ERROR: usize = 4096;
    #[derive(serde::Deserialize)]
    struct Reply {
        #[serde(default)]
        data: Option<serde::de::IgnoredAny>,
    }
    if response.header("content-type").is_some_and(is_ssz) {
        return true;
    }
    match response.body.trim_ascii_start().first() {
        Some(b'[') => true,
        Some(b'{') if response.body.len() > LONGEST_ERROR => true,
        // JSON that is cut off may have been data.
        Some(b'{') => serde_json::from_slice(&response.body).map_or(true, |Reply { data }| data.is_some()),
        _ => false,
    }
}

fn data(response: Response) -> Data {
    let ssz = response.header("content-type").is_some_and(is_ssz);
    let fork = response.header("eth-consensus-version").map(str::to_owned);
    let encoding = if ssz { Encoding::Ssz } else { Encoding::Json };
    Data { bytes: response.body, encoding, fork }
}

/// Whether a media type names SSZ. The letter case has no meaning, and parameters may follow (RFC 9110, section 8.3.1).
fn is_ssz(media_type: &str) -> bool {
    let (essence, _) = media_type.split_once(';').unwrap_or((media_type, ""));
    essence.trim().eq_ignore_ascii_case("application/octet-stream")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str, route: Route) -> Failure {
        refusal(&Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() }, route)
    }

    const OF_ONE_OBJECT: [Route; 3] = [
        Route::Bootstrap(B256::ZERO),
        Route::Updates { start: Period::new(1), count: 1 },
        Route::BlockRoot(Slot::new(1)),
    ];

    #[test]
    fn status_500_is_a_failing_server_unless_its_text_says_that_the_object_is_missing() {
        for route in OF_ONE_OBJECT {
            for body in [
                "",
                "Internal Server Error",
                r#"{"code":500,"message":"the server has failed"}"#,
                "<html><body>Page not found</body></html>",
                "database is locked",
                r#"{"message":"an unknown error occurred"}"#,
            ] {
                assert_eq!(answered(500, body, route), Failure::Http { status: 500 }, "{route:?} {body}");
            }
            for body in [
                r#"{"code":500,"message":"Light client bootstrap NOT FOUND"}"#,
                r#"{"code":500,"message":"no such block"}"#,
                r#"{"code":500,"message":"unknown block root"}"#,
                r#"{"message":"light client data is not available for this period"}"#,
            ] {
                let missing = Failure::NotServed { method: route.name() };
                assert_eq!(answered(500, body, route), missing, "{route:?} {body}");
            }
            assert_eq!(answered(503, "block not found", route), Failure::Http { status: 503 });
        }
        for route in [Route::FinalityUpdate, Route::OptimisticUpdate, Route::Genesis] {
            assert_eq!(answered(500, "not found", route), Failure::Http { status: 500 }, "{route:?}");
        }
    }

    #[test]
    fn the_letter_case_and_the_parameters_of_a_media_type_have_no_meaning() {
        for ssz in [
            "application/octet-stream",
            "Application/Octet-Stream",
            "APPLICATION/OCTET-STREAM",
            " application/octet-stream ; charset=utf-8",
        ] {
            assert!(is_ssz(ssz), "{ssz}");
        }
        for other in ["application/json", "Application/JSON; charset=utf-8", "application/octet-streams", ""]
        {
            assert!(!is_ssz(other), "{other}");
        }
    }
}
