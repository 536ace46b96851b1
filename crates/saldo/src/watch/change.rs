//! What a watch tells.

use saldo_beacon::unit::UnixTime;
use saldo_reading::{Freshness, Holding, Proven, Reading};

/// Something that a screen shows is another now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// What is known of a holding without a proof of this moment. The first item of each holding, at once, before any
    /// provider was asked for this watch; and again where what was proven may not be called so any more, because it has
    /// become too old for the policy or its age is not known. Show it with its age.
    Remembered {
        /// Of what.
        holding: Holding,
        /// What was proven last, maybe before the app was started ([`Proven::is_restored`]); `None`: nothing is known, which
        /// is not zero.
        last: Option<Proven>,
        /// How old that is.
        freshness: Option<Freshness>,
    },
    /// A holding was read, and the reading says something else than the one before it: another block, amount, assurance or
    /// reason.
    Reading {
        /// Of what.
        holding: Holding,
        /// The reading.
        reading: Reading,
        /// How old the block of [`Reading::latest_proven`] is; `None` where nothing is proven.
        freshness: Option<Freshness>,
    },
    /// The chain took back the block of what was proven last: do not show it any more.
    Withdrawn {
        /// Of what.
        holding: Holding,
        /// What no longer holds.
        withdrawn: Proven,
        /// What holds instead until it is read again: the newest at a finalized block, if there is one.
        last: Option<Proven>,
        /// How old that is.
        freshness: Option<Freshness>,
    },
    /// The watch does something else now.
    Activity(Activity),
}

impl Change {
    /// What it is about; `None` for an [`Activity`], which is about all.
    pub fn holding(&self) -> Option<&Holding> {
        match self {
            Self::Remembered { holding, .. }
            | Self::Reading { holding, .. }
            | Self::Withdrawn { holding, .. } => Some(holding),
            Self::Activity(_) => None,
        }
    }

    /// The newest proven amount that holds, if there is one.
    pub fn latest_proven(&self) -> Option<&Proven> {
        match self {
            Self::Remembered { last, .. } | Self::Withdrawn { last, .. } => last.as_ref(),
            Self::Reading { reading, .. } => reading.latest_proven(),
            Self::Activity(_) => None,
        }
    }
}

/// What a watch does. [`Activity::Idle`] until the first one is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Activity {
    /// Nothing, until the next block or re-proof is due.
    Idle,
    /// Asks and proves.
    Fetching,
    /// Nothing, because the device has no network. It tries again now and then, and at once when
    /// [`Client::network_changed`](crate::Client::network_changed) says that there is one.
    Offline,
    /// Nothing, because what was tried last failed.
    BackingOff {
        /// When it tries again, by the device's clock.
        until: UnixTime,
    },
}
