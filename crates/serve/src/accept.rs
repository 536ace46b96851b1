//! Takes connections.

use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// The next connection. A lack of file descriptors is waited for.
pub(crate) async fn accept(listener: &TcpListener) -> TcpStream {
    const PAUSE: Duration = Duration::from_millis(50);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "a connection could not be taken");
                sleep(PAUSE).await;
            }
        }
    }
}
