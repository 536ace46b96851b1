//! The arguments of `saldo evidence`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::arguments::{EndpointArguments, duration};
use crate::proof::arguments::TrustArguments;
use crate::setup::ClientOptions;

#[derive(Args)]
pub(crate) struct EvidenceArguments {
    #[command(subcommand)]
    pub(crate) command: EvidenceCommand,
}

#[derive(Subcommand)]
pub(crate) enum EvidenceCommand {
    /// Read a balance from the providers, and save the false proofs that they send
    Save(SaveArguments),
    /// Check evidence, without any request
    Verify(VerifyArguments),
}

#[derive(Args)]
#[command(after_help = "\
Environment: as for `saldo balance`; options win.
Exit status: 0 a false proof was saved; 1 the command itself failed; 2 usage; 3 no provider sent a false proof now.")]
pub(crate) struct SaveArguments {
    /// The address (0x and 40 hexadecimal digits). It is in the evidence; the provider's name is not
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: String,
    /// Also read the balance of this token, by its contract's address; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) token: Vec<String>,
    /// The file to write, one JSON object a line (schema saldo.evidence/1); one that exists is replaced
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) endpoints: EndpointArguments,
    /// How long to try
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(crate) timeout: Duration,
}

impl SaveArguments {
    /// What the command wants of its client.
    pub(crate) fn client_options(&self) -> ClientOptions<'_> {
        ClientOptions::new(&self.endpoints, self.timeout)
    }
}

#[derive(Args)]
#[command(after_help = "\
Exit status: 0 every reply in it is a false proof (and with --proof, of a block of the chain); 1 the command itself failed;
             2 usage; 4 a reply is no false proof, or the proof file does not show its block.")]
pub(crate) struct VerifyArguments {
    /// The file, one JSON object a line
    #[arg(value_name = "FILE")]
    pub(crate) file: String,
    /// A proof file of the same block, which shows that the chain has the block; needs --checkpoint or --committee
    #[arg(long, value_name = "FILE")]
    pub(crate) proof: Option<String>,
    #[command(flatten)]
    pub(crate) trust: TrustArguments,
    /// One JSON object for each reply (schema saldo.evidence-verdict/1)
    #[arg(long)]
    pub(crate) json: bool,
}
