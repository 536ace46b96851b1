//! The checks of the gate that a wallet may lack.

/// Which check of the gate is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Omission {
    /// The generation of trust is not compared.
    Generation,
    /// A consensus fault is not looked at.
    Fault,
    /// The chain need not hold the block any more.
    Held,
    /// A signed block passes for a finalized one.
    Weaker,
    /// A restored reading passes for a proven one.
    Restored,
    /// The age is not looked at.
    Age,
    /// An older block passes after a newer one.
    Older,
    /// The last reading is that of the moment when the call began.
    Last,
    /// A holding that is named twice is read twice.
    Duplicates,
    /// What the providers say of their chain id is not held against the table.
    ChainId,
}

impl Omission {
    /// All of them. Each is found within 2,000 scripts.
    pub const ALL: [Self; 10] = [
        Self::Generation,
        Self::Fault,
        Self::Held,
        Self::Weaker,
        Self::Restored,
        Self::Age,
        Self::Older,
        Self::Last,
        Self::Duplicates,
        Self::ChainId,
    ];

    /// A stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generation => "gate-without-generation",
            Self::Fault => "gate-without-fault",
            Self::Held => "gate-without-held",
            Self::Weaker => "gate-without-level",
            Self::Restored => "gate-without-restored",
            Self::Age => "gate-without-age",
            Self::Older => "gate-without-record",
            Self::Last => "gate-without-last",
            Self::Duplicates => "gate-without-duplicates",
            Self::ChainId => "gate-without-chain-id",
        }
    }
}
