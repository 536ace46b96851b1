//! `saldo proof`: a proven balance as a file that another person checks.

pub(crate) mod arguments;
mod json;
mod save;
mod text;
pub(crate) mod verify;

use crate::failure::CommandFailure;
use arguments::{ProofArguments, ProofCommand};

/// Runs the subcommand. Returns the exit status.
///
/// # Errors
/// A [`CommandFailure`] if the command itself fails.
pub(crate) async fn run(arguments: ProofArguments) -> Result<u8, CommandFailure> {
    match arguments.command {
        ProofCommand::Save(arguments) => save::run(arguments).await,
        ProofCommand::Verify(arguments) => verify::run(&arguments),
    }
}
