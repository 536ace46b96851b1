//! The arguments of `saldo network codes`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::arguments::{EndpointArguments, duration};
use crate::setup::ClientOptions;

#[derive(Args)]
#[command(after_help = "\
No request goes to the rollup: its contracts are read on its L1, under a finalized block, by proofs.
A profile that names codes refuses all others. Compare the codes with what the rollup's operator publishes before you use it.
Environment: SALDO_L1_RPC_URL, SALDO_BEACON_URL, SALDO_CHECKPOINT; options win.
Exit status: 0 with these codes balances are proven; 1 the command itself failed; 2 usage; 3 nothing was proven, and trying again
             may help; 4 a code is not known, so that balances stay provisional, or you must act.")]
pub(crate) struct CodesArguments {
    /// A rollup such as `base`, or the file of a profile. If its L1 is not built in, the file of that network before it:
    /// L1.toml,ROLLUP.toml
    #[arg(value_name = "NAME|FILE")]
    pub(crate) network: String,
    /// An execution provider of the L1 that serves eth_getProof, instead of the listed ones; may be given several times
    #[arg(long, value_name = "[NAME=]URL")]
    pub(crate) l1_rpc_url: Vec<String>,
    /// A beacon node of the L1 that serves light-client data, instead of the listed ones; may be given several times
    #[arg(long, value_name = "[NAME=]URL")]
    pub(crate) beacon_url: Vec<String>,
    /// A mirror of light-client data (`saldo mirror`), used beside --beacon-url or instead of it; may be given
    /// several times
    #[arg(long, value_name = "[NAME=]URL|DIR")]
    pub(crate) mirror: Vec<String>,
    /// The finalized beacon block that trust starts from, instead of one that the listed sources agree on
    #[arg(long, value_name = "ROOT[@SLOT]")]
    pub(crate) checkpoint: Option<String>,
    /// Write a profile that names the codes to this file, which must not exist yet
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// How long to try
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// One JSON object (schema saldo.rollup-codes/1)
    #[arg(long)]
    pub(crate) json: bool,
}

impl CodesArguments {
    /// The endpoints, without any of the rollup.
    pub(super) fn endpoints(&self) -> EndpointArguments {
        EndpointArguments {
            network: Some(self.network.clone()),
            rpc_url: Vec::new(),
            beacon_url: self.beacon_url.clone(),
            relay_url: Vec::new(),
            mirror: self.mirror.clone(),
            providers: None,
            checkpoint: self.checkpoint.clone(),
        }
    }

    /// What the command wants of its client.
    pub(super) fn client_options<'a>(&self, endpoints: &'a EndpointArguments) -> ClientOptions<'a> {
        ClientOptions { is_quiet: self.json, ..ClientOptions::new(endpoints, self.timeout) }
    }
}
