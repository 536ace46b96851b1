//! Who is at fault for an error.

/// Who must act so that an error goes away.
///
/// Only [`Fault::Source`] may count against the source that sent the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The source sent data that is malformed, forged or out of date: ask another one.
    Source,
    /// The network has a fork that this version of saldo or its network table does not know: update saldo.
    Network,
    /// The device's clock does not fit the data: correct the clock, or try again later.
    Device,
    /// The caller asked for something that cannot be done as asked.
    Caller,
    /// The validators: too few of them signed, or they signed a contradiction.
    Chain,
}
