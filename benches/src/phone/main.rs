//! What saldo costs an app on a phone, measured through the interface of the other languages.
//!
//!     cargo run --release -p saldo-benches --bin phone [-- --check]
//!     cargo run --profile mobile -p saldo-benches --bin phone
//!
//! - Start: the processor time of a process that opens a storage and gets its first remembered reading, compared with a process that
//!   only reads the same file.
//! - Memory: the peak of a process that watches 100 holdings over loopback, compared with one that sends one request.
//! - Battery: requests, wake-ups and bytes of an hour in each pace, in virtual time. `docs/mobile.md` has the table, and `--check`
//!   compares it.

mod app;
mod battery;
mod memory;
mod start;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};

type Failure = Box<dyn std::error::Error>;

/// Measures what saldo costs an app on a phone.
#[derive(Parser)]
#[command(name = "phone")]
struct Arguments {
    /// End with status 1 if a limit is missed, or the document has another table.
    #[arg(long)]
    check: bool,
    #[command(subcommand)]
    child: Option<Child>,
}

/// One of the processes that are compared. This program starts them.
#[derive(Clone, Subcommand)]
enum Child {
    /// Reads the stored entries and nothing more.
    #[command(hide = true)]
    BareStart { folder: PathBuf },
    /// Opens a client with the stored entries and gets a remembered reading.
    #[command(hide = true)]
    Start { folder: PathBuf },
    /// Sends one request.
    #[command(hide = true)]
    BareWatch { folder: PathBuf },
    /// Watches 100 holdings.
    #[command(hide = true)]
    Watch { folder: PathBuf },
}

fn main() -> ExitCode {
    let Arguments { check, child } = Arguments::parse();
    let outcome = match child {
        None => measure(check),
        Some(child) => run(child).map(|figure| {
            println!("{figure}");
            true
        }),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(child: Child) -> Result<u64, Failure> {
    match child {
        Child::BareStart { folder } => start::bare(&folder),
        Child::Start { folder } => start::open(&folder),
        Child::BareWatch { folder } => memory::bare(&folder),
        Child::Watch { folder } => memory::watch(&folder),
    }
}

/// Measures everything; `false` if a limit is to be checked and is missed.
fn measure(check: bool) -> Result<bool, Failure> {
    let start = start::measure()?;
    let memory = memory::measure()?;
    let battery = battery::measure()?;
    Ok(!check || (start && memory && battery))
}

/// Starts this program as the process `name` and returns the figure that it prints.
fn figure_of(name: &str, folder: &Path) -> Result<u64, Failure> {
    let output = Command::new(std::env::current_exe()?).arg(name).arg(folder).output()?;
    let text = String::from_utf8(output.stdout)?;
    text.trim().parse().map_err(|_| format!("{name}: {}", String::from_utf8_lossy(&output.stderr)).into())
}

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("saldo-phone-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
