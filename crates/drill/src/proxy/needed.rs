//! The requests that a wallet needs. No other reaches the server behind a proxy: its URL may have a key, and a node may hold keys.

use serde_json::{Value, json};

use crate::fault::Side;
use crate::http::{HttpRequest, Reply};

/// The routes of the beacon API that a light client or a checkpoint needs. A part in braces is one word of letters and digits.
const ROUTES: [&str; 12] = [
    "/eth/v1/beacon/light_client/bootstrap/{root}",
    "/eth/v1/beacon/light_client/updates",
    "/eth/v1/beacon/light_client/finality_update",
    "/eth/v1/beacon/light_client/optimistic_update",
    "/eth/v1/beacon/genesis",
    "/eth/v1/beacon/headers/{block}",
    "/eth/v1/beacon/blocks/{block}/root",
    "/eth/v1/beacon/states/{state}/finality_checkpoints",
    "/eth/v1/config/spec",
    "/eth/v1/node/version",
    "/eth/v1/node/syncing",
    "/eth/v1/node/health",
];
/// The parameters of these routes.
const PARAMETERS: [&str; 2] = ["start_period", "count"];

/// The answer to a request that is not passed on; `None` if a wallet needs it. `body` is the request's body as JSON.
pub(super) fn refusal(side: Side, request: &HttpRequest, body: &Value) -> Option<Reply> {
    match side {
        Side::Execution => {
            const PASSES: &str = "JSON-RPC, by POST to `/`";
            if request.path != "/" {
                return Some(refused(404, PASSES, "POST"));
            }
            if request.method != "POST" {
                return Some(refused(405, PASSES, "POST"));
            }
            (!is_json_rpc(body)).then(|| refused(400, PASSES, "POST"))
        }
        Side::Beacon => {
            let passes = || format!("GET of {}", ROUTES.join(", "));
            if !ROUTES.iter().any(|route| is_at(route, &request.path)) {
                return Some(refused(404, &passes(), "GET"));
            }
            (request.method != "GET").then(|| refused(405, &passes(), "GET"))
        }
    }
}

/// Whether a parameter of a query is passed on.
pub(super) fn is_parameter(name: &str) -> bool {
    PARAMETERS.contains(&name)
}

/// Whether it is a call, or a list of calls.
fn is_json_rpc(body: &Value) -> bool {
    let is_call = |call: &Value| call.get("method").is_some_and(Value::is_string);
    match body {
        Value::Array(calls) => !calls.is_empty() && calls.iter().all(is_call),
        call => is_call(call),
    }
}

/// Whether `path` is exactly that route: nothing before or after it, and no `..` or `%` that another server could read as a step to
/// another route.
fn is_at(route: &str, path: &str) -> bool {
    let is_word = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let (mut expected, mut given) = (route.split('/'), path.split('/'));
    loop {
        match (expected.next(), given.next()) {
            (None, None) => return true,
            (Some(expected), Some(part)) if expected.starts_with('{') && is_word(part) => {}
            (Some(expected), Some(part)) if expected == part => {}
            _ => return false,
        }
    }
}

fn refused(status: u16, passes: &str, allowed: &str) -> Reply {
    let message = format!("this proxy passes on nothing but {passes}");
    let reply = Reply::json(status, &json!({ "code": status, "message": message }));
    if status == 405 { reply.header("allow", allowed) } else { reply }
}
