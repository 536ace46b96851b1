//! A mirror's files in a folder of this device.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use saldo_reading::{Failure, TransportError};

/// The largest file that is read, in bytes; an update of mainnet has 26,000.
pub const MAX_FILE: usize = 128 * 1024;

/// The file at `path` in `folder`, or `None` if there is none.
pub(super) fn read(folder: &Path, path: &str, limit: usize) -> Result<Option<Vec<u8>>, Failure> {
    let file = folder.join(path);
    let length = match fs::metadata(&file) {
        // To open something else, such as a pipe, could block for ever.
        Ok(metadata) if !metadata.is_file() => return Ok(None),
        Ok(metadata) => metadata.len(),
        Err(error) => return absent(&error).map(|()| None),
    };
    let most = u64::try_from(limit).unwrap_or(u64::MAX);
    if length > most {
        return Err(TransportError::TooLarge { limit }.into());
    }
    let mut bytes = Vec::new();
    let read = File::open(&file).and_then(|file| file.take(most).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(Some(bytes)),
        Err(error) => absent(&error).map(|()| None),
    }
}

/// Whether the error only says that there is no such file.
fn absent(error: &io::Error) -> Result<(), Failure> {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Ok(()),
        _ => Err(TransportError::Failed.into()),
    }
}

/// Writes the file at `path` in `folder` atomically: a reader sees the old file or the new one. Returns whether it changed.
pub(super) fn write(folder: &Path, path: &str, bytes: &[u8]) -> io::Result<bool> {
    let file = folder.join(path);
    if fs::read(&file).is_ok_and(|held| held == bytes) {
        return Ok(false);
    }
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent)?;
    }
    let partial = folder.join(format!("{path}.partial"));
    let mut writing = File::create(&partial)?;
    writing.write_all(bytes)?;
    writing.sync_all()?;
    drop(writing);
    fs::rename(&partial, &file)?;
    Ok(true)
}

/// Removes the mirrored files in `folder` itself that begin with `stem`, except `kept`; returns their paths.
pub(super) fn remove_others(folder: &Path, stem: &str, kept: &str) -> io::Result<Vec<String>> {
    let mut removed = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else { continue };
        let fork = name.strip_prefix(stem).and_then(|rest| rest.strip_prefix('.')?.strip_suffix(".ssz"));
        if fork.is_some() && name != kept {
            fs::remove_file(folder.join(name))?;
            removed.push(name.to_owned());
        }
    }
    Ok(removed)
}
