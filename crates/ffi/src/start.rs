//! How a client is made: with a thread of its own, or, where there are no threads, with the clock of the app.

use std::sync::Arc;

use crate::app_clock::{AppClock, Clock};
use crate::client::{Core, SaldoClient};
use crate::clock::{Clocks, Timer};
use crate::config::ClientConfig;
use crate::http::{ForeignTransport, HttpTransport};
use crate::log::{Lines, LogSink, silent};
use crate::setup::SetupError;
use crate::storage::{ForeignStorage, Storage};
#[cfg(not(target_arch = "wasm32"))]
use crate::worker::Timers;
use crate::worker::Worker;

#[cfg(not(target_arch = "wasm32"))]
#[uniffi::export]
impl SaldoClient {
    /// Makes a client. It opens no connection: the first read does.
    ///
    /// # Errors
    /// [`SetupError`] if a setting is missing or cannot be used.
    #[uniffi::constructor(default(storage = None, log = None))]
    #[allow(clippy::needless_pass_by_value, reason = "the bindings hand over owned values")]
    pub fn new(
        config: ClientConfig,
        transport: Arc<dyn HttpTransport>,
        storage: Option<Arc<dyn Storage>>,
        log: Option<Arc<dyn LogSink>>,
    ) -> Result<Arc<Self>, SetupError> {
        let log = Log::new(&config, log)?;
        let timers = Arc::new(Timers::default());
        let worker = Worker::start(Arc::clone(&timers), log.dispatch.clone())
            .map_err(|error| SetupError::new("no_thread", error.kind()))?;
        make(&config, Clocks::of_device(timers), worker, transport, storage, log)
    }
}

// Exported only where it is needed: elsewhere an app cannot give a better clock than the system's.
#[cfg_attr(target_arch = "wasm32", uniffi::export)]
impl SaldoClient {
    /// Makes a client without a thread, for a platform that has none, with the clock of the app. It opens no connection: the first
    /// read does.
    ///
    /// All work is done in the calls of the app while they wait. What no call waits for goes on with the next call.
    ///
    /// # Errors
    /// [`SetupError`] if a setting is missing or cannot be used.
    #[cfg_attr(target_arch = "wasm32", uniffi::constructor)]
    #[allow(clippy::needless_pass_by_value, reason = "the bindings hand over owned values")]
    pub fn with_clock(
        config: ClientConfig,
        clock: Arc<dyn Clock>,
        transport: Arc<dyn HttpTransport>,
        storage: Option<Arc<dyn Storage>>,
        log: Option<Arc<dyn LogSink>>,
    ) -> Result<Arc<Self>, SetupError> {
        let log = Log::new(&config, log)?;
        let worker = Worker::without_thread(log.dispatch.clone());
        make(&config, Clocks::App(AppClock::new(clock)), worker, transport, storage, log)
    }
}

/// Where the events of a client go.
struct Log {
    dispatch: tracing::Dispatch,
    sink: Option<(Arc<Lines>, Arc<dyn LogSink>)>,
}

impl Log {
    /// # Errors
    /// [`SetupError`] if there is no such level.
    fn new(config: &ClientConfig, sink: Option<Arc<dyn LogSink>>) -> Result<Self, SetupError> {
        let Some(sink) = sink else { return Ok(Self { dispatch: silent(), sink: None }) };
        let lines = Arc::new(Lines::default());
        Ok(Self { dispatch: lines.dispatch(&config.log_level)?, sink: Some((lines, sink)) })
    }
}

fn make(
    config: &ClientConfig,
    clocks: Clocks,
    worker: Worker,
    transport: Arc<dyn HttpTransport>,
    storage: Option<Arc<dyn Storage>>,
    log: Log,
) -> Result<Arc<SaldoClient>, SetupError> {
    let timer = Timer::new(clocks.clone(), worker.poster());
    if let Some((lines, sink)) = log.sink {
        worker.post(lines.hand_over(sink, timer.clone()));
    }
    let transport = ForeignTransport::new(transport, timer.clone());
    let mut builder = config.builder()?.clock(clocks).transport(transport);
    if let Some(storage) = storage {
        builder = builder.storage(ForeignStorage::new(storage, timer.clone(), config.is_storage_read_only));
    }
    Ok(SaldoClient::of(Core { worker, timer }, builder.build()?))
}
