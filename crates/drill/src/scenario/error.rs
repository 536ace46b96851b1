//! Why a scenario file cannot be used.

/// Why a scenario file cannot be used. The fault is in the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// Not TOML, or with a field, or a value of a field, that there is not.
    #[error("line {line}: {message}")]
    Form {
        /// The line, from 1.
        line: usize,
        /// What is wrong, in the reader's words.
        message: String,
    },
    /// An event that says nothing, or several things at once.
    #[error("event {event}: {problem}")]
    Event {
        /// The event, from 1 in the order of the file.
        event: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// Members that cannot be so.
    #[error("{0}")]
    Members(String),
    /// Contracts that cannot be so.
    #[error("{0}")]
    Contracts(String),
    /// A rollup that cannot be so.
    #[error("{0}")]
    Rollup(String),
    /// A fork whose heads tell nothing of the execution chain, or none at all.
    #[error("`fork` is `{0}`, expected capella, deneb, electra, fulu or gloas")]
    Fork(String),
    /// Times that cannot be so.
    #[error("{0}")]
    Times(String),
}

impl ScenarioError {
    /// What to do about it.
    pub const fn next_step(&self) -> &'static str {
        match self {
            Self::Form { .. } => "Correct that line; docs/scenarios.md lists the fields and the faults.",
            Self::Event { .. } => "Correct that [[event]]; docs/scenarios.md shows one of each kind.",
            Self::Members(_) => {
                "Correct the [[provider]], [[l1_provider]], [[beacon]] and [[checkpoint]] tables."
            }
            Self::Contracts(_) => {
                "Correct `token` and the [[contract]] tables; docs/scenarios.md shows some."
            }
            Self::Rollup(_) => "Correct the `[rollup]` table; docs/scenarios.md shows one.",
            Self::Fork(_) => "Correct `fork`, or leave it out.",
            Self::Times(_) => "Correct `lasts`, `looks_every`, `slot` or the times of the events.",
        }
    }
}
