//! One WebSocket: requests as text messages, and the new heads that it subscribed to.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::exchange::{Response, respond};
use crate::feed::Head;
use crate::http_service::Upgrade;
use crate::network::Network;
use crate::session::Session;
use crate::state::State;

/// The most messages of one connection that are answered at a time. Further ones are read later.
const MOST_RUNNING: usize = 32;
/// How long a message may take to be sent.
const SEND: Duration = Duration::from_secs(10);

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Serves the connection until it ends, or until `stop` says so.
pub(crate) async fn serve(state: &State, asked: Upgrade, mut stop: watch::Receiver<bool>) {
    let Ok(Ok(upgraded)) = timeout(SEND, asked.upgrade).await else { return };
    let config = WebSocketConfig::default()
        .read_buffer_size(8 << 10)
        .write_buffer_size(0)
        .max_message_size(Some(State::MAX_BODY))
        .max_frame_size(Some(State::MAX_BODY));
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    let mut connection = Connection {
        socket,
        network: &asked.network,
        session: Session::default(),
        heads: None,
        heard: Instant::now(),
    };
    let code = tokio::select! {
        code = connection.run(state) => code,
        // Dropped, what was in progress is not answered: the caller sees that the server goes away.
        _ = stop.wait_for(|is_stopped| *is_stopped) => Some(CloseCode::Away),
    };
    if let Some(code) = code {
        let frame = CloseFrame { code, reason: "".into() };
        let _ = timeout(SEND, connection.socket.close(Some(frame))).await;
    }
}

struct Connection<'a> {
    socket: Socket,
    network: &'a Arc<Network>,
    session: Session,
    /// The feed, while there is a subscription.
    heads: Option<watch::Receiver<Head>>,
    /// When the caller last sent anything.
    heard: Instant,
}

impl Connection<'_> {
    /// Answers messages until the connection ends. Returns how to close it, if it still can be.
    async fn run(&mut self, state: &State) -> Option<CloseCode> {
        let session = &self.session;
        let network = self.network;
        let mut running = FuturesUnordered::new();
        let pause = ping_interval(state);
        let mut ping = interval(pause);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(response) = running.next() => {
                    let Response { text, subscriptions, held, .. } = response;
                    if let Some(text) = text {
                        send(&mut self.socket, Message::text(text)).await?;
                    }
                    drop(held);
                    session.begin(&subscriptions);
                    self.heads = follow(self.heads.take(), session, network);
                }
                head = next_head(&mut self.heads) => {
                    for id in session.begun() {
                        send(&mut self.socket, Message::text(notification(&id, &head))).await?;
                    }
                }
                message = self.socket.next(), if running.len() < MOST_RUNNING => {
                    self.heard = Instant::now();
                    match message? {
                        // web3.py sends its requests as binary messages.
                        Ok(message @ (Message::Text(_) | Message::Binary(_))) => {
                            let text = message.into_data();
                            // Too many large messages at a time: the caller may come again.
                            let Some(held) = state.hold(text.len()) else { return Some(CloseCode::Again) };
                            running.push(answer(state, network, session, text, held).boxed());
                        }
                        Ok(Message::Close(_)) => return Some(CloseCode::Normal),
                        Ok(_) => {}
                        Err(_) => return Some(CloseCode::Protocol),
                    }
                }
                _ = ping.tick() => {
                    if self.heard.elapsed() > pause.saturating_mul(2) {
                        return None;
                    }
                    send(&mut self.socket, Message::Ping(Bytes::new())).await?;
                }
            }
        }
    }
}

/// How often a connection is asked whether it still lives: so that a silent one ends about as early as an idle one without WebSocket.
fn ping_interval(state: &State) -> Duration {
    let pause = state.settings.idle_timeout.saturating_mul(2).checked_div(5);
    pause.unwrap_or_default().max(Duration::from_millis(1))
}

/// Answers one message, whose bytes count until then.
async fn answer(
    state: &State,
    network: &Network,
    session: &Session,
    text: Bytes,
    _held: OwnedSemaphorePermit,
) -> Response {
    let _running = state.running.acquire().await;
    respond(state, network, &text, Some(session)).await
}

/// Sends a message; `None` if the connection broke, or does not take it.
async fn send(socket: &mut Socket, message: Message) -> Option<()> {
    timeout(SEND, socket.send(message)).await.ok()?.ok()
}

/// Joins the feed with the first subscription, and leaves it with the last.
fn follow(
    heads: Option<watch::Receiver<Head>>,
    session: &Session,
    network: &Network,
) -> Option<watch::Receiver<Head>> {
    if session.begun().is_empty() {
        return None;
    }
    Some(heads.unwrap_or_else(|| network.feed.join()))
}

/// The next head; never, without a subscription.
async fn next_head(heads: &mut Option<watch::Receiver<Head>>) -> Arc<str> {
    if let Some(heads) = heads {
        while heads.changed().await.is_ok() {
            if let Some(head) = heads.borrow_and_update().clone() {
                return head;
            }
        }
    }
    std::future::pending().await
}

fn notification(id: &str, head: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"eth_subscription","params":{{"subscription":"{id}","result":{head}}}}}"#
    )
}
