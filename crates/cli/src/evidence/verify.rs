//! `saldo evidence verify`: checks evidence, without any request.

use saldo::proof_files::{FalseProof, VerifiedProofFile};

use super::arguments::VerifyArguments;
use crate::failure::CommandFailure;
use crate::file::{self, PATIENCE};
use crate::print;
use crate::proof::verify::{Outcome, check};
use crate::text::{good, warn};

/// The most bytes of a file: as many false proofs as a client keeps.
const MOST: u64 = 16 << 20;

/// Checks the evidence and prints what it shows, and what it cannot show. Returns the exit status: 0 if all of it is what it says,
/// else 4.
///
/// # Errors
/// A [`CommandFailure`] if the command itself fails.
pub(crate) fn run(arguments: &VerifyArguments) -> Result<u8, CommandFailure> {
    let read = file::read_up_to(&arguments.file, MOST, PATIENCE).map_err(|error| {
        let detail = format!("the evidence cannot be read: {error}");
        CommandFailure::usage("evidence_file", detail, "Check the path of the evidence.")
    })?;
    let beside = beside(arguments)?;
    let lines = read.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let (mut count, mut is_shown) = (0_usize, true);
    for line in lines {
        count = count.saturating_add(1);
        match FalseProof::verify(line) {
            Ok(found) => {
                print(&format!("{count}: {}", said(&found)))?;
                if let Some(verified) = &beside {
                    let is_of = (verified.hash(), verified.state_root(), verified.number())
                        == (found.hash(), found.state_root(), found.number());
                    print(&block_line(verified, is_of))?;
                    is_shown &= is_of;
                }
            }
            Err(error) => {
                print(&format!("{count}: {}: {error}", warn("no evidence")))?;
                is_shown = false;
            }
        }
    }
    if count == 0 {
        print(&warn("the file has no evidence"))?;
        return Ok(4);
    }
    let [sender, root] = FalseProof::CANNOT_SHOW;
    print(sender)?;
    if beside.is_none() {
        print(root)?;
    }
    Ok(if is_shown { 0 } else { 4 })
}

fn beside(arguments: &VerifyArguments) -> Result<Option<VerifiedProofFile>, CommandFailure> {
    let Some(path) = &arguments.proof else { return Ok(None) };
    match check(path, &arguments.trust)? {
        Outcome::Verified(verified) => Ok(Some(verified)),
        Outcome::Assumed(_) => Err(CommandFailure::usage(
            "no_trusted_root",
            "a proof file shows nothing without a trusted root",
            "Give --checkpoint or --committee, from a source that you trust.",
        )),
        Outcome::Refused(error) => Err(CommandFailure::usage(
            "proof_file",
            format!("the proof file is refused: {error}"),
            "Give a proof file of the same block.",
        )),
    }
}

fn said(found: &FalseProof) -> String {
    let part = match found.key() {
        Some(key) => format!("slot {key} of the account {}", found.address()),
        None => format!("the account {}", found.address()),
    };
    let elsewhere = match found.other_root() {
        Some(other) => format!(
            "\n   It is a complete proof under another root, {other}: of another block, of another chain, or made up."
        ),
        None => String::new(),
    };
    format!(
        "{}: the reply does not prove {part}\n   under the state root {}, which the evidence gives for block {} ({}):\n   {}{elsewhere}",
        good("false proof"),
        found.state_root(),
        found.number(),
        found.hash(),
        found.refusal()
    )
}

fn block_line(verified: &VerifiedProofFile, is_of: bool) -> String {
    if is_of {
        format!(
            "   The proof file shows that the chain has this block, with this root. It rests on: {}.",
            verified.rests_on()
        )
    } else {
        warn("   The proof file is of another block: it shows nothing about this one.")
    }
}
