//! What a wallet may get wrong about a rollup.

/// What the wallet does that it should not. In all else it shows what `saldo`'s client says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Omission {
    /// It shows an unconfirmed amount as if L1 vouched for it.
    Unconfirmed,
    /// It goes on to show an amount that L1 took back.
    TakenBack,
    /// It shows an amount however old it is.
    Age,
    /// It shows zero where nothing is known.
    Zero,
    /// It shows no amount if one of the providers failed.
    Impatient,
}

impl Omission {
    /// All of them. Each is found within 300 scripts, in worlds of hours and in worlds of days.
    pub const ALL: [Self; 5] = [Self::Unconfirmed, Self::TakenBack, Self::Age, Self::Zero, Self::Impatient];

    /// A stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unconfirmed => "rollup-shows-unconfirmed",
            Self::TakenBack => "rollup-keeps-what-was-taken-back",
            Self::Age => "rollup-without-age",
            Self::Zero => "rollup-zero-for-unknown",
            Self::Impatient => "rollup-gives-up",
        }
    }
}
