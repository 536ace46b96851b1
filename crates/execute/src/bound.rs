//! What a run may cost at most. A run that costs more is refused: its result is not known.

/// The bounds of one run. They are far above what reading a balance takes, and keep a hostile token below 50 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Bound {
    /// More than [`STEPS`] instructions.
    #[error("it runs more than {STEPS} instructions")]
    Steps,
    /// Instructions that cost more than [`WORK`] gas.
    #[error("its instructions cost more than {WORK} gas")]
    Work,
    /// Precompiled contracts that cost more than [`PRECOMPILES`] gas.
    #[error("its calls of precompiled contracts cost more than {PRECOMPILES} gas")]
    Precompiles,
    /// More than [`MEMORY`] bytes of memory.
    #[error("it takes more than {MEMORY} bytes of memory")]
    Memory,
    /// More than [`DEPTH`] calls inside each other.
    #[error("it makes more than {DEPTH} calls inside each other")]
    Depth,
    /// More than [`ACCOUNTS`] accounts.
    #[error("it reads more than {ACCOUNTS} accounts")]
    Accounts,
    /// More than [`SLOTS`] slots.
    #[error("it reads more than {SLOTS} slots")]
    Slots,
    /// More than [`CODE`] bytes of code.
    #[error("it runs more than {CODE} bytes of code")]
    Code,
    /// All runs for one result together do more than its [`Meter`](crate::Meter) allows.
    #[error("its runs together do more than is allowed for one result")]
    Together,
}

/// The most instructions.
pub const STEPS: u64 = 250_000;
/// The most gas that instructions cost, without the gas that a call passes on.
pub const WORK: u64 = 1_000_000;
/// The most gas that precompiled contracts cost. Their work is paid worse than that of instructions.
pub const PRECOMPILES: u64 = 150_000;
/// The most bytes of memory of all calls together.
pub const MEMORY: u64 = 1 << 20;
/// The most calls inside each other, the first included.
pub const DEPTH: usize = 64;
/// The most accounts.
pub const ACCOUNTS: usize = 32;
/// The most slots.
pub const SLOTS: usize = 128;
/// The most bytes of code of all accounts whose code is read.
pub const CODE: usize = 512 << 10;
/// How many times the instructions, the work and the precompiled contracts of one run all runs for one balance may take together. Each
/// round of requests runs the code again, over what is proven by then.
pub const RUNS: u64 = 2;
