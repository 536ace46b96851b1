//! One HTTP request.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE,
    SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use saldo::ProviderId;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::exchange::respond;
use crate::network::Network;
use crate::state::State;

/// Names the providers whose word is in an answer without proof.
const UNPROVEN: HeaderName = HeaderName::from_static("saldo-unproven");

type Reply = Response<Full<Bytes>>;

/// A connection that asked to become a WebSocket.
#[derive(Debug)]
pub(crate) struct Upgrade {
    pub(crate) network: Arc<Network>,
    pub(crate) upgrade: OnUpgrade,
}

/// Where a connection leaves its upgrade, for the task that serves the connection.
pub(crate) type UpgradeSlot = Arc<Mutex<Option<Upgrade>>>;

/// Answers one request.
pub(crate) async fn handle(state: &State, slot: &UpgradeSlot, request: Request<Incoming>) -> Reply {
    let origin = match state.access.check(request.uri(), request.headers()) {
        Ok(origin) => origin.cloned(),
        Err(denied) => return plain(StatusCode::FORBIDDEN, denied.message()),
    };
    let mut reply = answer(state, slot, request, origin.is_some()).await;
    let headers = reply.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("saldo-unproven"));
        headers.insert(VARY, HeaderValue::from_static("Origin"));
    }
    reply
}

async fn answer(state: &State, slot: &UpgradeSlot, request: Request<Incoming>, is_page: bool) -> Reply {
    let Some(network) = state.network(request.uri().path()) else {
        return plain(StatusCode::NOT_FOUND, "no network is served at this path");
    };
    match *request.method() {
        Method::POST => post(state, network, request).await,
        Method::OPTIONS if is_page => preflight(),
        Method::GET if is_websocket(request.headers()) => upgrade(network, slot, request),
        _ => {
            let mut reply =
                plain(StatusCode::METHOD_NOT_ALLOWED, "send JSON-RPC with POST, or open a WebSocket");
            reply.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            reply
        }
    }
}

async fn post(state: &State, network: &Network, request: Request<Incoming>) -> Reply {
    if !is_json(request.headers()) {
        return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the content type must be application/json");
    }
    let read = timeout(state.settings.read_timeout, read_body(state, request.into_body())).await;
    let (body, held) = match read {
        Ok(Ok(read)) => read,
        Ok(Err(refusal)) => return *refusal,
        Err(_) => return plain(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"),
    };
    let Ok(Ok(running)) = timeout(state.settings.read_timeout, state.running.acquire()).await else {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "too many requests at a time");
    };
    let response = respond(state, network, &body, None).await;
    drop((running, held));
    match response.text {
        Some(text) => {
            let sent = Bytes::from_owner(Counted { text, _held: response.held });
            let mut reply = Response::new(Full::new(sent));
            reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            name_unproven(&mut reply, &response.unproven);
            reply
        }
        None => status(StatusCode::NO_CONTENT),
    }
}

/// An answer whose bytes count until it is sent.
struct Counted {
    text: String,
    _held: Option<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

fn name_unproven(reply: &mut Reply, providers: &BTreeSet<ProviderId>) {
    for provider in providers {
        // A name that no header can have is written with its unusual characters left out.
        let name: String = provider.as_str().chars().filter(|letter| matches!(letter, ' '..='~')).collect();
        if let Ok(name) = HeaderValue::from_str(&name) {
            reply.headers_mut().append(UNPROVEN, name);
        }
    }
}

/// Reads a body of at most [`State::MAX_BODY`] bytes. Its bytes count until the permit is dropped.
async fn read_body(
    state: &State,
    mut body: Incoming,
) -> Result<(Vec<u8>, Option<OwnedSemaphorePermit>), Box<Reply>> {
    let mut read = Vec::new();
    let mut held: Option<OwnedSemaphorePermit> = None;
    let refused = |code, text| Err(Box::new(plain(code, text)));
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return refused(StatusCode::BAD_REQUEST, "the body broke off") };
        let Ok(data) = frame.into_data() else { continue };
        if read.len().saturating_add(data.len()) > State::MAX_BODY {
            return refused(StatusCode::PAYLOAD_TOO_LARGE, "the body has more than 1 MiB");
        }
        let Some(permit) = state.hold(data.len()) else {
            return refused(StatusCode::SERVICE_UNAVAILABLE, "too many large requests at a time");
        };
        match &mut held {
            Some(held) => held.merge(permit),
            None => held = Some(permit),
        }
        read.extend_from_slice(&data);
    }
    Ok((read, held))
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

fn preflight() -> Reply {
    let mut reply = status(StatusCode::NO_CONTENT);
    let headers = reply.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    reply
}

fn is_websocket(headers: &HeaderMap) -> bool {
    has_word(headers, &UPGRADE, "websocket") && has_word(headers, &CONNECTION, "upgrade")
}

fn has_word(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(word))
}

/// Agrees to a WebSocket. Source: RFC 6455, section 4.2.
fn upgrade(network: &Arc<Network>, slot: &UpgradeSlot, mut request: Request<Incoming>) -> Reply {
    let headers = request.headers();
    let is_known = headers.get(SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
    let key = headers.get(SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
    let accept = key.and_then(|key| HeaderValue::try_from(key).ok()).filter(|_| is_known);
    let Some(accept) = accept else {
        let mut reply = plain(StatusCode::BAD_REQUEST, "only WebSockets of version 13 are taken");
        reply.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return reply;
    };
    let upgrade = Upgrade { network: Arc::clone(network), upgrade: hyper::upgrade::on(&mut request) };
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(upgrade);
    let mut reply = status(StatusCode::SWITCHING_PROTOCOLS);
    let headers = reply.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    reply
}

fn status(code: StatusCode) -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = code;
    reply
}

fn plain(code: StatusCode, text: &'static str) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *reply.status_mut() = code;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    reply
}
