//! The arguments of `saldo proof`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use saldo::proof_files::Form;

use crate::arguments::{EndpointArguments, duration};
use crate::setup::ClientOptions;

#[derive(Args)]
pub(crate) struct ProofArguments {
    #[command(subcommand)]
    pub(crate) command: ProofCommand,
}

#[derive(Subcommand)]
pub(crate) enum ProofCommand {
    /// Read a balance, and save its proof
    Save(SaveArguments),
    /// Check a file, without any request
    Verify(VerifyArguments),
}

/// The form of a file.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum FormArgument {
    /// From a checkpoint: about 31 KB on mainnet, and 27 KB more for each later period
    Complete,
    /// For a reader who knows the sync committee: at most 16 KB for one balance
    Compact,
}

impl From<FormArgument> for Form {
    fn from(form: FormArgument) -> Self {
        match form {
            FormArgument::Complete => Self::Complete,
            FormArgument::Compact => Self::Compact,
        }
    }
}

#[derive(Args)]
#[command(after_help = "\
Environment: as for `saldo balance`; options win.
Exit status: 0 saved; 1 the command itself failed; 2 usage;
             3 something is not proven, or the file cannot be made now; 4 something is not proven, and you must act.")]
pub(crate) struct SaveArguments {
    /// The address (0x and 40 hexadecimal digits)
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: String,
    /// Prove the balance of this token, by its contract's address, instead of the coin; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) token: Vec<String>,
    /// With --token: prove the balance of the coin too
    #[arg(long, requires = "token")]
    pub(crate) coin: bool,
    /// The file to write; one that exists is replaced
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// The form of the file
    #[arg(long, value_enum, default_value = "complete")]
    pub(crate) form: FormArgument,
    /// Prove at a finalized block
    #[arg(long)]
    pub(crate) finalized: bool,
    #[command(flatten)]
    pub(crate) endpoints: EndpointArguments,
    /// How many operators may see the address at most [default: 2 of the listed ones, all of those you name]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) operators: Option<NonZeroUsize>,
    /// How long to try
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(crate) timeout: Duration,
}

impl SaveArguments {
    /// What the command wants of its client.
    pub(crate) fn client_options(&self) -> ClientOptions<'_> {
        ClientOptions {
            operators: self.operators,
            is_finalized: self.finalized,
            ..ClientOptions::new(&self.endpoints, self.timeout)
        }
    }
}

#[derive(Args)]
#[command(after_help = "\
Exit status: 0 the file proves its amounts; 1 the command itself failed; 2 usage;
             4 the file is refused, or no trusted root was given.")]
pub(crate) struct VerifyArguments {
    /// The file
    #[arg(value_name = "FILE")]
    pub(crate) file: String,
    #[command(flatten)]
    pub(crate) trust: TrustArguments,
    /// One JSON object (schema saldo.proof-file/1)
    #[arg(long)]
    pub(crate) json: bool,
}

/// What the reader trusts already.
#[derive(Args)]
pub(crate) struct TrustArguments {
    /// `mainnet`, `sepolia`, `hoodi`, `gnosis`, or a network file [default: mainnet]
    #[arg(short, long, value_name = "NAME|FILE")]
    pub(crate) network: Option<String>,
    /// A beacon block that you trust, from any source but the file
    #[arg(long, value_name = "ROOT[@SLOT]", conflicts_with = "committee")]
    pub(crate) checkpoint: Option<String>,
    /// The hash tree root of a sync committee that you trust, from any source but the file; for compact files
    #[arg(long, value_name = "ROOT[@PERIOD]")]
    pub(crate) committee: Option<String>,
}
