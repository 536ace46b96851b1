//! `saldo network codes`: which codes the contracts of a rollup run, and a profile that names them.

mod arguments;
mod file;
mod json;
mod text;

use std::path::Path;

use saldo::{Code, Contract, NotProven, Profile, RollupCodes};

pub(crate) use arguments::CodesArguments;

use crate::failure::CommandFailure;
use crate::network_file::create_new;
use crate::{print, setup};

/// What was read, and what follows for the profile.
struct Read {
    /// The profile that was given.
    before: Profile,
    /// The one with the codes that were read.
    pinned: Profile,
    codes: RollupCodes,
}

/// Reads the codes, prints them, and writes the profile if a file is named. Returns the exit status: 0 if the profile with these codes
/// proves balances, 3 if nothing was proven and trying again may help, 4 if a code is not known, or the user must act.
///
/// # Errors
/// A [`CommandFailure`] if the command itself fails.
pub(super) async fn run(arguments: CodesArguments) -> Result<u8, CommandFailure> {
    let out = arguments.out.as_deref();
    if out.is_some_and(|path| path.symlink_metadata().is_ok()) {
        return Err(exists());
    }
    let endpoints = arguments.endpoints();
    let (profile, l1) = setup::choose_rollup(&endpoints, &arguments.l1_rpc_url, arguments.timeout)?;
    let (client, chain_check, _) = setup::build(l1, &arguments.client_options(&endpoints))?;
    let codes = match client.rollup_codes(&profile).await {
        Ok(codes) => codes,
        Err(not_proven) => return nothing(&profile, &not_proven, arguments.json),
    };
    if let Some(check) = chain_check {
        check.run().await?;
    }
    let pinned = profile.pinned(codes.observed(), codes.anchor().timestamp());
    let read = Read { before: profile, pinned, codes };
    if let Some(path) = out {
        write(path, &file::text(&read))?;
    }
    match arguments.json {
        true => print(&json::read(&client, &read, out).to_string())?,
        false => print(&text::read(&client, &read, out))?,
    }
    Ok(if read.pinned.is_pinned() { 0 } else { 4 })
}

fn nothing(profile: &Profile, not_proven: &NotProven, as_json: bool) -> Result<u8, CommandFailure> {
    match as_json {
        true => print(&json::nothing(profile, not_proven).to_string())?,
        false => print(&text::nothing(profile, not_proven))?,
    }
    Ok(if not_proven.why().needs_action() { 4 } else { 3 })
}

fn write(path: &Path, text: &str) -> Result<(), CommandFailure> {
    create_new(path, text.as_bytes()).map(drop).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(),
        _ => {
            let detail = format!("the file of --out cannot be written: {error}");
            CommandFailure::usage("out_file", detail, "Name a file in a folder that you may write to.")
        }
    })
}

fn exists() -> CommandFailure {
    let detail = "the file of --out exists, and a profile is never replaced";
    CommandFailure::usage("out_file", detail, "Name a file that does not exist yet.")
}

impl Read {
    /// Whether the profile that is written names this code.
    fn is_named(&self, code: &Code) -> bool {
        self.pinned.names(code)
    }

    /// Whether it is known what the storage of this code means.
    fn is_known(&self, code: &Code) -> bool {
        code.release().is_some() || self.before.names(code)
    }

    /// What is known of a code, for people.
    fn known(&self, code: &Code) -> String {
        match code.release() {
            Some(release) if release.parameters.is_empty() => format!("{} {}", release.name, release.version),
            Some(release) => format!("{} {}: {}", release.name, release.version, release.parameters),
            None if self.before.names(code) => "named by the profile that was given".to_owned(),
            None => "not known: no release that saldo knows has this code".to_owned(),
        }
    }
}

/// A contract, for people.
fn contract(code: &Code) -> String {
    match (code.contract, code.game_type) {
        (Contract::Game, Some(game_type)) if code.address == code.implementation => {
            format!("next games of type {game_type}")
        }
        (Contract::Game, Some(game_type)) => format!("game of type {game_type}"),
        (Contract::Game, None) => "game that the registry is anchored to".to_owned(),
        (Contract::SuperchainConfig, _) => "contract that pauses".to_owned(),
        (contract, _) => contract.code().to_owned(),
    }
}
