//! `saldo evidence save`: reads a balance, and saves the false proofs that providers sent.

use saldo::Holding;

use super::arguments::SaveArguments;
use crate::failure::CommandFailure;
use crate::network_file::replace;
use crate::{address, print, setup, tokens};

/// Reads, and saves the evidence. Returns the exit status: 0 if there is any, else 3.
///
/// # Errors
/// A [`CommandFailure`] if the command itself fails.
pub(crate) async fn run(arguments: SaveArguments) -> Result<u8, CommandFailure> {
    let owner = address::parse(&arguments.address)?;
    let named = tokens::of_arguments(&arguments.token)?;
    let (client, _, exchange_check) = setup::client(&arguments.client_options())?;
    let network = client.network_id();
    let of_token = named.iter().map(|token| Holding::erc20(network, owner, *token));
    let holdings: Vec<Holding> = std::iter::once(client.native(owner)).chain(of_token).collect();
    // The amounts are not the matter here.
    let readings = client.read_patiently(&holdings, arguments.timeout).await;
    let evidence = client.evidence();
    if evidence.is_empty() {
        if let Some(exchanged) = exchange_check.run(&readings).await? {
            return Err(exchanged);
        }
        print("no provider sent a false proof; no file was written")?;
        return Ok(3);
    }
    let lines: String = evidence.iter().map(|one| format!("{}\n", one.to_json())).collect();
    replace(&arguments.out, lines.as_bytes()).map_err(|error| {
        let detail = format!("the file of --out cannot be written: {error}");
        CommandFailure::usage("out_file", detail, "Name a file in a folder that you may write to.")
    })?;
    for one in &evidence {
        print(&format!("{}: {}", one.provider(), one.reason()))?;
    }
    let count = evidence.len();
    let proofs = if count == 1 { "proof" } else { "proofs" };
    print(&format!(
        "saved {}: {count} false {proofs}. It names the address, and no provider.",
        arguments.out.display()
    ))?;
    Ok(0)
}
