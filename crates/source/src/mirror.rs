//! Light-client objects as plain files, under any URL or in a folder.
//!
//! All of them prove themselves, so any web server, content store or disk will do. [`fetch`] asks a mirror as if it were a beacon
//! source; [`Keeper`] writes a mirror.
//!
//! ```text
//! bootstrap/0xROOT.FORK.ssz      the bootstrap of the block with this root
//! updates/PERIOD.FORK.ssz        an update of the period, with the next committee
//! finality_update.FORK.ssz       the newest finality update
//! optimistic_update.FORK.ssz     the newest optimistic update
//! ```
//!
//! Each file is one object in SSZ. SSZ does not say of which fork an object is, so the file's name does. A reader knows the fork
//! from its schedule: it needs no index, and mostly no second request.

mod file;
mod folder;
mod gather;
mod keeper;

use std::time::Duration;

use futures_util::future::join_all;
use saldo_beacon::decode::Encoding;
use saldo_beacon::unit::{Period, UnixTime};
use saldo_beacon::{Network as Schedule, ScheduledFork};
use saldo_reading::Failure;

use crate::beacon::{Data, MAX_UPDATES, Route, refusal};
use crate::classify::is_web_page;
use crate::clock::Deadline;
use crate::endpoint::Endpoint;
use crate::io::Io;
use crate::transport::{Method, Request};

pub use file::File;
pub use folder::MAX_FILE;
pub use keeper::{KeepError, Keeper, Kept, newest_checkpoint};

/// Fetches from a mirror what a beacon API returns on `route`, if it is light-client data: one file, or for updates one file for
/// each period, up to the first that is missing.
///
/// The possible forks of a file follow from the `schedule` and the time. The most likely name is tried first, and at most four
/// are.
///
/// # Errors
/// A [`Failure`] that says why there is no data: [`Failure::NotServed`] if there is no such file.
pub async fn fetch(
    io: &Io,
    schedule: &Schedule,
    now: UnixTime,
    source: &Endpoint,
    route: Route,
    timeout: Duration,
) -> Result<Data, Failure> {
    let deadline = Deadline::after(io.clock(), timeout);
    let reader = Reader { io, schedule, now, source, route, deadline };
    match route {
        Route::Bootstrap(root) => reader.object(File::Bootstrap(root)).await,
        Route::FinalityUpdate => reader.object(File::FinalityUpdate).await,
        Route::OptimisticUpdate => reader.object(File::OptimisticUpdate).await,
        Route::Updates { start, count } => reader.updates(start, count.min(MAX_UPDATES)).await,
        _ => Err(reader.not_served()),
    }
}

/// Reads the files for one route.
struct Reader<'a> {
    io: &'a Io,
    schedule: &'a Schedule,
    now: UnixTime,
    source: &'a Endpoint,
    route: Route,
    deadline: Deadline,
}

impl<'a> Reader<'a> {
    async fn object(&self, file: File) -> Result<Data, Failure> {
        let (bytes, fork) = self.find(file).await?.ok_or_else(|| self.not_served())?;
        Ok(Data { bytes, encoding: Encoding::Ssz, fork: Some(fork.name().to_owned()) })
    }

    /// The updates as a beacon API returns them: each after its length and its fork's digest.
    async fn updates(&self, start: Period, count: u64) -> Result<Data, Failure> {
        // Without the first update the others cannot be applied.
        let first = self.find(File::Update(start)).await?.ok_or_else(|| self.not_served())?;
        let others = (1..count).map(|index| self.find(File::Update(start.saturating_add(index))));
        let others = join_all(others).await;
        let others = others.into_iter().map_while(|found| found.ok().flatten());
        let mut bytes = Vec::new();
        for (update, fork) in std::iter::once(first).chain(others) {
            let digest = self.schedule.fork_digest_of(fork);
            let length = update.len().saturating_add(digest.len());
            bytes.extend(u64::try_from(length).unwrap_or(u64::MAX).to_le_bytes());
            bytes.extend(digest);
            bytes.extend(update);
        }
        Ok(Data { bytes, encoding: Encoding::Ssz, fork: None })
    }

    /// The file under the first of its possible names that exists.
    async fn find(&self, file: File) -> Result<Option<(Vec<u8>, &'a ScheduledFork)>, Failure> {
        let mut page = None;
        for fork in file.forks(self.schedule, self.now) {
            match self.read(&file.path(fork.name())).await {
                Ok(Some(bytes)) => return Ok(Some((bytes, fork))),
                Ok(None) => {}
                // Many file servers answer with a page for a missing file; so does the sign-in page of a network.
                Err(Failure::WebPage) => page = Some(Failure::WebPage),
                Err(failure) => return Err(failure),
            }
        }
        page.map_or(Ok(None), Err)
    }

    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        if let Some(folder) = self.source.folder_path() {
            return folder::read(folder, path, MAX_FILE);
        }
        let request = Request {
            method: Method::Get,
            url: self.source.url().join(&format!("/{path}"), &[]),
            headers: vec![("accept", "application/octet-stream".to_owned())],
            body: Vec::new(),
            timeout: self.deadline.left(self.io.clock()),
            max_bytes: MAX_FILE,
        };
        let response = self.io.exchange(self.source, request).await?;
        match response.status {
            200 if is_web_page(&response) => Err(Failure::WebPage),
            200 => Ok(Some(response.body)),
            // Content stores that do not list their files answer 403 for a missing one.
            403 | 404 | 410 => Ok(None),
            _ => Err(refusal(&response, self.route)),
        }
    }

    fn not_served(&self) -> Failure {
        Failure::NotServed { method: self.route.name() }
    }
}
