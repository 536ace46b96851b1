//! The changes that a watch yields.

use crate::holding::Holding;
use crate::number::millis;
use crate::reading::{Freshness, Proven, Reading};

/// Reports that something on the screen has to change. Later versions may have more kinds.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Change {
    /// The last proven amount of a holding, which is not proven as of now. It is the first item of each holding.
    Remembered {
        /// The holding that changed.
        holding: Holding,
        /// The last proven amount. None means that no amount is known, which is not zero.
        last: Option<Proven>,
        /// The age of `last`.
        freshness: Option<Freshness>,
    },
    /// A holding was read, and the reading differs from the one before it.
    Reading {
        /// The holding that changed.
        holding: Holding,
        /// The new reading.
        reading: Reading,
        /// The age of the newest proven amount of the reading; none if nothing is proven.
        freshness: Option<Freshness>,
    },
    /// A reorganisation removed the block of the last proven amount: stop showing that amount.
    Withdrawn {
        /// The holding that changed.
        holding: Holding,
        /// The amount that no longer holds.
        withdrawn: Proven,
        /// The amount to show until the holding is read again.
        last: Option<Proven>,
        /// The age of `last`.
        freshness: Option<Freshness>,
    },
    /// The storage refuses to keep what is proven, or keeps it again. The readings are not affected.
    Storage {
        /// Why it refuses, as a stable code (`full`: ask the user to free some space); none if everything is kept again.
        unwritten: Option<String>,
    },
    /// The activity of the watch changed.
    Activity {
        /// What the watch is doing.
        activity: Activity,
    },
    /// Something that these bindings do not know. Ignore it.
    Other {
        /// What happened, for people.
        text: String,
    },
}

/// What a watch is doing.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Activity {
    /// `idle`, `fetching`, `offline`, `no_new_heads` or `backing_off`; a later version may have others.
    pub code: String,
    /// The sources of light-client data that failed, for `no_new_heads`.
    pub sources: Vec<String>,
    /// When the watch tries again, in milliseconds since 1970, for `no_new_heads` and `backing_off`.
    pub until_ms: Option<u64>,
}

impl From<&saldo::Change> for Change {
    fn from(change: &saldo::Change) -> Self {
        match change {
            saldo::Change::Remembered { holding, last, freshness } => Self::Remembered {
                holding: holding.into(),
                last: last.as_ref().map(Proven::from),
                freshness: freshness.map(Freshness::from),
            },
            saldo::Change::Reading { holding, reading, freshness } => Self::Reading {
                holding: holding.into(),
                reading: reading.into(),
                freshness: freshness.map(Freshness::from),
            },
            saldo::Change::Withdrawn { holding, withdrawn, last, freshness } => Self::Withdrawn {
                holding: holding.into(),
                withdrawn: withdrawn.into(),
                last: last.as_ref().map(Proven::from),
                freshness: freshness.map(Freshness::from),
            },
            saldo::Change::Storage { unwritten } => {
                Self::Storage { unwritten: unwritten.map(|error| error.code().to_owned()) }
            }
            saldo::Change::Activity(activity) => Self::Activity { activity: activity.into() },
            _ => Self::Other { text: "a change of a kind that these bindings do not know".to_owned() },
        }
    }
}

impl From<&saldo::Activity> for Activity {
    fn from(activity: &saldo::Activity) -> Self {
        let at = |until: &saldo::UnixTime| Some(millis(until.saturating_sub(saldo::UnixTime::from_secs(0))));
        let (code, sources, until_ms) = match activity {
            saldo::Activity::Idle => ("idle", Vec::new(), None),
            saldo::Activity::Fetching => ("fetching", Vec::new(), None),
            saldo::Activity::Offline => ("offline", Vec::new(), None),
            saldo::Activity::NoNewHeads { sources, until } => {
                let sources = sources.iter().map(|source| source.as_str().to_owned()).collect();
                ("no_new_heads", sources, at(until))
            }
            saldo::Activity::BackingOff { until } => ("backing_off", Vec::new(), at(until)),
            _ => ("other", Vec::new(), None),
        };
        Self { code: code.to_owned(), sources, until_ms }
    }
}
