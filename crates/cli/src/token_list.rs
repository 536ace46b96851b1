//! `--token-list`: a token list from a file or a URL. Its author is believed for symbols and decimals, never for an amount.

use std::time::Duration;

use saldo::{Endpoint, Method, Request, Response, TokenList, Transport, TransportError};

use crate::failure::CommandFailure;
use crate::file::{self, PATIENCE};
use crate::setup;

/// Reads the token list at `place`, a file or a URL. Errors do not repeat `place`: a URL is a secret.
///
/// # Errors
/// A failure that says why there is no list.
pub(crate) async fn read(place: &str, patience: Duration) -> Result<TokenList, CommandFailure> {
    let patience = patience.min(PATIENCE);
    let bytes = if place.contains("://") {
        fetch(place, patience).await?
    } else {
        let most = u64::try_from(TokenList::MAX_BYTES).unwrap_or(u64::MAX);
        let text = file::read_text_up_to(place, most, patience).map_err(|error| {
            unusable(&format!("the token list cannot be read: {error}"), "Check the path after --token-list.")
        })?;
        text.into_bytes()
    };
    TokenList::from_json(&bytes).map_err(|error| {
        // The error of the parser is not shown: it can quote the list.
        let detail = match error {
            saldo::ListError::Malformed(_) => "it is not JSON with a list `tokens`".to_owned(),
            other => other.to_string(),
        };
        let next = "Give a token list in the Uniswap schema: https://uniswap.org/tokenlist.schema.json";
        unusable(&format!("the token list cannot be used: {detail}"), next)
    })
}

fn unusable(detail: &str, next_step: &str) -> CommandFailure {
    CommandFailure::usage("token_list", detail, next_step)
}

async fn fetch(url: &str, timeout: Duration) -> Result<Vec<u8>, CommandFailure> {
    let source = Endpoint::new(url).map_err(|error| {
        let next = "Write --token-list https://host/path, or the path of a file.";
        CommandFailure::usage("not_a_url", format!("--token-list: {error}"), next)
    })?;
    if !source.is_private() {
        let next = "Use https, or download the list and give the file.";
        let detail =
            "--token-list: the URL must be https, or of this machine: the list is believed without proof";
        return Err(CommandFailure::usage("not_a_url", detail, next));
    }
    let request = Request {
        method: Method::Get,
        url: source.url().clone(),
        headers: vec![("accept", "application/json".to_owned())],
        body: Vec::new(),
        timeout,
        max_bytes: TokenList::MAX_BYTES,
    };
    let transport = setup::http_transport()?;
    let sent = tokio::time::timeout(timeout, transport.send(request)).await;
    let failed = |code: &'static str, what: String| {
        let next = "Check the URL, try again, or download the list and give the file.";
        CommandFailure::failed(code, format!("{}: the token list did not come: {what}", source.id()), next)
    };
    match sent.unwrap_or(Err(TransportError::Timeout { after: timeout })) {
        Ok(Response { status: 200, body, .. }) => Ok(body),
        Ok(Response { status: status @ 300..400, .. }) => {
            Err(failed("moved", format!("HTTP {status}, and saldo follows no redirect")))
        }
        Ok(Response { status, .. }) => Err(failed("http", format!("HTTP {status}"))),
        Err(error) => Err(failed("unreachable", error.to_string())),
    }
}
