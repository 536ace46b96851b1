//! `saldo.change/1`.

use saldo_reading::{Freshness, Holding, Proven, ProviderId, Reading};
use serde::{Serialize, Serializer};

use crate::storage::StorageError;
use crate::watch::{Activity, Change};

#[derive(Serialize)]
struct ChangeForm<'a> {
    schema: &'static str,
    #[serde(flatten)]
    kind: KindForm<'a>,
}

#[derive(Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
enum KindForm<'a> {
    Remembered {
        #[serde(flatten)]
        holding: &'a Holding,
        last: &'a Option<Proven>,
        freshness: &'a Option<Freshness>,
    },
    Reading {
        #[serde(flatten)]
        holding: &'a Holding,
        reading: &'a Reading,
        freshness: &'a Option<Freshness>,
    },
    Withdrawn {
        #[serde(flatten)]
        holding: &'a Holding,
        withdrawn: &'a Proven,
        last: &'a Option<Proven>,
        freshness: &'a Option<Freshness>,
    },
    Storage {
        unwritten: Option<&'static str>,
    },
    Activity {
        #[serde(flatten)]
        activity: &'a Activity,
    },
}

/// As `saldo.change/1`.
impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = match self {
            Self::Remembered { holding, last, freshness } => {
                KindForm::Remembered { holding, last, freshness }
            }
            Self::Reading { holding, reading, freshness } => {
                KindForm::Reading { holding, reading, freshness }
            }
            Self::Withdrawn { holding, withdrawn, last, freshness } => {
                KindForm::Withdrawn { holding, withdrawn, last, freshness }
            }
            Self::Storage { unwritten } => {
                KindForm::Storage { unwritten: unwritten.as_ref().map(StorageError::code) }
            }
            Self::Activity(activity) => KindForm::Activity { activity },
        };
        ChangeForm { schema: "saldo.change/1", kind }.serialize(serializer)
    }
}

#[derive(Serialize)]
struct ActivityForm<'a> {
    activity: &'static str,
    /// The sources that failed.
    sources: Option<&'a [ProviderId]>,
    /// Seconds since 1970.
    until: Option<u64>,
}

/// As `activity`, `sources` and `until` of `saldo.change/1`.
impl Serialize for Activity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (activity, sources, until) = match self {
            Self::Idle => ("idle", None, None),
            Self::Fetching => ("fetching", None, None),
            Self::Offline => ("offline", None, None),
            Self::NoNewHeads { sources, until } => ("no_new_heads", Some(&**sources), Some(until.as_secs())),
            Self::BackingOff { until } => ("backing_off", None, Some(until.as_secs())),
        };
        ActivityForm { activity, sources, until }.serialize(serializer)
    }
}
