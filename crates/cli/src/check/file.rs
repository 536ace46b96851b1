//! The file of `--output`: one verdict a line. A second run goes on after what is in it.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::path::Path;

use serde::Deserialize;

use super::line::ClaimForm;
use crate::failure::CommandFailure;

/// Longer than any line: a verdict lists at most some hundred requests.
const LONGEST: u64 = 1 << 20;

/// The file, with a lock on it.
pub(crate) struct VerdictFile {
    file: File,
    /// The claims that have a verdict in it, each with the code of the newest one. Those that were not checked are left out.
    settled: HashMap<ClaimForm, String>,
}

/// What is read of a line. Other keys are for people and programs.
#[derive(Deserialize)]
struct Line {
    schema: String,
    verdict: String,
    claim: ClaimForm,
}

impl VerdictFile {
    /// Opens the file at `path`, or creates it, and reads what is in it.
    ///
    /// # Errors
    /// A usage failure if it has anything other than verdicts: then it is left as it is.
    pub(crate) fn open(path: &Path) -> Result<Self, CommandFailure> {
        let cannot = |error: &io::Error| {
            let detail = format!("the file of --output cannot be used: {error}");
            CommandFailure::usage("output_file", detail, "Check the path after --output.")
        };
        if path.metadata().is_ok_and(|known| !known.is_file()) {
            return Err(cannot(&io::Error::other("it is not a regular file")));
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).open(path).map_err(|error| cannot(&error))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                return Err(cannot(&io::Error::other("another `saldo check` writes to it")));
            }
            // Not every file system has locks.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let (settled, whole) = read(&file)?;
        // What follows the last line break is a line that a stopped run did not finish.
        if file.metadata().is_ok_and(|known| known.len() > whole) {
            file.set_len(whole).map_err(|error| cannot(&error))?;
        }
        Ok(Self { file, settled })
    }

    /// The code of the verdict on `claim`, unless it has none, or was not checked.
    pub(crate) fn verdict_on(&self, claim: &ClaimForm) -> Option<&str> {
        self.settled.get(claim).map(String::as_str)
    }

    /// Appends `lines`, and waits until they are on the disk.
    ///
    /// # Errors
    /// A failure of this machine.
    pub(crate) fn append(&mut self, lines: &[String]) -> Result<(), CommandFailure> {
        let mut text = lines.join("\n");
        text.push('\n');
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|error| match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => CommandFailure::internal(
                "the file of --output cannot be written: no space is left",
                "Free some space, and run it again.",
            ),
            _ => CommandFailure::internal(
                format!("the file of --output cannot be written: {error}"),
                "Check the file, and run it again: it goes on after what is written.",
            ),
        })
    }
}

/// Reads all whole lines, and counts their bytes.
fn read(file: &File) -> Result<(HashMap<ClaimForm, String>, u64), CommandFailure> {
    let foreign = |number: usize| {
        let detail =
            format!("the file of --output has something other than verdicts of saldo, at line {number}");
        CommandFailure::usage(
            "output_file",
            detail,
            "Name another file after --output: this one is left as it is.",
        )
    };
    let (mut settled, mut whole) = (HashMap::new(), 0_u64);
    let mut input = BufReader::new(file);
    for number in 1_usize.. {
        let mut bytes = Vec::new();
        input.by_ref().take(LONGEST).read_until(b'\n', &mut bytes).map_err(|error| {
            let detail = format!("the file of --output cannot be read: {error}");
            CommandFailure::usage("output_file", detail, "Check the path after --output.")
        })?;
        let read = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if bytes.last() != Some(&b'\n') {
            let is_unfinished = bytes.is_empty() || bytes.first() == Some(&b'{') && read < LONGEST;
            return if is_unfinished { Ok((settled, whole)) } else { Err(foreign(number)) };
        }
        let line: Line = serde_json::from_slice(&bytes).map_err(|_| foreign(number))?;
        match (line.schema.as_str(), line.verdict.as_str()) {
            ("saldo.verdict/1", "not_checked") => drop(settled.remove(&line.claim)),
            ("saldo.verdict/1", "confirmed" | "changed" | "different") => {
                settled.insert(line.claim, line.verdict);
            }
            _ => return Err(foreign(number)),
        }
        whole = whole.saturating_add(read);
    }
    Ok((settled, whole))
}
