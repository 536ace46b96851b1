//! Lists on standard input and in files, and the addresses of `saldo balance`.

use std::io::{self, BufRead, Read};
use std::time::Duration;

use saldo::Address;
use tokio::sync::mpsc;

use crate::address;
use crate::encoding::{decode, line_after};
use crate::failure::CommandFailure;
use crate::file::{self, FileError};

/// The most bytes of a list: more than 100,000 addresses, or 50,000 claims.
const LIMIT: usize = 8 << 20;
/// How many wrong entries are named one by one.
const NAMED: usize = 20;
/// How many lines wait until they are read.
const QUEUE: usize = 32;

/// Reads the addresses of the command line.
///
/// # Errors
/// A usage failure that names each wrong argument with its number.
pub(crate) fn of_arguments(arguments: &[String]) -> Result<Vec<Address>, CommandFailure> {
    all(arguments.iter().map(String::as_str).enumerate(), "argument", arguments.len() > 1)
}

/// Reads a whole list from standard input: one address a line, the rest of a line after `#` is a remark.
///
/// # Errors
/// A usage failure that names each wrong line with its number. Then no address of the list is used.
pub(crate) async fn of_stdin() -> Result<Vec<Address>, CommandFailure> {
    let text = text_of_stdin().await?;
    let owners = all(without_remarks(&text), "line", true)?;
    if owners.is_empty() {
        let next = "Write one address a line; the rest of a line after # is a remark.";
        return Err(CommandFailure::usage("no_addresses", "standard input has no address", next));
    }
    Ok(owners)
}

/// Reads a whole list from standard input, as text.
///
/// # Errors
/// A usage failure: it cannot be read, is too large, or is no text.
pub(crate) async fn text_of_stdin() -> Result<String, CommandFailure> {
    let reading = tokio::task::spawn_blocking(|| read_list(io::stdin().lock()));
    let stopped = |_| CommandFailure::internal("standard input was not read", "Try again.");
    let (bytes, refused) = reading.await.map_err(stopped)?;
    if let Some(error) = refused {
        return Err(unreadable(line_after(&bytes), &error));
    }
    if bytes.len() > LIMIT {
        let detail = format!("the list on standard input is larger than {LIMIT} bytes");
        return Err(CommandFailure::usage("input_too_large", detail, "Split the list."));
    }
    decode(&bytes).map_err(|error| not_text("standard input, ", &error))
}

/// Reads a whole list from the file at `path`, as text, and waits at most `patience`.
///
/// # Errors
/// A usage failure, which does not repeat the path.
pub(crate) fn text_of_file(path: &str, patience: Duration) -> Result<String, CommandFailure> {
    let most = u64::try_from(LIMIT).unwrap_or(u64::MAX);
    file::read_text_up_to(path, most, patience.min(file::PATIENCE)).map_err(|error| match error {
        FileError::TooLarge(_) => {
            let detail = format!("the list is larger than {LIMIT} bytes");
            CommandFailure::usage("input_too_large", detail, "Split the list.")
        }
        FileError::NotText(error) => not_text("", &error),
        other => {
            let detail = format!("the list cannot be read: {other}");
            CommandFailure::usage("input_unreadable", detail, "Check the path of the list.")
        }
    })
}

/// The lines of a list that have an address, with their positions from 0 on.
fn without_remarks(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.split('\n').map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.enumerate().filter(|(_, line)| !line.is_empty())
}

fn all<'a>(
    entries: impl Iterator<Item = (usize, &'a str)>,
    what: &str,
    is_numbered: bool,
) -> Result<Vec<Address>, CommandFailure> {
    let (mut owners, mut wrong) = (Vec::new(), Vec::new());
    for (position, text) in entries {
        let number = position.saturating_add(1);
        match address::parse(text) {
            Ok(owner) => owners.push(owner),
            Err(failure) if is_numbered => wrong.push(failure.at(&format!("{what} {number}"))),
            Err(failure) => wrong.push(failure),
        }
    }
    if wrong.is_empty() { Ok(owners) } else { Err(CommandFailure::of_all(wrong, NAMED)) }
}

/// Everything that can be read, up to one byte more than the limit, and why the rest cannot.
fn read_list(input: impl Read) -> (Vec<u8>, Option<io::Error>) {
    let most = u64::try_from(LIMIT).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    // What was read before an error stays in `bytes`.
    let refused = input.take(most).read_to_end(&mut bytes).err();
    (bytes, refused)
}

fn unreadable(line: usize, error: &io::Error) -> CommandFailure {
    let detail = match error.kind() {
        io::ErrorKind::IsADirectory => "standard input is a folder".to_owned(),
        _ => format!("standard input cannot be read after line {}: {error}", line.saturating_sub(1)),
    };
    CommandFailure::usage("input_unreadable", detail, "Nothing was read. Give a file or a pipe as input.")
}

fn not_text(place: &str, error: &crate::encoding::NotText) -> CommandFailure {
    let next = "Save the list as UTF-8. Nothing of it was read.";
    CommandFailure::usage("input_not_text", format!("{place}{error}"), next)
}

/// One line of standard input, as it arrives.
pub(crate) type Line = Result<Address, CommandFailure>;

/// Reads standard input line by line, for a program that asks for one address after another. The channel ends with the
/// input, or after the first line that cannot be read.
pub(crate) fn line_by_line() -> mpsc::Receiver<Line> {
    let (lines, incoming) = mpsc::channel(QUEUE);
    tokio::task::spawn_blocking(move || {
        let mut input = io::stdin().lock();
        for number in 1_usize.. {
            let Some(line) = next_line(&mut input, number) else { return };
            let is_last = line.is_err();
            let line = match line.as_deref().map(|line| line.split('#').next().unwrap_or_default().trim()) {
                Ok("") => continue,
                Ok(line) => address::parse(line).map_err(|failure| failure.at(&format!("line {number}"))),
                Err(_) => line.map(|_| Address::ZERO),
            };
            if lines.blocking_send(line).is_err() || is_last {
                return;
            }
        }
    });
    incoming
}

/// The next line; `None` at the end of the input.
fn next_line(input: &mut impl BufRead, number: usize) -> Option<Result<String, CommandFailure>> {
    /// Longer than any address with a remark.
    const LONGEST: u64 = 4_096;
    let mut bytes = Vec::new();
    match input.take(LONGEST).read_until(b'\n', &mut bytes) {
        Err(error) => Some(Err(unreadable(number, &error))),
        Ok(0) => None,
        Ok(_) => Some(decode(&bytes).map_err(|_| {
            let detail = format!("line {number}: a character is not UTF-8");
            CommandFailure::usage("input_not_text", detail, "Write UTF-8.")
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken<'a>(&'a [u8]);

    impl Read for Broken<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::other("the disk failed")),
                read => Ok(read),
            }
        }
    }

    #[test]
    fn a_read_error_keeps_the_line_at_which_it_came() {
        let (bytes, refused) = read_list(Broken(b"0x12\n0x13\n0x"));
        assert_eq!(line_after(&bytes), 3);
        let shown = format!("{:?}", unreadable(line_after(&bytes), &refused.unwrap()));
        assert!(shown.contains("after line 2: the disk failed"), "{shown}");
    }

    #[test]
    fn a_list_without_an_end_is_read_up_to_its_limit() {
        let (bytes, refused) = read_list(io::repeat(0));
        assert_eq!((bytes.len(), refused.is_none()), (LIMIT + 1, true));
    }
}
