//! saldo's events, as lines for the app's log.

use std::collections::VecDeque;
use std::fmt::{self, Write};
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::FutureExt;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Level, Metadata, Subscriber, span};

use crate::clock::Timer;
use crate::http::first_line;
use crate::maybe_send::Shared;
use crate::setup::SetupError;

/// Takes the lines of saldo's log. They name no address and no URL.
///
/// Lines come in their order, several at once. Lines that the app does not take in time are dropped.
#[uniffi::export(with_foreign)]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
pub trait LogSink: Shared {
    /// Takes `lines`. The next lines come when it has returned.
    async fn write(&self, lines: Vec<LogLine>) -> Result<(), LogFailure>;
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LogLine {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// The part of saldo that says it.
    pub target: String,
    /// What happened, with its fields.
    pub text: String,
}

/// The app could not take the lines. saldo goes on without them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
#[uniffi::export(Debug, Display)]
pub enum LogFailure {
    /// Whatever the implementation threw.
    #[error("unexpected: {detail}")]
    Unexpected {
        /// What happened, in one line.
        detail: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for LogFailure {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unexpected { detail: first_line(&error.reason) }
    }
}

/// Lines that the app has not taken yet.
#[derive(Default)]
struct Waiting {
    lines: VecDeque<LogLine>,
    /// The number of lines that were dropped since the last one.
    dropped: u64,
    reader: Option<Waker>,
}

/// Lines on their way from the client to the app.
#[derive(Default)]
pub(crate) struct Lines(Mutex<Waiting>);

impl Lines {
    /// The most lines that wait for the app.
    const MOST: usize = 256;
    /// How long the app may take for some lines.
    const DEADLINE: Duration = Duration::from_secs(5);

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: LogLine) {
        let reader = {
            let mut waiting = self.waiting();
            if waiting.lines.len() < Self::MOST {
                waiting.lines.push_back(line);
            } else {
                waiting.dropped = waiting.dropped.saturating_add(1);
            }
            waiting.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Takes the lines that wait.
    fn poll_take(&self, context: &Context<'_>) -> Poll<Vec<LogLine>> {
        let mut waiting = self.waiting();
        if waiting.lines.is_empty() {
            waiting.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let mut lines: Vec<LogLine> = waiting.lines.drain(..).collect();
        if waiting.dropped > 0 {
            let text = format!(
                "lines that were dropped, because the log did not take them in time: {}",
                waiting.dropped
            );
            lines.push(LogLine { level: "warn".to_owned(), target: "saldo_ffi".to_owned(), text });
            waiting.dropped = 0;
        }
        Poll::Ready(lines)
    }

    /// Hands the lines to `sink`, as long as the client lives. Whatever the sink does, the client goes on.
    pub(crate) async fn hand_over(self: Arc<Self>, sink: Arc<dyn LogSink>, timer: Timer) {
        loop {
            let lines = poll_fn(|context| self.poll_take(context)).await;
            let written = AssertUnwindSafe(sink.write(lines)).catch_unwind();
            // A sink that throws, panics or hangs loses these lines.
            let _ = timer.within(Self::DEADLINE, written).await;
        }
    }

    /// Returns where the events go that are at least as important as `level`.
    ///
    /// # Errors
    /// [`SetupError`] if there is no such level.
    pub(crate) fn dispatch(self: &Arc<Self>, level: &str) -> Result<Dispatch, SetupError> {
        let level = level.parse::<Level>().map_err(|_| {
            SetupError::new("log_level", "a log level is `error`, `warn`, `info`, `debug` or `trace`")
        })?;
        LazyLock::force(&SILENT);
        Ok(Dispatch::new(ToLines { lines: Arc::clone(self), level }))
    }
}

/// Where the events of a client without a log go.
///
/// As long as a process has one subscriber, `tracing` asks only the thread that first comes to an event whether the event is wanted,
/// and keeps that answer for all threads (`tracing_core::callsite`). A client without a log would silence the log of another one.
/// So a second subscriber is always registered. It takes no event, and keeps no answer for others.
static SILENT: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Silent));

/// Returns where the events of a client without a log go.
pub(crate) fn silent() -> Dispatch {
    SILENT.clone()
}

/// Takes no event.
struct Silent;

impl Subscriber for Silent {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::OFF)
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// Turns saldo's events into lines.
struct ToLines {
    lines: Arc<Lines>,
    level: Level,
}

impl Subscriber for ToLines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level && metadata.is_event() && metadata.target().starts_with("saldo")
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::from_level(self.level))
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        self.lines.add(LogLine {
            level: event.metadata().level().as_str().to_ascii_lowercase(),
            target: event.metadata().target().to_owned(),
            text: text.message + &text.fields,
        });
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// The message of an event, and its fields.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing into a text cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
