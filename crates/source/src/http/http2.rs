//! The limits of HTTP/2. A server can hold a connection open and send what it likes on it; each request still ends by its own
//! limits of time and size.

use std::time::Duration;

use reqwest::ClientBuilder;

/// The bytes of one answer that a server may send before they are read.
const STREAM_WINDOW: u32 = 1 << 20;
/// The same, of all answers of one connection.
const CONNECTION_WINDOW: u32 = 2 << 20;
/// The bytes of one frame. The smallest that the standard allows (RFC 9113, section 4.2).
const FRAME: u32 = 1 << 14;
/// The bytes of all headers of one answer.
const HEADERS: u32 = 32 << 10;
/// A connection that is silent for this time is pinged, while an answer is expected.
const SILENCE: Duration = Duration::from_secs(1);
/// A connection that does not answer a ping within this time is closed. On a bad mobile link a round trip takes four seconds;
/// the ping may wait behind another packet, and so takes nearly two. New requests do not wait for this: they use another
/// connection. In 20 seconds, the deadline of background work, a connection can be replaced twice.
const PING_TIMEOUT: Duration = Duration::from_secs(7);

/// Sets the limits.
pub(super) fn limited(builder: ClientBuilder) -> ClientBuilder {
    builder
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .http2_max_frame_size(FRAME)
        .http2_max_header_list_size(HEADERS)
        .http2_keep_alive_interval(SILENCE)
        .http2_keep_alive_timeout(PING_TIMEOUT)
        .http2_keep_alive_while_idle(false)
}
