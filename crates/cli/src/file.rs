//! Reads small files that a user names. The name may be of anything: a pipe, a device, a folder.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::encoding::{NotText, decode};

/// More than any network file, list of providers or scenario needs.
const LIMIT: u64 = 1 << 20;

/// How long a file may take where no option says it: a pipe can be without a writer for ever.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Why a file cannot be read.
#[derive(Debug)]
pub(crate) enum FileError {
    /// The system refused.
    Io(io::Error),
    /// It is larger than this many bytes, or has no end.
    TooLarge(u64),
    /// It is a pipe into which no program wrote everything in time.
    Late(Duration),
    /// It is no text.
    NotText(NotText),
}

impl std::fmt::Display for FileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::IsADirectory => f.write_str("it is a folder"),
            Self::Io(error) => error.fmt(f),
            Self::TooLarge(limit) => write!(f, "it is larger than {limit} bytes"),
            Self::Late(after) => write!(f, "it did not end within {} ms", after.as_millis()),
            Self::NotText(error) => error.fmt(f),
        }
    }
}

/// Reads the text at `path`, at most [`LIMIT`] bytes, and waits at most `patience`.
///
/// # Errors
/// [`FileError`], which does not repeat the path.
pub(crate) fn read_text(path: &str, patience: Duration) -> Result<String, FileError> {
    read_text_up_to(path, LIMIT, patience)
}

/// Reads the text at `path`, at most `limit` bytes, and waits at most `patience`.
///
/// # Errors
/// [`FileError`], which does not repeat the path.
pub(crate) fn read_text_up_to(path: &str, limit: u64, patience: Duration) -> Result<String, FileError> {
    decode(&read_up_to(path, limit, patience)?).map_err(FileError::NotText)
}

/// Reads the bytes at `path`, at most `limit`, and waits at most `patience`.
///
/// # Errors
/// [`FileError`], which does not repeat the path.
pub(crate) fn read_up_to(path: &str, limit: u64, patience: Duration) -> Result<Vec<u8>, FileError> {
    let (done, outcome) = channel();
    let path = PathBuf::from(path);
    // Opening a pipe blocks until a program writes to it. A thread that waits too long ends with the process.
    let reading = move || drop(done.send(read_bytes(&path, limit)));
    std::thread::Builder::new().spawn(reading).map_err(FileError::Io)?;
    match outcome.recv_timeout(patience) {
        Ok(read) => read,
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Err(FileError::Late(patience)),
    }
}

fn read_bytes(path: &PathBuf, limit: u64) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(FileError::Io)?;
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(FileError::Io)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= limit) {
        Ok(bytes)
    } else {
        Err(FileError::TooLarge(limit))
    }
}
