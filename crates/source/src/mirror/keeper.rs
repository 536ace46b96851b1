//! Writes a mirror, and keeps it fresh.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use saldo_beacon::decode::{self, Encoding};
use saldo_beacon::unit::Slot;
use saldo_beacon::{Checkpoint, LightClient, Network as Schedule, Wants};
use saldo_reading::Attempt;

use super::file::File;
use super::folder::{self, MAX_FILE};
use super::gather::{Gatherer, Head, Verified};
use crate::clock::Deadline;
use crate::dispatcher::Dispatcher;
use crate::endpoint::Endpoint;
use crate::io::Io;

/// Keeps a mirror in a folder: fetches light-client data from untrusted sources, verifies it as every light client does, and
/// writes the verified bytes unchanged.
pub struct Keeper {
    gatherer: Gatherer,
    checkpoint: Checkpoint,
    folder: PathBuf,
    periods: u64,
    light_client: Option<LightClient>,
}

/// What one refresh did.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The files that are new or changed, relative to the folder.
    pub written: Vec<String>,
    /// The files of older heads that were removed.
    pub removed: Vec<String>,
    /// The slot of the newest signed head, if this refresh verified one.
    pub head: Option<Slot>,
    /// The newest final block that was verified.
    pub finalized: Checkpoint,
    /// The attempts to fetch what no source had, or had only old.
    pub attempts: Vec<Attempt>,
}

/// Why a mirror could not be refreshed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeepError {
    /// No source returned a bootstrap of the checkpoint that verifies. The sources' fault, or the checkpoint is too old.
    #[error("no source returned a bootstrap of the checkpoint that verifies")]
    NotStarted {
        /// One attempt for each source.
        attempts: Vec<Attempt>,
    },
    /// The folder cannot be read or written. The fault of the caller or of this machine.
    #[error("the mirror's folder cannot be written: {kind}")]
    Folder {
        /// The system's kind of error.
        kind: io::ErrorKind,
    },
}

impl From<io::Error> for KeepError {
    /// Drops the system's own text: it may hold a path.
    fn from(error: io::Error) -> Self {
        Self::Folder { kind: error.kind() }
    }
}

impl Keeper {
    /// A keeper of the mirror in `folder`, which may not exist yet. Trust starts at `checkpoint`.
    pub fn new(
        io: Io,
        schedule: impl Into<Arc<Schedule>>,
        sources: Vec<Endpoint>,
        checkpoint: Checkpoint,
        folder: impl Into<PathBuf>,
    ) -> Self {
        Self {
            gatherer: Gatherer { dispatcher: Dispatcher::new(io), schedule: schedule.into(), sources },
            checkpoint,
            folder: folder.into(),
            periods: u64::MAX,
            light_client: None,
        }
    }

    /// Writes only the updates of the newest `periods` periods, instead of all since the checkpoint.
    #[must_use]
    pub fn periods(mut self, periods: u64) -> Self {
        self.periods = periods;
        self
    }

    /// Follows the chain to the present, and writes what is new: the bootstraps of the checkpoint and of the newest final block,
    /// the updates of the periods, and the newest heads. Earlier bootstraps and updates stay. Takes at most `timeout`, plus the
    /// time for writing.
    ///
    /// # Errors
    /// [`KeepError`] if no source has a bootstrap, or the folder cannot be written.
    pub async fn refresh(&mut self, timeout: Duration) -> Result<Kept, KeepError> {
        let deadline = Deadline::after(self.gatherer.dispatcher.io().clock(), timeout);
        let (mut verified, mut attempts) = (Vec::new(), Vec::new());
        let mut client = match self.light_client.clone() {
            Some(client) => client,
            None => {
                let hedged = self.gatherer.bootstrap(self.checkpoint, deadline).await;
                let Some((_, (client, bootstrap))) = hedged.winner else {
                    return Err(KeepError::NotStarted { attempts: hedged.attempts });
                };
                verified.push(bootstrap);
                client
            }
        };
        while let Wants::Updates { start, count } = client.wants(self.gatherer.now()) {
            let hedged = self.gatherer.committee_updates(&client, start, count, deadline).await;
            let Some((_, (advanced, updates))) = hedged.winner else {
                // The update of the present period may not exist yet.
                if !client.knows_committee_at(self.gatherer.now()) {
                    attempts.extend(hedged.attempts);
                }
                break;
            };
            client = advanced;
            verified.extend(updates.into_iter().filter(|update| self.is_wanted(update)));
        }
        let mut newest = None;
        for file in [File::FinalityUpdate, File::OptimisticUpdate] {
            let (head, asked) = self.gatherer.head(&client, file, deadline).await;
            if head.as_ref().is_none_or(|head| head.is_behind) {
                attempts.extend(asked);
            }
            if let Some(Head { slot, client: advanced, verified: update, .. }) = head {
                newest = newest.max(Some(slot));
                verified.push(update);
                client = advanced;
            }
        }
        let head = client.finalized_head();
        let finalized = Checkpoint { root: head.beacon_root(), slot: Some(head.slot()) };
        if !self.has(File::Bootstrap(finalized.root)) && finalized.root != self.checkpoint.root {
            let hedged = self.gatherer.bootstrap(finalized, deadline).await;
            match hedged.winner {
                Some((_, (_, bootstrap))) => verified.push(bootstrap),
                None => attempts.extend(hedged.attempts),
            }
        }
        self.light_client = Some(client);
        let (written, removed) = self.write(verified)?;
        Ok(Kept { written, removed, head: newest, finalized, attempts })
    }

    fn is_wanted(&self, update: &Verified) -> bool {
        let Some(present) = self.gatherer.schedule.slot_at(self.gatherer.now()) else { return true };
        let before = self.gatherer.schedule.period_at(present).saturating_sub(self.periods);
        match update.file {
            // The present period counts as one of them.
            File::Update(period) => self.periods == u64::MAX || period > before,
            _ => true,
        }
    }

    fn has(&self, file: File) -> bool {
        let mut forks = file.forks(&self.gatherer.schedule, self.gatherer.now()).into_iter();
        forks.any(|fork| self.folder.join(file.path(fork.name())).is_file())
    }

    /// Writes each object after those that a reader needs before it.
    fn write(&self, mut verified: Vec<Verified>) -> Result<(Vec<String>, Vec<String>), KeepError> {
        let (mut written, mut removed) = (Vec::new(), Vec::new());
        fs::create_dir_all(&self.folder)?;
        verified.sort_by_key(|verified| verified.file);
        for Verified { file, fork, bytes } in verified {
            let path = file.path(fork);
            if folder::write(&self.folder, &path, &bytes)? {
                written.push(path.clone());
            }
            if matches!(file, File::FinalityUpdate | File::OptimisticUpdate) {
                removed.extend(folder::remove_others(&self.folder, &file.stem(), &path)?);
            }
        }
        Ok((written, removed))
    }
}

impl std::fmt::Debug for Keeper {
    /// Leaves the folder out: its path may hold the user's name.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("sources", &self.gatherer.sources).finish_non_exhaustive()
    }
}

/// The block of the newest bootstrap in a mirror's folder, for a [`Keeper`] that continues there. It was verified when it was
/// written, so it is as trusted as the folder.
pub fn newest_checkpoint(folder: &Path, schedule: &Schedule) -> Option<Checkpoint> {
    let entries = fs::read_dir(folder.join("bootstrap")).ok()?.flatten();
    let dated =
        entries.filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.file_name())));
    let mut dated: Vec<_> = dated.collect();
    dated.sort_by(|one, another| another.cmp(one));
    dated.into_iter().find_map(|(_, name)| {
        let name = name.to_str()?;
        let (root, fork) = name.strip_suffix(".ssz")?.split_once('.')?;
        let bytes = folder::read(folder, &format!("bootstrap/{name}"), MAX_FILE).ok()??;
        let bootstrap = decode::bootstrap(&bytes, Encoding::Ssz, Some(fork), schedule).ok()?;
        Some(Checkpoint { root: root.parse().ok()?, slot: Some(bootstrap.header.beacon.slot) })
    })
}
