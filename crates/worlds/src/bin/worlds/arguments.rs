//! What the command is asked to do.

use saldo_worlds::Variant;

/// How the command is used.
pub(crate) const USAGE: &str = "\
usage: worlds --count N [--seed S] [--variant NAME] [--threads T] [--all-whys] [--json]
       worlds --nets N [--seed S] [--threads T] [--json]
       worlds --overlaps N [--seed S]
       worlds --overlap-nets N [--seed S]
       worlds --rollups N [--seed S]
       worlds --rollup-nets N [--seed S]
       worlds --trace SEED [--variant NAME]
       worlds --list";

/// The task of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Run this many worlds.
    Worlds(u64),
    /// Look for each broken wallet in at most this many worlds.
    Nets(u64),
    /// Run so many scripts of overlapping calls.
    Overlaps(u64),
    /// Look for each wallet that lacks a check of the gate, in so many scripts at most.
    OverlapNets(u64),
    /// Run so many scripts with a rollup.
    Rollups(u64),
    /// Look for each wallet that gets something wrong about a rollup, in so many scripts at most.
    RollupNets(u64),
    /// Print what happens in the world of that seed.
    Trace(u64),
    /// List the wallets.
    List,
    /// Print the usage.
    Help,
}

/// The arguments.
#[derive(Clone, Debug)]
pub(crate) struct Arguments {
    pub(crate) task: Task,
    pub(crate) seed: u64,
    pub(crate) variant: Variant,
    pub(crate) threads: u64,
    pub(crate) all_whys: bool,
    pub(crate) json: bool,
}

impl Arguments {
    /// Reads them.
    ///
    /// # Errors
    /// A message that says what is wrong.
    pub(crate) fn read(given: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut given = given;
        let mut task = None;
        let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get().min(2));
        let mut arguments = Self {
            task: Task::Help,
            seed: 0,
            variant: Variant::REAL,
            threads: u64::try_from(threads).unwrap_or(1),
            all_whys: false,
            json: false,
        };
        while let Some(name) = given.next() {
            let mut value = || given.next().ok_or_else(|| format!("{name} needs a value"));
            match name.as_str() {
                "--count" => task = Some(Task::Worlds(number(&value()?)?)),
                "--nets" => task = Some(Task::Nets(number(&value()?)?)),
                "--overlaps" => task = Some(Task::Overlaps(number(&value()?)?)),
                "--overlap-nets" => task = Some(Task::OverlapNets(number(&value()?)?)),
                "--rollups" => task = Some(Task::Rollups(number(&value()?)?)),
                "--rollup-nets" => task = Some(Task::RollupNets(number(&value()?)?)),
                "--trace" => task = Some(Task::Trace(number(&value()?)?)),
                "--list" => task = Some(Task::List),
                "--help" | "-h" => task = Some(Task::Help),
                "--seed" => arguments.seed = number(&value()?)?,
                "--threads" => arguments.threads = number(&value()?)?.max(1),
                "--variant" => {
                    let name = value()?;
                    let variant = Variant::named(&name);
                    arguments.variant = variant.ok_or_else(|| format!("no variant `{name}`; see --list"))?;
                }
                "--all-whys" => arguments.all_whys = true,
                "--json" => arguments.json = true,
                other => return Err(format!("`{other}` is not an option")),
            }
        }
        arguments.task = task.ok_or("no task is given")?;
        Ok(arguments)
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{text}` is not a number"))
}
