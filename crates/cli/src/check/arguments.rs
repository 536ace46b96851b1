//! The command line of `saldo check`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::arguments::{EndpointArguments, duration};
use crate::setup::ClientOptions;

#[derive(Args)]
#[command(after_help = "\
A line of the list: address,asset,amount[,block], or a JSON object with these keys. The asset is `native`, or the address of a token's
contract. The amount is in base units, in decimal or 0x hexadecimal digits; for the native coin also `1.5 ether`. The block is the number
of the block at which the amount was read: without it, a claim is called different only by a block that came after the command began.
A first line of CSV that names the columns is a header.

Environment: as for `saldo balance`; options win.
Exit status: 0 every claim is confirmed, or was right at its block; 1 the command itself failed; 2 usage;
             3 a claim was not checked, and trying again may help; 4 a claim was not checked, and you must act;
             5 a claim is different from what is proven (5 wins over 4, and 4 over 3).")]
pub(crate) struct CheckArguments {
    /// The list of claims: a file, or `-` for standard input
    #[arg(value_name = "FILE|-")]
    pub(crate) list: String,
    #[command(flatten)]
    pub(crate) endpoints: EndpointArguments,
    /// How many operators may see an address at most [default: 2 of the listed ones, all of those you name]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) operators: Option<NonZeroUsize>,
    /// Prove at a finalized block. A newer claim is then not checked: give the blocks
    #[arg(long)]
    pub(crate) finalized: bool,
    /// How long to try, and to wait for the committee to sign a block, for each thousand claims
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// Store proven readings in this file, and start with the readings stored in it
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,
    /// Append the verdicts to this file, one JSON object a line. Claims that have a verdict in it are not checked again, except those
    /// that were not checked: a run that was stopped goes on
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// One JSON object a line (schema saldo.verdict/1)
    #[arg(long)]
    pub(crate) json: bool,
    /// Print only the claims that are not confirmed
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

impl CheckArguments {
    /// What the command wants of its client.
    pub(crate) fn client_options(&self) -> ClientOptions<'_> {
        ClientOptions {
            operators: self.operators,
            is_finalized: self.finalized,
            store: self.store.as_deref(),
            is_quiet: self.quiet || self.json,
            ..ClientOptions::new(&self.endpoints, self.timeout)
        }
    }
}
