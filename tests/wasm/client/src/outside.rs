//! What JavaScript does for the client: it sends requests, keeps the time, wakes after a while, and stores bytes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use saldo::{
    BoxedFuture, Clock, Entries, Method, Request, Response, Storage, StorageError, Transport, TransportError,
    UnixTime, Version, Write,
};

#[link(wasm_import_module = "outside")]
unsafe extern "C" {
    safe fn seconds() -> u64;
    safe fn milliseconds() -> u64;
    safe fn sleep(number: u32, milliseconds: u64);
    safe fn send(number: u32, url: *const u8, url_length: usize, body: *const u8, body_length: usize);
    safe fn load(number: u32);
    safe fn apply(number: u32, changes: *const u8, length: usize);
    safe fn cancel(number: u32);
}

/// A status and bytes.
type Answer = (u32, Vec<u8>);

/// What JavaScript was asked, and its answers that were not fetched yet.
#[derive(Default)]
struct Asked {
    count: u32,
    open: BTreeMap<u32, (Option<Answer>, Waker)>,
}

thread_local! {
    static ASKED: RefCell<Asked> = RefCell::default();
}

/// Gives the answer of JavaScript to what it was asked under this number.
pub(crate) fn settle(number: u32, status: u32, bytes: Vec<u8>) {
    let waker = ASKED.with_borrow_mut(|asked| {
        asked.open.get_mut(&number).map(|(answer, waker)| {
            *answer = Some((status, bytes));
            waker.clone()
        })
    });
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Waits for the answer of JavaScript. Dropping it cancels the work there.
struct Reply(u32);

impl Reply {
    /// Asks under a number of its own.
    fn to(ask: impl FnOnce(u32)) -> Self {
        let number = ASKED.with_borrow_mut(|asked| {
            asked.count = asked.count.wrapping_add(1);
            asked.open.insert(asked.count, (None, Waker::noop().clone()));
            asked.count
        });
        ask(number);
        Self(number)
    }
}

impl Future for Reply {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        ASKED.with_borrow_mut(|asked| match asked.open.get_mut(&self.0) {
            Some((answer, waker)) => {
                waker.clone_from(context.waker());
                answer.take().map_or(Poll::Pending, Poll::Ready)
            }
            None => Poll::Pending,
        })
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        ASKED.with_borrow_mut(|asked| asked.open.remove(&self.0));
        cancel(self.0);
    }
}

/// The requests of JavaScript.
pub(crate) struct Host;

impl Transport for Host {
    fn send(&self, request: Request) -> BoxedFuture<'_, Result<Response, TransportError>> {
        let url = request.url.expose().to_string();
        let body = match request.method {
            Method::Get => Vec::new(),
            Method::Post => request.body,
        };
        Box::pin(async move {
            match Reply::to(|number| send(number, url.as_ptr(), url.len(), body.as_ptr(), body.len())).await {
                (0, _) => Err(TransportError::Connect),
                (status, body) => {
                    let status = u16::try_from(status).unwrap_or(u16::MAX);
                    Ok(Response { status, headers: Vec::new(), body })
                }
            }
        })
    }
}

/// The clocks and timers of JavaScript.
pub(crate) struct Device;

impl Clock for Device {
    fn wall(&self) -> UnixTime {
        UnixTime::from_secs(seconds())
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(milliseconds())
    }

    fn sleep(&self, duration: Duration) -> BoxedFuture<'static, ()> {
        let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Box::pin(async move {
            Reply::to(|number| sleep(number, milliseconds)).await;
        })
    }
}

/// The storage of JavaScript. Each entry is a line: the name, a space, and the value in hexadecimal digits, or nothing if
/// it is to be removed. The first line is the version.
pub(crate) struct Kept;

impl Storage for Kept {
    fn load(&self) -> BoxedFuture<'_, Result<(Entries, Version), StorageError>> {
        Box::pin(async {
            let (_, bytes) = Reply::to(|number| load(number)).await;
            entries(&bytes).ok_or(StorageError::Damaged)
        })
    }

    fn apply(
        &self,
        changes: Vec<Write>,
        expected: Version,
    ) -> BoxedFuture<'_, Result<Version, StorageError>> {
        let mut text = format!("{}\n", expected.get());
        for Write { name, value } in changes {
            let value = value.map_or_else(String::new, alloy_primitives::hex::encode);
            text.push_str(&format!("{name} {value}\n"));
        }
        let reply = Reply::to(|number| apply(number, text.as_ptr(), text.len()));
        Box::pin(async move {
            match reply.await {
                (0, _) => Err(StorageError::Conflict),
                _ => Ok(expected.next()),
            }
        })
    }
}

fn entries(bytes: &[u8]) -> Option<(Entries, Version)> {
    let mut lines = std::str::from_utf8(bytes).ok()?.lines();
    let version = Version::new(lines.next()?.parse().ok()?);
    let entry = |line: &str| {
        let (name, value) = line.split_once(' ')?;
        Some((name.to_owned(), alloy_primitives::hex::decode(value).ok()?))
    };
    Some((lines.map(entry).collect::<Option<Entries>>()?, version))
}
