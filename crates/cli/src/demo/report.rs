//! What the demo prints.

use std::path::Path;

use alloy_primitives::U256;
use saldo::{Assurance, Client, Freshness, Proven, Reading};
use saldo_drill::Fork;
use serde_json::json;

use super::step::Step;
use super::testbed::{ALICE, Testbed, UNUSED, milliether};
use crate::failure::CommandFailure;
use crate::text::ago;
use crate::tokens::Tokens;
use crate::{json as wire, print};

/// Prints lines for people, or JSON objects.
pub(super) struct Report {
    json: bool,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(super) fn introduce(&self, fork: Fork) -> Result<(), CommandFailure> {
        if self.json {
            return Ok(());
        }
        print(&format!(
            "A small chain ({fork}), signed by a committee of 32, with three providers and two beacon sources, on loopback.",
        ))?;
        print(
            "The naive wallet asks one provider for a number; saldo asks the same one first, for proof.\n",
        )?;
        print(&format!("{:<46}{:<14}{}", "", "naive wallet", "saldo"))
    }

    /// Prints the result of one step.
    pub(super) fn line(
        &self,
        client: &Client,
        testbed: &Testbed,
        step: &Step,
        naive: U256,
        reading: &Reading,
        right: bool,
    ) -> Result<(), CommandFailure> {
        let truth = testbed.chain.balance_at(testbed.chain.tip().number, step.owner).unwrap_or_default();
        if self.json {
            let line = json!({
                "schema": "saldo.demo/1",
                "act": step.title,
                "truth": truth.to_string(),
                "naive": naive.to_string(),
                "saldo": wire::reading(client, &Tokens::default(), &client.native(step.owner), reading),
                "right": right,
            });
            return print(&line.to_string());
        }
        let naive = format!("{}{}", ether(naive), if naive == truth { "" } else { " (wrong)" });
        let verdict = if right { "" } else { "   <-- NOT WHAT IT HAS TO BE" };
        print(&format!("{:<46}{naive:<14}{}{verdict}", step.title, describe(client, reading)))
    }

    pub(super) fn conclude(&self, wrong: u32) -> Result<(), CommandFailure> {
        match (self.json, wrong) {
            (true, _) => print(&json!({ "schema": "saldo.demo/1", "wrong": wrong }).to_string()),
            (false, 0) => print("\nEvery line came out right."),
            (false, wrong) => print(&format!("\n{wrong} of the lines came out wrong.")),
        }
    }

    /// Prints how to use the running chain from another terminal.
    pub(super) fn show_how_to_connect(
        &self,
        file: &Path,
        rpc: &[String],
        beacon: &[String],
    ) -> Result<(), CommandFailure> {
        if self.json {
            let line = json!({
                "schema": "saldo.demo/1",
                "network_file": file,
                "rpc_urls": rpc,
                "beacon_urls": beacon,
                "addresses": [ALICE, UNUSED],
            });
            return print(&line.to_string());
        }
        print("\nEverything stays up until you press Ctrl-C. Try it:\n")?;
        print(&format!("  saldo balance {ALICE} {UNUSED} -n {}", file.display()))
    }
}

fn describe(client: &Client, reading: &Reading) -> String {
    match reading {
        Reading::Proven(proven) => {
            format!(
                "{} ether, proven at block {}, {}",
                proven.amount().format(18),
                proven.anchor().number(),
                provenance(proven)
            )
        }
        Reading::Provisional(provisional) => format!("provisional: {}", provisional.why()),
        Reading::Unknown(unknown) => {
            let last = unknown.last().map_or("nothing".to_owned(), |last| {
                let age = match last.freshness(client.now(), client.policy()) {
                    Freshness::Fresh(age) | Freshness::Old(age) => format!("{} old", ago(age)),
                    Freshness::Unknown => "of unknown age".to_owned(),
                };
                format!("{} ether, {age}", last.amount().format(18))
            });
            format!("unknown: {}; last proven {last}", unknown.why())
        }
    }
}

fn provenance(proven: &Proven) -> String {
    let signed = match proven.anchor().assurance() {
        Assurance::Signed { signers, size } => format!("signed by {signers} of {size}"),
        Assurance::Finalized(_) => "finalized".to_owned(),
    };
    format!("{signed}, served by {}", proven.provider())
}

/// Wei as ether, exactly: the demo's amounts are whole thousandths of an ether.
fn ether(wei: U256) -> String {
    let thousandths = wei.checked_div(milliether(1)).unwrap_or_default();
    let thousand = U256::from(1_000);
    let (whole, fraction) = (thousandths.wrapping_div(thousand), thousandths.wrapping_rem(thousand));
    let fraction = format!("{fraction:0>3}");
    match fraction.trim_end_matches('0') {
        "" => whole.to_string(),
        fraction => format!("{whole}.{fraction}"),
    }
}
