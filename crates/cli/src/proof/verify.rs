//! `saldo proof verify`: checks a file, without any request.

use std::time::{SystemTime, UNIX_EPOCH};

use saldo::proof_files::limit::MAX_BYTES;
use saldo::proof_files::{BalanceProof, FileError, Trust, TrustRoot, VerifiedProofFile, verify};
use saldo::{B256, Checkpoint, Network, UnixTime};

use super::arguments::{TrustArguments, VerifyArguments};
use super::{json, text};
use crate::failure::CommandFailure;
use crate::file::{self, PATIENCE};
use crate::{print, setup};

/// What became of a file.
pub(crate) enum Outcome {
    /// It proves its amounts to a reader who trusts what was given.
    Verified(VerifiedProofFile),
    /// Nothing was given to trust. It would prove its amounts to a reader who trusts the block that it names itself.
    Assumed(VerifiedProofFile),
    /// It proves nothing.
    Refused(FileError),
}

/// Checks the file and prints the result. Returns the exit status: 0 if it proves its amounts, else 4.
///
/// # Errors
/// A [`CommandFailure`] if the command itself fails.
pub(crate) fn run(arguments: &VerifyArguments) -> Result<u8, CommandFailure> {
    let outcome = check(&arguments.file, &arguments.trust)?;
    let now = now();
    if arguments.json {
        print(&json::outcome(&outcome, now).to_string())?;
    } else {
        print(&text::outcome(&outcome, now))?;
    }
    Ok(match outcome {
        Outcome::Verified(_) => 0,
        Outcome::Assumed(_) | Outcome::Refused(_) => 4,
    })
}

/// Checks the file at `path`.
///
/// # Errors
/// A [`CommandFailure`] if the file cannot be read, or what is trusted is not well written.
pub(crate) fn check(path: &str, trust: &TrustArguments) -> Result<Outcome, CommandFailure> {
    let name = trust.network.clone().or_else(|| std::env::var("SALDO_NETWORK").ok());
    let network = setup::network(name.as_deref().unwrap_or("mainnet"), PATIENCE)?.network;
    let given = given(trust)?;
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    let bytes = file::read_up_to(path, limit, PATIENCE).map_err(|error| {
        let detail = format!("the file cannot be read: {error}");
        CommandFailure::usage("proof_file", detail, "Check the path of the proof file.")
    })?;
    let checked = match given {
        Some(root) => verify(&bytes, &Trust::new(network, root)).map(Outcome::Verified),
        None => assume(&bytes, network),
    };
    Ok(checked.unwrap_or_else(Outcome::Refused))
}

fn assume(bytes: &[u8], network: Network) -> Result<Outcome, FileError> {
    let claimed = BalanceProof::decode(bytes, &network)?.claimed_checkpoint();
    verify(bytes, &Trust::new(network, TrustRoot::Checkpoint(claimed))).map(Outcome::Assumed)
}

fn given(trust: &TrustArguments) -> Result<Option<TrustRoot>, CommandFailure> {
    if let Some(text) = &trust.checkpoint {
        let checkpoint = text.parse::<Checkpoint>().map_err(|error| {
            let next = "Copy the checkpoint again: --checkpoint ROOT or ROOT@SLOT.";
            CommandFailure::usage("not_a_checkpoint", error, next)
        })?;
        return Ok(Some(TrustRoot::Checkpoint(checkpoint)));
    }
    let Some(text) = &trust.committee else { return Ok(None) };
    let malformed = || {
        let detail =
            "a committee is written as 0xROOT or 0xROOT@PERIOD, with a root of 64 hexadecimal digits";
        CommandFailure::usage("not_a_committee", detail, "Copy the root of the sync committee again.")
    };
    let (root, period) = match text.split_once('@') {
        Some((root, period)) => (root, Some(period.parse().map_err(|_| malformed())?)),
        None => (text.as_str(), None),
    };
    if !root.starts_with("0x") {
        return Err(malformed());
    }
    let root: B256 = root.parse().map_err(|_| malformed())?;
    Ok(Some(TrustRoot::Committee { root, period }))
}

/// The time by this machine's clock.
fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_secs(since.as_secs())
}
