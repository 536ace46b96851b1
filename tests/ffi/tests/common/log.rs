//! A log that keeps its lines.

use std::sync::Mutex;

use saldo_ffi::{LogFailure, LogLine, LogSink};

/// A log that keeps its lines.
#[derive(Default)]
pub struct Log(pub Mutex<Vec<LogLine>>);

#[async_trait::async_trait]
impl LogSink for Log {
    async fn write(&self, lines: Vec<LogLine>) -> Result<(), LogFailure> {
        self.0.lock().unwrap().extend(lines);
        Ok(())
    }
}
