//! `saldo demo`: the same outage, as a naive wallet shows it and as saldo does.
//!
//! Only the chain is made for the occasion, and it is signed, hashed and proven for real; the readings come from the
//! same client that a wallet embeds, over HTTP on loopback.

mod act;
mod report;
mod stage;

use std::sync::Arc;

use saldo::{Client, Endpoint, Holding, Policy, Reading};
use saldo_drill::naive::NaiveWallet;
use saldo_source::HttpTransport;

use crate::arguments::DemoArguments;
use crate::failure::CommandFailure;

use act::{Act, Expected};
use report::Report;
use stage::Stage;

/// Plays all acts; gives 0 only if every line came out right.
///
/// # Errors
/// A [`CommandFailure`] if the stage cannot be set up on this machine.
pub(crate) async fn run(arguments: DemoArguments) -> Result<u8, CommandFailure> {
    let mut report = Report::new(arguments.json);
    let stage = Stage::set_up(arguments.fork).await?;
    let client = client(&stage)?;
    let naive = naive(&stage)?;
    let chain = stage.play_on();

    report.introduce(arguments.fork)?;
    let mut wrong = 0_u32;
    // Both wallets ask the same provider first: the one that served last.
    let mut first = 0;
    for act in Act::all() {
        act.prepare(&stage, first).await;
        let holding = Holding::native(act.owner);
        let asked = [first];
        let (shown, readings) = futures_util::future::join(
            naive.balance(act.owner, &asked),
            client.read_patiently(&[holding], stage::PATIENCE),
        )
        .await;
        let Some(reading) = readings.first() else { continue };
        let right = is_right(&stage, &act, reading);
        wrong = wrong.saturating_add(u32::from(!right));
        report.line(&client, &stage, &act, shown, reading, right)?;
        first = reading.proven().and_then(|proven| stage.position(proven.provider())).unwrap_or(first);
        stage.restore();
    }
    report.conclude(wrong)?;

    if arguments.keep {
        stage.keep(&mut report).await?;
    }
    chain.abort();
    Ok(u8::from(wrong > 0))
}

fn naive(stage: &Stage) -> Result<NaiveWallet, CommandFailure> {
    let endpoints: Result<Vec<Endpoint>, _> =
        stage.provider_urls().iter().map(|url| Endpoint::new(url)).collect();
    let endpoints = endpoints.map_err(|error| CommandFailure::internal(error, "Run the demo again."))?;
    let transport = HttpTransport::new().map_err(|_| {
        CommandFailure::internal("TLS cannot be set up", "Check this machine's certificates.")
    })?;
    Ok(NaiveWallet::new(Arc::new(transport), endpoints))
}

fn client(stage: &Stage) -> Result<Client, CommandFailure> {
    let policy = Policy { operators_per_address: stage.providers().len(), ..Policy::signed() };
    let mut builder = Client::builder(stage.network()).policy(policy);
    for url in stage.providers() {
        builder = builder.rpc(url);
    }
    for url in stage.sources() {
        builder = builder.beacon(url);
    }
    builder.build().map_err(|error| CommandFailure::internal(error, "Run the demo again."))
}

/// Whether the reading is what it has to be: held against the chain's own books, not against itself.
fn is_right(stage: &Stage, act: &Act, reading: &Reading) -> bool {
    let is_true = |proven: &saldo::Proven| {
        let truth = stage.chain.balance_at(proven.anchor().number(), act.owner);
        truth == Some(proven.amount().base_units())
    };
    match (act.expected, reading) {
        (Expected::Amount(amount), Reading::Proven(proven)) => {
            is_true(proven) && proven.amount().base_units() == amount
        }
        (Expected::Unknown { code, last }, Reading::Unknown(unknown)) => {
            unknown.why().code() == code
                && unknown
                    .last()
                    .is_some_and(|proven| is_true(proven) && proven.amount().base_units() == last)
        }
        _ => false,
    }
}
