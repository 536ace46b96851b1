//! What is counted, as text for Prometheus, at an address of its own.

mod recorder;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::encoding::prometheus_text;
use saldo::Client;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::accept::accept;
use crate::access::Access;
use crate::route::Route;
use crate::serve_error::ServeError;
use crate::settings::Settings;
use recorder::Recorder;

/// The most connections at a time. Further ones are closed at once.
const MOST_CONNECTIONS: usize = 16;
/// How long one connection may take. It has one answer.
const LONGEST: Duration = Duration::from_secs(10);

/// Answers `GET /metrics` with what is counted in this process, for Prometheus. `docs/metrics.md` lists the names.
#[derive(Debug)]
pub struct Metrics {
    listener: TcpListener,
    scrape: Arc<Scrape>,
}

#[derive(Debug)]
struct Scrape {
    access: Access,
    clients: Vec<Client>,
    recorder: Arc<Recorder>,
}

impl Metrics {
    /// Begins to count, and listens at `address`; at a free port of it if that is 0. `settings` says which hosts requests may be for.
    ///
    /// # Errors
    /// [`ServeError`]. A process has one recorder of the `metrics` facade: a second call fails.
    pub async fn bind(
        address: SocketAddr,
        settings: &Settings,
        routes: &[Route],
    ) -> Result<Self, ServeError> {
        if !address.ip().is_loopback() && settings.allowed_hosts.is_empty() {
            return Err(ServeError::OpenToOthers);
        }
        let listener = TcpListener::bind(address).await?;
        let recorder = Arc::new(Recorder::new());
        ::metrics::set_global_recorder(Arc::clone(&recorder)).map_err(|_| ServeError::OtherRecorder)?;
        let clients = routes.iter().map(|route| route.client.clone()).collect();
        let access = Access::new(&settings.allowed_hosts, &[]);
        Ok(Self { listener, scrape: Arc::new(Scrape { access, clients, recorder }) })
    }

    /// Returns the address that it listens at.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until it is dropped.
    pub async fn run(self) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                Some(_) = connections.join_next() => {}
                stream = accept(&self.listener) => {
                    if connections.len() < MOST_CONNECTIONS {
                        connections.spawn(timeout(LONGEST, serve(Arc::clone(&self.scrape), stream)));
                    }
                }
            }
        }
    }
}

async fn serve(scrape: Arc<Scrape>, stream: TcpStream) {
    let service = service_fn(|request| {
        let reply = scrape.answer(&request);
        async { Ok::<_, std::convert::Infallible>(reply) }
    });
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new()).keep_alive(false);
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

impl Scrape {
    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if let Err(denied) = self.access.check(request.uri(), request.headers()) {
            return plain(StatusCode::FORBIDDEN, denied.message().to_owned());
        }
        if request.method() != Method::GET || request.uri().path() != "/metrics" {
            return plain(StatusCode::NOT_FOUND, "ask for GET /metrics".to_owned());
        }
        self.clients.iter().for_each(Client::record_health);
        match self.recorder.text() {
            Ok(text) => plain(StatusCode::OK, text),
            Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be written".to_owned()),
        }
    }
}

fn plain(code: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut reply = Response::new(Full::new(Bytes::from(text)));
    *reply.status_mut() = code;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(prometheus_text::CONTENT_TYPE));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}
