//! How balances of a token can be proven: by its layout, or by a run of its code that was tried.

use std::time::Duration;

use saldo::{Client, Derivation, Holding, Provability, Reading, TokenDescription, Touched, Why};

/// How balances of a token can be proven, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Provable {
    /// Each from its slot.
    Slot,
    /// By running the token's code.
    Execution,
    /// The address is no token.
    NotAToken,
    /// No layout is known for its code, and this build runs no code.
    LayoutUnknown,
    /// A condition of its layout does not hold, and this build runs no code.
    GuardFailed,
    /// Its code does not run to its end.
    NotRun,
    /// Its code could not be run now.
    NotNow,
}

impl Provable {
    /// A stable name, in snake case.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Slot => "slot",
            Self::Execution => "execution",
            Self::NotAToken => "not_a_token",
            Self::LayoutUnknown => "layout_unknown",
            Self::GuardFailed => "guard_failed",
            Self::NotRun => "not_run",
            Self::NotNow => "not_now",
        }
    }
}

/// What is known by the description of a token, and by a run where it needs one.
pub(super) struct Trial {
    provability: Provability,
    run: Option<Reading>,
}

impl Trial {
    /// Reads the balance of the token's own address, if only a run can prove it. The requests name no owner.
    pub(super) async fn of(client: &Client, token: &TokenDescription, patience: Duration) -> Self {
        let provability = token.provability();
        let holding = Holding::erc20(client.network_id(), token.token(), token.token());
        let run = match provability {
            Provability::Slot | Provability::NotAToken(_) => None,
            _ => client.read_patiently(&[holding], patience).await.pop(),
        };
        Self { provability, run }
    }

    pub(super) fn provability(&self) -> Provability {
        self.provability
    }

    /// How much a run read that gave a balance.
    pub(super) fn touched(&self) -> Option<Touched> {
        match self.run.as_ref()?.proven()?.token()?.derivation() {
            Derivation::Executed { touched, .. } => Some(*touched),
            _ => None,
        }
    }

    /// Why a run gave no balance.
    pub(super) fn why(&self) -> Option<&Why> {
        self.run.as_ref().and_then(Reading::why)
    }

    pub(super) fn provable(&self) -> Provable {
        match (self.provability, &self.run, self.why()) {
            (Provability::Slot, ..) => Provable::Slot,
            (Provability::NotAToken(_), ..) | (_, _, Some(Why::NotAToken { .. })) => Provable::NotAToken,
            (_, Some(Reading::Proven(_)), _) => Provable::Execution,
            (_, _, Some(Why::TokenNotRun { .. })) => Provable::NotRun,
            (Provability::GuardFailed, _, Some(Why::TokenLayoutUnproven)) => Provable::GuardFailed,
            (_, _, Some(Why::TokenLayoutUnproven)) => Provable::LayoutUnknown,
            _ => Provable::NotNow,
        }
    }
}
