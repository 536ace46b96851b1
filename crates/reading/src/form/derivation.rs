//! How the balance of a token was derived, in serialised forms.

use alloy_primitives::{Address, B256};
use saldo_token::Derivation;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct DerivationForm {
    kind: &'static str,
    layout: Option<&'static str>,
    code_hash: Option<B256>,
    implementation: Option<Address>,
    touched: Option<TouchedForm>,
}

/// What a run of the token's code read.
#[derive(Serialize)]
struct TouchedForm {
    accounts: usize,
    slots: usize,
}

impl DerivationForm {
    pub(super) fn of(derivation: &Derivation) -> Self {
        match derivation {
            Derivation::Slot { layout, code_hash, implementation } => Self {
                kind: "slot",
                layout: Some(layout),
                code_hash: Some(*code_hash),
                implementation: *implementation,
                touched: None,
            },
            Derivation::Executed { code_hash, touched } => Self {
                kind: "executed",
                layout: None,
                code_hash: Some(*code_hash),
                implementation: None,
                touched: Some(TouchedForm { accounts: touched.accounts, slots: touched.slots }),
            },
            _ => Self { kind: "other", layout: None, code_hash: None, implementation: None, touched: None },
        }
    }
}
