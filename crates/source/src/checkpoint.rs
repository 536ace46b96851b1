//! Requests to a checkpoint source: which block is at a slot, and how far finality is. The replies do not prove themselves: each
//! is the word of one operator. The requests name no address.

use alloy_primitives::B256;
use saldo_beacon::unit::{Epoch, Slot};
use saldo_reading::Failure;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::beacon::{Route, fetch};
use crate::clock::Deadline;
use crate::endpoint::Endpoint;
use crate::io::Io;
use crate::maybe_send::BoxedFuture;

/// The members around the data of every reply. Some servers leave the flags out, some write them as text.
#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    execution_optimistic: Flag,
    #[serde(default)]
    finalized: Flag,
    data: Box<RawValue>,
}

/// Absent, null and other text are no flag.
#[derive(Default)]
struct Flag(Option<bool>);

impl Flag {
    fn is(&self, value: bool) -> bool {
        self.0 == Some(value)
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Box::<RawValue>::deserialize(deserializer)?;
        match written.get() {
            "true" | "\"true\"" => Ok(Self(Some(true))),
            "false" | "\"false\"" => Ok(Self(Some(false))),
            other if other == "null" || other.starts_with('"') => Ok(Self(None)),
            _ => Err(D::Error::custom("not a flag")),
        }
    }
}

#[derive(Deserialize)]
struct Root {
    root: String,
}

#[derive(Deserialize)]
struct Header {
    root: String,
    header: SignedHeader,
}

#[derive(Deserialize)]
struct SignedHeader {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    slot: String,
}

#[derive(Deserialize)]
struct FinalityCheckpoints {
    finalized: FinalizedEpoch,
}

#[derive(Deserialize)]
struct FinalizedEpoch {
    epoch: String,
}

/// Asks for the root of the finalized block at `slot`: by `blocks/{slot}/root`, and where that is not served, by
/// `headers/{slot}`.
///
/// # Errors
/// A [`Failure`] that says why there is no root. [`Failure::NotServed`] may also mean that the slot is empty: servers do not
/// agree on how to tell the two apart. [`Failure::NotFinal`] if the source says that the block is not final.
pub async fn block_root(io: &Io, source: &Endpoint, slot: Slot, deadline: Deadline) -> Result<B256, Failure> {
    match ask::<Root>(io, source, Route::BlockRoot(slot), deadline).await {
        Ok(data) => root(&data.root),
        // Some servers answer HTTP 500 on a route that they do not have.
        Err(missing @ (Failure::NotServed { .. } | Failure::Http { status: 500 })) => {
            let header = match ask::<Header>(io, source, Route::Header(slot), deadline).await {
                Err(Failure::NotServed { .. }) => return Err(missing),
                header => header?,
            };
            if number(&header.header.message.slot)? != slot.get() {
                return Err(Failure::Malformed { what: "the header of another slot" });
            }
            root(&header.root)
        }
        Err(failure) => Err(failure),
    }
}

/// Asks for the epoch of the newest checkpoint that the source calls final. The reply's own flags are not read: they are about
/// the state at the head, which is never final.
///
/// # Errors
/// A [`Failure`] that says why there is no epoch.
pub async fn finalized_epoch(io: &Io, source: &Endpoint, deadline: Deadline) -> Result<Epoch, Failure> {
    let answer = envelope(io, source, Route::FinalityCheckpoints, deadline).await?;
    number(&answer.data::<FinalityCheckpoints>()?.finalized.epoch).map(Epoch::new)
}

/// The data, unless the source says that it is not final or not verified.
async fn ask<T: DeserializeOwned>(
    io: &Io,
    source: &Endpoint,
    route: Route,
    deadline: Deadline,
) -> Result<T, Failure> {
    let envelope = envelope(io, source, route, deadline).await?;
    if envelope.finalized.is(false) || envelope.execution_optimistic.is(true) {
        return Err(Failure::NotFinal);
    }
    envelope.data()
}

/// Boxed, so that its code is there once.
fn envelope<'a>(
    io: &'a Io,
    source: &'a Endpoint,
    route: Route,
    deadline: Deadline,
) -> BoxedFuture<'a, Result<Envelope, Failure>> {
    Box::pin(async move {
        let data = fetch(io, source, route, deadline.left(io.clock())).await?;
        serde_json::from_slice(&data.bytes).map_err(|_| NOT_OF_THIS_ROUTE)
    })
}

const NOT_OF_THIS_ROUTE: Failure = Failure::Malformed { what: "not the JSON of this route" };

impl Envelope {
    fn data<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(self.data.get()).map_err(|_| NOT_OF_THIS_ROUTE)
    }
}

/// Reads a block root. Some servers leave the `0x` out.
fn root(text: &str) -> Result<B256, Failure> {
    text.parse().map_err(|_| Failure::Malformed { what: "not a block root" })
}

fn number(text: &str) -> Result<u64, Failure> {
    text.parse().map_err(|_| Failure::Malformed { what: "not a number" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Envelope {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn flags_may_be_missing_or_written_as_text() {
        let bare = read(r#"{"data":{"root":"11"}}"#);
        assert!(!bare.finalized.is(false) && !bare.finalized.is(true));
        let plain = read(r#"{"finalized":false,"execution_optimistic":true,"data":{"root":"11"}}"#);
        assert!(plain.finalized.is(false) && plain.execution_optimistic.is(true));
        let text = read(r#"{"finalized":"false","execution_optimistic":"true","data":{"root":"11"}}"#);
        assert!(text.finalized.is(false) && text.execution_optimistic.is(true));
        let unclear = read(r#"{"finalized":null,"execution_optimistic":"maybe","data":{"root":"11"}}"#);
        assert!(!unclear.finalized.is(false) && !unclear.execution_optimistic.is(true));
    }

    #[test]
    fn a_root_is_32_bytes_with_or_without_its_prefix() {
        let plain = "ab".repeat(32);
        assert_eq!(root(&plain), Ok(B256::repeat_byte(0xab)));
        assert_eq!(root(&format!("0x{plain}")), Ok(B256::repeat_byte(0xab)));
        for wrong in ["", "0x", "0x12", &"ab".repeat(33), "finalized"] {
            assert_eq!(root(wrong), Err(Failure::Malformed { what: "not a block root" }), "{wrong}");
        }
    }
}
