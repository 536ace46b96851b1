//! `saldo token`: what a token is, and how its balances can be proven.

mod json;
mod text;

use saldo::{Provability, TokenReading};

use crate::arguments::TokenArguments;
use crate::failure::CommandFailure;
use crate::{print, setup, tokens};

/// Looks at the token and prints what was proven. Returns the exit status: 0 if balances of the token can be proven, 3 if nothing was
/// proven and trying again may help, 4 if its balances cannot be proven, or the user must act.
///
/// # Errors
/// A [`CommandFailure`] if the command itself fails.
pub(crate) async fn run(arguments: TokenArguments) -> Result<u8, CommandFailure> {
    let token = tokens::parse(&arguments.token)?;
    let (client, chain_check, _) = setup::client(&arguments.client_options())?;
    let reading = client.token(token).await;
    if let (TokenReading::Proven(_), Some(check)) = (&reading, chain_check) {
        check.run().await?;
    }
    if arguments.json {
        print(&json::reading(&client, token, &reading).to_string())?;
    } else {
        print(&text::reading(&client, token, &reading))?;
    }
    Ok(match reading {
        TokenReading::Proven(proven) if proven.description().provability() == Provability::Slot => 0,
        TokenReading::Unknown(unknown) if !unknown.why().needs_action() => 3,
        TokenReading::Proven(_) | TokenReading::Unknown(_) => 4,
    })
}
