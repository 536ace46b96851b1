//! A client of saldo as a WebAssembly module. JavaScript gives it the transport, the clock with its timers, and the
//! storage. For `client.mjs`, which reads a balance with it in Node.
//!
//! A call that takes bytes reads them from the [`buffer`], and leaves its text there. A read is begun by [`read`], and
//! goes on with each [`settle`]: the module starts no thread and no timer of its own.
#![expect(unsafe_code, reason = "names that JavaScript can call, and functions of JavaScript that this module calls")]

mod outside;

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use alloy_primitives::{Address, B256};
use saldo::{Checkpoint, Client, Holding, Network, Reading};

use outside::{Device, Host, Kept};

/// The call is done, and its text is in the buffer.
pub const DONE: u32 = 0;
/// The read waits for JavaScript.
pub const PENDING: u32 = 1;
/// The input cannot be used, or no client was built.
pub const REFUSED: u32 = 2;

type Read = Pin<Box<dyn Future<Output = String>>>;

#[derive(Default)]
struct State {
    buffer: Vec<u8>,
    client: Option<Client>,
    read: Option<Read>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Makes the buffer `length` bytes long and returns its address. The address is valid until the next call of any
/// function.
#[unsafe(no_mangle)]
pub extern "C" fn buffer(length: usize) -> *mut u8 {
    STATE.with_borrow_mut(|state| {
        state.buffer.resize(length, 0);
        state.buffer.as_mut_ptr()
    })
}

/// Returns the length of the text in the buffer, in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn length() -> usize {
    STATE.with_borrow(|state| state.buffer.len())
}

/// Builds a client of mainnet with one provider and one mirror. Buffer: the root of the checkpoint (32 bytes).
#[unsafe(no_mangle)]
pub extern "C" fn build() -> u32 {
    STATE.with_borrow_mut(|state| {
        let root = B256::try_from(state.buffer.as_slice());
        let built = root.ok().and_then(|root| {
            let client = Client::builder(Network::mainnet()).rpc("https://provider.example/key");
            let client = client.mirror("https://mirror.example").checkpoint(Checkpoint { root, slot: None });
            client.transport(Host).clock(Device).storage(Kept).build().ok()
        });
        state.client = built;
        if state.client.is_some() { DONE } else { REFUSED }
    })
}

/// Begins to read a balance. Buffer: the address (20 bytes). Ends as [`settle`] does.
#[unsafe(no_mangle)]
pub extern "C" fn read() -> u32 {
    let begun = STATE.with_borrow_mut(|state| {
        let owner = Address::try_from(state.buffer.as_slice()).ok()?;
        let client = state.client.clone()?;
        state.read = Some(Box::pin(async move { describe(&client.balance(owner).await) }));
        Some(())
    });
    begun.map_or(REFUSED, |()| go_on())
}

/// Returns the last proven amount of an address, or `none`. Buffer: the address (20 bytes). It asks nothing.
#[unsafe(no_mangle)]
pub extern "C" fn last() -> u32 {
    STATE.with_borrow_mut(|state| {
        let (Ok(owner), Some(client)) = (Address::try_from(state.buffer.as_slice()), &state.client) else {
            return REFUSED;
        };
        let last = client.last(&Holding::native(client.network_id(), owner));
        let text = last.map_or_else(|| "none".to_owned(), |last| last.amount().base_units().to_string());
        state.buffer = text.into_bytes();
        DONE
    })
}

/// Gives the answer to what JavaScript was asked under this number: a status, and bytes in the buffer. A status of 0 means
/// that there is no answer. Returns [`DONE`] once the read has ended.
#[unsafe(no_mangle)]
pub extern "C" fn settle(number: u32, status: u32) -> u32 {
    let bytes = STATE.with_borrow_mut(|state| std::mem::take(&mut state.buffer));
    outside::settle(number, status, bytes);
    go_on()
}

/// Polls the read. It is taken out of the state meanwhile, because what it asks of JavaScript may call back.
fn go_on() -> u32 {
    let Some(mut read) = STATE.with_borrow_mut(|state| state.read.take()) else { return REFUSED };
    // Whatever wakes the read goes through `settle`, which polls it anyway.
    let polled = read.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    STATE.with_borrow_mut(|state| match polled {
        Poll::Ready(text) => {
            state.buffer = text.into_bytes();
            DONE
        }
        Poll::Pending => {
            state.read = Some(read);
            PENDING
        }
    })
}

fn describe(reading: &Reading) -> String {
    match reading {
        Reading::Proven(proven) => {
            let (amount, anchor) = (proven.amount().base_units(), proven.anchor());
            format!(r#"{{"amount":"{amount}","block":{},"hash":"{}"}}"#, anchor.number(), anchor.hash())
        }
        Reading::Provisional(claim) => format!(r#"{{"provisional":"{}"}}"#, claim.why().code()),
        Reading::Unknown(unknown) => {
            let last = unknown.last().map_or_else(String::new, |last| last.amount().base_units().to_string());
            format!(r#"{{"unknown":"{}","last":"{last}"}}"#, unknown.why().code())
        }
    }
}
