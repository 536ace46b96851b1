//! `saldo evidence`: false proofs of providers, as a file that another person checks.

pub(crate) mod arguments;
mod save;
mod verify;

use crate::failure::CommandFailure;
use arguments::{EvidenceArguments, EvidenceCommand};

/// Runs the subcommand. Returns the exit status.
///
/// # Errors
/// A [`CommandFailure`] if the command itself fails.
pub(crate) async fn run(arguments: EvidenceArguments) -> Result<u8, CommandFailure> {
    match arguments.command {
        EvidenceCommand::Save(arguments) => save::run(arguments).await,
        EvidenceCommand::Verify(arguments) => verify::run(&arguments),
    }
}
