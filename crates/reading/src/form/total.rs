//! The serialised form of a total: schema `saldo.total/1`, described in `docs/saldo.total-1.schema.json`.

use alloy_primitives::Address;
use serde::{Serialize, Serializer};

use super::asset::AssetId;
use crate::amount::Amount;
use crate::total::{Sum, Total, Totals};

const SCHEMA: &str = "saldo.total/1";

#[derive(Serialize)]
struct TotalForm {
    schema: &'static str,
    chain_id: u64,
    asset: AssetId,
    #[serde(flatten)]
    sum: SumForm,
    as_of: Option<AsOfForm>,
    /// Seconds since 1970.
    oldest: Option<u64>,
}

/// `amount` is there only if it is the whole and all of it is proven, so that a part cannot be taken for the whole.
#[derive(Serialize)]
struct SumForm {
    state: &'static str,
    amount: Option<Amount>,
    proven_part: Option<Amount>,
    remembered_part: Option<Amount>,
    missing: Vec<Address>,
}

#[derive(Serialize)]
struct AsOfForm {
    amount: Amount,
    /// Seconds since 1970.
    timestamp: u64,
}

impl SumForm {
    fn of(sum: Sum<'_>) -> Self {
        let none = Self {
            state: "too_large",
            amount: None,
            proven_part: None,
            remembered_part: None,
            missing: vec![],
        };
        match sum {
            Sum::Proven(amount) => Self { state: "proven", amount: Some(amount), ..none },
            Sum::Remembered { proven, remembered } => {
                Self { state: "remembered", proven_part: proven, remembered_part: Some(remembered), ..none }
            }
            Sum::Partial { proven, remembered, missing } => Self {
                state: "partial",
                proven_part: proven,
                remembered_part: remembered,
                missing: missing.iter().map(|holding| holding.owner()).collect(),
                ..none
            },
            Sum::TooLarge => none,
        }
    }
}

/// As the part of `saldo.total/1` that it is.
impl Serialize for Sum<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        SumForm::of(*self).serialize(serializer)
    }
}

/// As `saldo.total/1`.
impl Serialize for Total {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = TotalForm {
            schema: SCHEMA,
            chain_id: self.network().chain_id(),
            asset: AssetId { network: self.network(), asset: self.asset() },
            sum: SumForm::of(self.sum()),
            as_of: self.as_of().map(|(amount, time)| AsOfForm { amount, timestamp: time.as_secs() }),
            oldest: self.oldest().map(|time| time.as_secs()),
        };
        form.serialize(serializer)
    }
}

/// As the sequence of its totals.
impl Serialize for Totals {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}
