//! `saldo proof save`: reads a balance, and saves its proof.

use std::path::Path;

use saldo::proof_files::{BalanceProof, Committee, Form, MEDIA_TYPE};
use saldo::{Attempt, Client, Holding, ProofFileError, Proven, Reading};

use super::arguments::SaveArguments;
use crate::failure::CommandFailure;
use crate::network_file::replace;
use crate::say::say;
use crate::tokens::{self, Tokens};
use crate::{address, print, setup, text};

/// Reads, and saves the file. Returns the exit status.
///
/// # Errors
/// A [`CommandFailure`] if the command itself fails.
pub(crate) async fn run(arguments: SaveArguments) -> Result<u8, CommandFailure> {
    let owner = address::parse(&arguments.address)?;
    let named = tokens::of_arguments(&arguments.token)?;
    let (client, chain_check, exchange_check) = setup::client(&arguments.client_options())?;
    let network = client.network_id();
    let mut holdings: Vec<Holding> =
        named.iter().map(|token| Holding::erc20(network, owner, *token)).collect();
    if arguments.coin || named.is_empty() {
        holdings.insert(0, client.native(owner));
    }
    let tokens = Tokens::new(named, None, client.network_id())?;
    let readings = client.read_patiently(&holdings, arguments.timeout).await;
    let proven: Vec<Proven> = readings.iter().filter_map(Reading::proven).cloned().collect();
    if let Some(exchanged) = exchange_check.run(&readings).await? {
        return Err(exchanged);
    }
    if proven.len() < holdings.len() {
        return not_proven(&client, &tokens, &holdings, &readings);
    }
    if let Some(check) = chain_check {
        check.run().await?;
    }
    for (holding, reading) in holdings.iter().zip(&readings) {
        print(&text::reading(&client, &tokens, holding, reading, text::Detail::Usual))?;
    }
    match client.proof(&proven, arguments.form.into()).await {
        Ok(file) => save(&file, &arguments.out, client.network().name()),
        Err(error) => failed(&error),
    }
}

fn not_proven(
    client: &Client,
    tokens: &Tokens,
    holdings: &[Holding],
    readings: &[Reading],
) -> Result<u8, CommandFailure> {
    for (holding, reading) in holdings.iter().zip(readings) {
        print(&text::reading(client, tokens, holding, reading, text::Detail::Usual))?;
    }
    say("no file was written: not everything is proven");
    let needs_action = readings.iter().filter_map(Reading::why).any(|why| why.needs_action());
    Ok(if needs_action { 4 } else { 3 })
}

fn save(file: &BalanceProof, out: &Path, network: &str) -> Result<u8, CommandFailure> {
    let bytes = file.encode();
    replace(out, &bytes).map_err(|error| {
        let detail = format!("the file of --out cannot be written: {error}");
        CommandFailure::usage("out_file", detail, "Name a file in a folder that you may write to.")
    })?;
    let (length, form) = (bytes.len(), file.form().code());
    print(&format!("saved {}: {length} bytes, {form}, {MEDIA_TYPE}", out.display()))?;
    let checkpoint = file.claimed_checkpoint();
    let network = if network == "mainnet" { String::new() } else { format!(" --network {network}") };
    let command = format!("saldo proof verify {}{network}", out.display());
    let by_checkpoint = format!("A reader checks it with: {command} --checkpoint {checkpoint}");
    let note = match (file.form(), file.committee()) {
        (Form::Compact, Committee::Compact(proof)) => {
            let root = proof.committee.hash_tree_root(&file.head().sync_aggregate).unwrap_or_default();
            format!("{by_checkpoint}\n  or with --committee {root}")
        }
        _ => by_checkpoint,
    };
    print(&format!("{note}\n  The reader must know that root from another source than you."))?;
    Ok(0)
}

fn failed(error: &ProofFileError) -> Result<u8, CommandFailure> {
    let attempts: &[Attempt] = match error {
        ProofFileError::Headers { attempts }
        | ProofFileError::LightClientData { attempts }
        | ProofFileError::Proofs { attempts } => attempts,
        ProofFileError::Refused(_) | ProofFileError::OtherAmount => {
            return Err(CommandFailure::internal(
                error,
                "Try again, and report this with the block's number.",
            ));
        }
        _ => &[],
    };
    say(format_args!("no file was written: {error}"));
    attempts.iter().for_each(|attempt| say(format_args!("  {}", text::attempt_line(attempt))));
    Ok(3)
}
