//! The party that can remedy it when an amount is not proven.

/// The cause of an amount that is not proven, as the party that can remedy it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The device: it has no network, or its clock is wrong.
    Device,
    /// The providers of proofs, or the network between them and the device.
    Providers,
    /// The sources of light-client data, or the network between them and the device.
    Beacon,
    /// The chain's validators.
    Chain,
    /// The wallet's configuration of saldo.
    Setup,
    /// No party: the answer only takes more time.
    Nobody,
    /// saldo itself.
    Saldo,
}

impl Fault {
    /// Returns a stable name, in snake case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Providers => "providers",
            Self::Beacon => "beacon",
            Self::Chain => "chain",
            Self::Setup => "setup",
            Self::Nobody => "nobody",
            Self::Saldo => "saldo",
        }
    }
}
