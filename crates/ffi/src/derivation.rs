//! How the balance of a token was derived.

use crate::number::narrow;

/// How the balance of a token follows from what was proven. A later version may have other ways.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Derivation {
    /// The token's code keeps the balance in a slot, by a layout that was established for exactly this code.
    Slot {
        /// The name of the layout.
        layout: String,
        /// The hash of the code that reads the balance, 0x and 64 hexadecimal digits.
        code_hash: String,
        /// The contract that has this code; none if it is the token itself.
        implementation: Option<String>,
    },
    /// The token's own code was run over proven state.
    Executed {
        /// The hash of the token's code, 0x and 64 hexadecimal digits.
        code_hash: String,
        /// How many accounts it read.
        accounts: u32,
        /// How many slots of their storage it read.
        slots: u32,
    },
    /// A way that this version has no name for.
    Other,
}

impl From<&saldo::Derivation> for Derivation {
    fn from(derivation: &saldo::Derivation) -> Self {
        match derivation {
            saldo::Derivation::Slot { layout, code_hash, implementation } => Self::Slot {
                layout: (*layout).to_owned(),
                code_hash: code_hash.to_string(),
                implementation: implementation.map(|address| address.to_checksum(None)),
            },
            saldo::Derivation::Executed { code_hash, touched } => Self::Executed {
                code_hash: code_hash.to_string(),
                accounts: narrow(touched.accounts),
                slots: narrow(touched.slots),
            },
            _ => Self::Other,
        }
    }
}
