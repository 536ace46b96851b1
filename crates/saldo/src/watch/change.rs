//! The changes that a watch yields.

use saldo_beacon::unit::UnixTime;
use saldo_reading::{Freshness, Holding, Proven, ProviderId, Reading};

use crate::storage::StorageError;

/// Reports that something on the screen has to change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The last proven amount of a holding, which is not proven as of now. It is the first item of each
    /// holding, before any request of this watch. It comes again when the last reading may no longer be called
    /// proven: it is too old for the policy, or its age is not known. Show it with its age.
    Remembered {
        /// The holding that changed.
        holding: Holding,
        /// The last proven reading, possibly from an earlier run of the app ([`Proven::is_restored`]). `None`
        /// means that no amount is known, which is not zero.
        last: Option<Proven>,
        /// The age of `last`, compared with the policy; `None` if `last` is `None`.
        freshness: Option<Freshness>,
    },
    /// A holding was read, and the reading differs from the one before it: another block, amount, assurance or
    /// reason.
    Reading {
        /// The holding that changed.
        holding: Holding,
        /// The new reading.
        reading: Reading,
        /// The age of the block of [`Reading::latest_proven`], compared with the policy; `None` if nothing is
        /// proven.
        freshness: Option<Freshness>,
    },
    /// A reorganisation removed the block of the last proven reading: stop showing that reading.
    Withdrawn {
        /// The holding that changed.
        holding: Holding,
        /// The reading that no longer holds.
        withdrawn: Proven,
        /// The reading to show until the holding is read again: the newest at a finalized block, if there is
        /// one.
        last: Option<Proven>,
        /// The age of `last`, compared with the policy; `None` if `last` is `None`.
        freshness: Option<Freshness>,
    },
    /// The storage refuses to keep what is proven, or keeps it again. The readings are not affected; without the
    /// storage the next start of the app begins from the checkpoint.
    Storage {
        /// Why it refuses; `None` if everything is kept again. If [`StorageError::is_full`], ask the user to free some
        /// space.
        unwritten: Option<StorageError>,
    },
    /// The activity of the watch changed.
    Activity(Activity),
}

impl Change {
    /// Returns the holding that changed; `None` for [`Change::Activity`] and [`Change::Storage`], which concern all
    /// holdings.
    pub fn holding(&self) -> Option<&Holding> {
        match self {
            Self::Remembered { holding, .. }
            | Self::Reading { holding, .. }
            | Self::Withdrawn { holding, .. } => Some(holding),
            Self::Activity(_) | Self::Storage { .. } => None,
        }
    }

    /// Returns the newest proven reading that still holds, if there is one.
    pub fn latest_proven(&self) -> Option<&Proven> {
        match self {
            Self::Remembered { last, .. } | Self::Withdrawn { last, .. } => last.as_ref(),
            Self::Reading { reading, .. } => reading.latest_proven(),
            Self::Activity(_) | Self::Storage { .. } => None,
        }
    }
}

/// Says what a watch is doing. It is [`Activity::Idle`] until the first item of this kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Activity {
    /// The watch waits until the next block or the next proof is due.
    Idle,
    /// The watch sends requests and checks proofs.
    Fetching,
    /// The watch waits because the device is offline. It tries again at intervals, and at once when
    /// [`Client::network_changed`](crate::Client::network_changed) reports that the device is online.
    Offline,
    /// The watch waits because no source gave a new head in the last polls, two or more. What is shown keeps its
    /// amount, and its age grows.
    NoNewHeads {
        /// The sources of light-client data that failed in the last poll.
        sources: Vec<ProviderId>,
        /// The time of the next poll, by the device's clock.
        until: UnixTime,
    },
    /// The watch waits because its last requests failed.
    BackingOff {
        /// The time of the next try, by the device's clock.
        until: UnixTime,
    },
}
