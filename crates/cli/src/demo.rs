//! `saldo demo`: the same outage, as a naive wallet shows it and as saldo shows it.
//!
//! Only the chain is invented, and it is really signed, hashed and proven. The readings come from the same client that
//! a wallet embeds, over HTTP on loopback.

mod report;
mod step;
mod testbed;

use std::sync::Arc;

use saldo::{Client, Endpoint, Policy, Reading};
use saldo_drill::naive::NaiveWallet;

use crate::arguments::DemoArguments;
use crate::drill::arguments::RunArguments;
use crate::failure::CommandFailure;
use crate::interrupt::interrupted;
use crate::network_file::NetworkFile;
use crate::{drill, setup};

use report::Report;
use step::{Expected, Step};
use testbed::Testbed;

/// Runs all steps, or a scenario of the drill; returns 0 only if everything that saldo showed is right.
///
/// # Errors
/// A [`CommandFailure`] if the test chain cannot be set up on this machine, or the scenario cannot be used.
pub(crate) async fn run(arguments: DemoArguments) -> Result<u8, CommandFailure> {
    if let Some(scenario) = arguments.scenario {
        return drill::replay(&RunArguments { scenario, json: arguments.json, html: arguments.html });
    }
    let report = Report::new(arguments.json);
    let testbed = Testbed::set_up(arguments.fork).await?;
    let client = client(&testbed)?;
    let naive = naive(&testbed)?;
    let chain = testbed.keep_growing();

    report.introduce(arguments.fork)?;
    let mut wrong = 0_u32;
    // Both wallets ask the same provider first: the one that served the last proven reading.
    let mut first = 0;
    for step in Step::all() {
        step.prepare(&testbed, first).await;
        let asked = [first];
        let naive = async {
            match step.token {
                Some(token) => naive.token_balance(step.owner, token, &asked).await,
                None => naive.balance(step.owner, &asked).await,
            }
        };
        let holdings = [step.holding(&client)];
        let saldo = client.read_patiently(&holdings, testbed::READ_TIMEOUT);
        let (shown, readings) = futures_util::future::join(naive, saldo).await;
        let Some(reading) = readings.first() else { continue };
        let right = is_right(&testbed, &step, reading);
        wrong = wrong.saturating_add(u32::from(!right));
        report.line(&client, &testbed, &step, shown, reading, right)?;
        first = reading.proven().and_then(|proven| testbed.position(proven.provider())).unwrap_or(first);
        testbed.restore();
    }
    report.conclude(wrong)?;

    if arguments.keep {
        keep_running(&testbed, &report).await?;
    }
    chain.abort();
    Ok(u8::from(wrong > 0))
}

/// Keeps the servers running until the command is interrupted, and prints how to reach them.
async fn keep_running(testbed: &Testbed, report: &Report) -> Result<(), CommandFailure> {
    let interrupted = interrupted();
    let file = NetworkFile::write(None, &testbed.network_file())?;
    report.show_how_to_connect(file.path(), &testbed.providers(), &testbed.sources())?;
    interrupted.await;
    Ok(())
}

fn naive(testbed: &Testbed) -> Result<NaiveWallet, CommandFailure> {
    let endpoints: Result<Vec<Endpoint>, _> =
        testbed.provider_urls().iter().map(|url| Endpoint::new(url)).collect();
    let endpoints = endpoints.map_err(|error| CommandFailure::internal(error, "Run the demo again."))?;
    let transport = setup::http_transport()?;
    Ok(NaiveWallet::new(Arc::new(transport), endpoints))
}

fn client(testbed: &Testbed) -> Result<Client, CommandFailure> {
    let policy = Policy { operators_per_address: testbed.providers().len(), ..Policy::signed() };
    let mut builder = Client::builder(testbed.network()).policy(policy);
    for url in testbed.providers() {
        builder = builder.rpc(url);
    }
    for url in testbed.sources() {
        builder = builder.beacon(url);
    }
    builder.build().map_err(|error| CommandFailure::internal(error, "Run the demo again."))
}

/// Whether the reading is right. It is compared with the chain's own balances, not with another reading.
fn is_right(testbed: &Testbed, step: &Step, reading: &Reading) -> bool {
    let is_true = |proven: &saldo::Proven| {
        step.truth(&testbed.chain, proven.anchor().number()) == Some(proven.amount().base_units())
    };
    match (step.expected, reading) {
        (Expected::Amount(amount), Reading::Proven(proven)) => {
            is_true(proven) && proven.amount().base_units() == amount
        }
        (Expected::Unknown { code, last }, Reading::Unknown(unknown)) => {
            let shown = unknown.last().map(|proven| proven.amount().base_units());
            unknown.why().code() == code && shown == last && unknown.last().is_none_or(is_true)
        }
        _ => false,
    }
}
