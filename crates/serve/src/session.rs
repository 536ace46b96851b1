//! The subscriptions of one connection.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::error::RpcError;

/// The subscriptions of one connection. All are to new heads.
#[derive(Debug, Default)]
pub(crate) struct Session(Mutex<Subscriptions>);

#[derive(Debug, Default)]
struct Subscriptions {
    last: u64,
    /// By id, whether the caller knows the id already.
    known: BTreeMap<String, bool>,
}

impl Session {
    /// The most subscriptions of one connection.
    const MOST: usize = 16;

    /// Subscribes. The subscription begins with [`Session::begin`], once the caller has its id.
    ///
    /// # Errors
    /// [`RpcError`] if there are too many.
    pub(crate) fn subscribe(&self) -> Result<String, RpcError> {
        let mut subscriptions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if subscriptions.known.len() >= Self::MOST {
            return Err(RpcError::limit("too many subscriptions of one connection"));
        }
        subscriptions.last = subscriptions.last.saturating_add(1);
        let id = format!("{:#x}", subscriptions.last);
        subscriptions.known.insert(id.clone(), false);
        Ok(id)
    }

    /// Ends a subscription. Returns whether there was one.
    pub(crate) fn unsubscribe(&self, id: &str) -> bool {
        let mut subscriptions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        subscriptions.known.remove(id).is_some()
    }

    /// Notes that the caller has these ids.
    pub(crate) fn begin(&self, ids: &[String]) {
        let mut subscriptions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            if let Some(is_known) = subscriptions.known.get_mut(id) {
                *is_known = true;
            }
        }
    }

    /// The subscriptions that have begun.
    pub(crate) fn begun(&self) -> Vec<String> {
        let subscriptions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = subscriptions.known.iter().filter(|(_, is_known)| **is_known);
        begun.map(|(id, _)| id.clone()).collect()
    }
}
