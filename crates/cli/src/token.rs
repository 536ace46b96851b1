//! `saldo token`: what a token is, and how its balances can be proven.

mod json;
mod text;
mod trial;

use saldo::TokenReading;

use crate::arguments::TokenArguments;
use crate::failure::CommandFailure;
use crate::{print, setup, tokens};
use trial::{Provable, Trial};

/// Looks at the token and prints what was proven. Returns the exit status: 0 if balances of the token can be proven, 3 if nothing was
/// proven and trying again may help, 4 if its balances cannot be proven, or the user must act.
///
/// # Errors
/// A [`CommandFailure`] if the command itself fails.
pub(crate) async fn run(arguments: TokenArguments) -> Result<u8, CommandFailure> {
    let token = tokens::parse(&arguments.token)?;
    let (client, chain_check, exchange_check) = setup::client(&arguments.client_options())?;
    let reading = client.token(token).await;
    match (&reading, chain_check) {
        (TokenReading::Proven(_), Some(check)) => check.run().await?,
        (TokenReading::Proven(_), None) => {}
        (TokenReading::Unknown(unknown), _) => {
            if let Some(exchanged) = exchange_check.run_after(unknown.attempts().iter()).await? {
                return Err(exchanged);
            }
        }
    }
    let trial = match &reading {
        TokenReading::Proven(proven) => {
            Some(Trial::of(&client, proven.description(), arguments.timeout).await)
        }
        TokenReading::Unknown(_) => None,
    };
    if arguments.json {
        print(&json::reading(&client, token, &reading, trial.as_ref()).to_string())?;
    } else {
        print(&text::reading(&client, token, &reading, trial.as_ref()))?;
    }
    Ok(match (&reading, trial.map(|trial| trial.provable())) {
        (_, Some(Provable::Slot | Provable::Execution)) => 0,
        (_, Some(Provable::NotNow)) => 3,
        (TokenReading::Unknown(unknown), _) if !unknown.why().needs_action() => 3,
        _ => 4,
    })
}
