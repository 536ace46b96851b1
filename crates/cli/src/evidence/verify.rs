//! `saldo evidence verify`: checks evidence, without any request.

use saldo::proof_files::{FalseProof, FalseProofError, VerifiedProofFile};
use serde_json::{Value, json};

use super::arguments::VerifyArguments;
use crate::failure::CommandFailure;
use crate::file::{self, PATIENCE};
use crate::print;
use crate::proof::verify::{Outcome, check};
use crate::text::{good, warn};

/// The most bytes of a file: as many false proofs as a client keeps.
const MOST: u64 = 16 << 20;

/// One reply of the file, checked.
struct Checked {
    found: Result<FalseProof, FalseProofError>,
    /// Whether the proof file beside it shows that the chain has its block; `None` if there is no such file, or no false proof.
    is_of_chain: Option<bool>,
}

impl Checked {
    fn new(line: &[u8], beside: Option<&VerifiedProofFile>) -> Self {
        let found = FalseProof::verify(line);
        let is_of = |found: &FalseProof, verified: &VerifiedProofFile| {
            (verified.hash(), verified.state_root(), verified.number())
                == (found.hash(), found.state_root(), found.number())
        };
        let is_of_chain = found.as_ref().ok().zip(beside).map(|(found, verified)| is_of(found, verified));
        Self { found, is_of_chain }
    }

    fn is_shown(&self) -> bool {
        self.found.is_ok() && self.is_of_chain.unwrap_or(true)
    }
}

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
    let mut is_shown = None;
    for (line, number) in lines.zip(1_usize..) {
        let checked = Checked::new(line, beside.as_ref());
        if arguments.json {
            print(&json(number, &checked).to_string())?;
        } else {
            print_text(number, &checked, beside.as_ref())?;
        }
        is_shown = Some(is_shown.unwrap_or(true) && checked.is_shown());
    }
    if !arguments.json {
        print_limits(is_shown.is_some(), beside.is_some())?;
    }
    Ok(if is_shown == Some(true) { 0 } else { 4 })
}

fn print_text(
    number: usize,
    checked: &Checked,
    beside: Option<&VerifiedProofFile>,
) -> Result<(), CommandFailure> {
    match &checked.found {
        Ok(found) => print(&format!("{number}: {}", said(found)))?,
        Err(error) => print(&format!("{number}: {}: {error}", warn("no evidence")))?,
    }
    match beside.zip(checked.is_of_chain) {
        Some((verified, is_of)) => print(&block_line(verified, is_of)),
        None => Ok(()),
    }
}

fn print_limits(has_evidence: bool, has_proof_file: bool) -> Result<(), CommandFailure> {
    if !has_evidence {
        return print(&warn("the file has no evidence"));
    }
    let [sender, root] = FalseProof::CANNOT_SHOW;
    print(sender)?;
    if has_proof_file { Ok(()) } else { print(root) }
}

/// One reply of the file as an object with all keys, by `docs/saldo.evidence-verdict-1.schema.json`.
fn json(number: usize, checked: &Checked) -> Value {
    let found = checked.found.as_ref().ok();
    json!({
        "schema": "saldo.evidence-verdict/1",
        "line": number,
        "is_false_proof": found.is_some(),
        "address": found.map(FalseProof::address),
        "key": found.and_then(FalseProof::key),
        "block": found.map(|found| json!({
            "number": found.number(),
            "hash": found.hash(),
            "state_root": found.state_root().get(),
        })),
        "reason": found.map(|found| found.refusal().to_string()),
        "other_root": found.and_then(FalseProof::other_root).map(|root| root.get()),
        "is_of_chain": checked.is_of_chain,
        "error": checked.found.as_ref().err().map(ToString::to_string),
    })
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
