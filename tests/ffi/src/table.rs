//! The table of scenarios, and the values that are only known when a scenario is set up.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

/// The text of the table.
pub const TABLE: &str = include_str!("../scenarios.toml");

/// All scenarios, and the reasons that no scenario can give.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The scenarios, in the order of the file.
    #[serde(rename = "scenario")]
    pub scenarios: Vec<Scenario>,
    /// Codes of `Why` that no scenario can give, each with the reason.
    pub not_here: BTreeMap<String, String>,
}

/// One scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name, in snake case.
    pub name: String,
    /// What it shows, in one sentence.
    pub says: String,
    /// A scenario file of the drill, without its title and times. An event at a time other than `0s` waits for the step `event`
    /// that names this time.
    #[serde(default)]
    pub world: String,
    /// How long ago the chain was set up, and the checkpoint taken if `checkpoint` is `old`.
    #[serde(default)]
    pub began: Option<String>,
    /// Whether the events at `0s` happen when the chain was set up, and not at present.
    #[serde(default)]
    pub early: bool,
    /// Whether the providers serve no header as bytes.
    #[serde(default)]
    pub no_raw_headers: bool,
    /// How far the chain is ahead of the device's clock.
    #[serde(default)]
    pub ahead: Option<String>,
    /// Whether the chain stands still.
    #[serde(default)]
    pub frozen: bool,
    /// `new` (the default), `old`, `wrong_slot`, `unknown` or `none`.
    #[serde(default)]
    pub checkpoint: Option<String>,
    /// A fork that the client's table does not know.
    #[serde(default)]
    pub without_fork: Option<String>,
    /// Another limit of the checkpoint's age, in epochs.
    #[serde(default)]
    pub max_checkpoint_age_epochs: Option<u64>,
    /// Settings of the client beside the endpoints.
    #[serde(default)]
    pub config: BTreeMap<String, Value>,
    /// The policy for the rollup, if the world has one.
    #[serde(default)]
    pub rollup_policy: Option<BTreeMap<String, Value>>,
    /// What the runner does, and what it must see.
    #[serde(rename = "step")]
    pub steps: Vec<BTreeMap<String, Value>>,
}

/// The table cannot be read.
#[derive(Debug)]
pub struct TableError(String);

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TableError {}

impl Scenario {
    /// Whether a step has the text `value`.
    pub fn names(&self, value: &str) -> bool {
        let has = |found: &Value| match found {
            Value::Array(items) => items.iter().any(|item| item == value),
            found => found == value,
        };
        self.steps.iter().flat_map(BTreeMap::values).any(has)
    }
}

impl Table {
    /// Reads the table of this repository.
    ///
    /// # Errors
    /// [`TableError`] if it is malformed.
    pub fn read() -> Result<Self, TableError> {
        toml::from_str(TABLE).map_err(|error| TableError(error.to_string()))
    }

    /// The scenario of that name.
    pub fn scenario(&self, name: &str) -> Option<&Scenario> {
        self.scenarios.iter().find(|scenario| scenario.name == name)
    }
}

/// Replaces every text that begins with `$` by the value of that name.
///
/// # Panics
/// If there is no such value.
pub(crate) fn fill_in(value: &Value, known: &BTreeMap<&str, Value>) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix('$') {
            Some(name) => {
                known.get(name).unwrap_or_else(|| panic!("the table names no value ${name}")).clone()
            }
            None => value.clone(),
        },
        Value::Array(items) => items.iter().map(|item| fill_in(item, known)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| (name.clone(), fill_in(field, known))).collect()
        }
        other => other.clone(),
    }
}
