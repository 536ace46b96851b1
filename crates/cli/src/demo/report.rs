//! What the demo prints.

use std::path::Path;

use alloy_primitives::U256;
use saldo::{Client, Freshness, Proven, Reading};
use saldo_drill::Fork;
use serde_json::json;

use super::step::Step;
use super::testbed::{ALICE, Testbed, UNUSED};
use crate::failure::CommandFailure;
use crate::text::{ago, assurance};
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
        let truth = step.truth(&testbed.chain, testbed.chain.tip().number);
        let holding = step.holding(client);
        if self.json {
            let line = json!({
                "schema": "saldo.demo/1",
                "act": step.title,
                "truth": truth.map(|units| units.to_string()),
                "naive": naive.to_string(),
                "saldo": wire::reading(client, &Tokens::default(), &holding, reading),
                "right": right,
            });
            return print(&line.to_string());
        }
        let unit = if step.token.is_some() { DOLLAR } else { ETHER };
        let wrong = if Some(naive) == truth { "" } else { " (wrong)" };
        let naive = format!("{}{wrong}", unit.in_words(naive));
        let verdict = if right { "" } else { "   <-- NOT WHAT IT HAS TO BE" };
        print(&format!("{:<46}{naive:<14}{}{verdict}", step.title, describe(client, unit, reading)))
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

fn describe(client: &Client, unit: Unit, reading: &Reading) -> String {
    match reading {
        Reading::Proven(proven) => {
            format!(
                "{} {}, proven at block {}, {}",
                proven.amount().format(unit.decimals),
                unit.name,
                proven.anchor().number(),
                provenance(proven)
            )
        }
        Reading::Provisional(provisional) => format!("provisional: {}", provisional.why()),
        Reading::Unknown(unknown) => {
            let last = unknown.last().map_or("nothing was proven before".to_owned(), |last| {
                let age = match last.freshness(client.now(), client.policy()) {
                    Freshness::Fresh(age) | Freshness::Old(age) => format!("{} old", ago(age)),
                    Freshness::Unknown => "of unknown age".to_owned(),
                };
                format!("last proven {} {}, {age}", last.amount().format(unit.decimals), unit.name)
            });
            format!("unknown: {}; {last}", unknown.why())
        }
    }
}

fn provenance(proven: &Proven) -> String {
    format!("{}, served by {}", assurance(&proven.anchor().assurance()), proven.provider())
}

/// What an amount is counted in.
#[derive(Clone, Copy)]
struct Unit {
    name: &'static str,
    decimals: u8,
}

const ETHER: Unit = Unit { name: "ether", decimals: 18 };
const DOLLAR: Unit = Unit { name: "dollars", decimals: 6 };

impl Unit {
    /// The amount of the naive wallet, exactly.
    fn in_words(self, units: U256) -> String {
        let missing = usize::from(18_u8.saturating_sub(self.decimals));
        saldo_drill::scenario::ether(units.saturating_mul(U256::from(10).saturating_pow(U256::from(missing))))
    }
}
