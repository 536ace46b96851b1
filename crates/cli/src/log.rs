//! What the libraries log, on standard error.

use tracing_subscriber::EnvFilter;

/// Logs to standard error from now on. No library logs a URL or an address.
pub(crate) fn to_stderr() {
    let filter = EnvFilter::new("off,saldo=debug,saldo_beacon=debug,saldo_serve=debug,saldo_source=debug");
    let _ = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(filter)
        // It would be written to standard error, which may be closed.
        .log_internal_errors(false)
        .without_time()
        .try_init();
}
