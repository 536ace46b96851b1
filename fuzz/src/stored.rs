//! Inputs of the target `snapshot`.

use saldo_beacon::{LightClient, Network};
use sha2::{Digest, Sha256};

use crate::history::{History, histories};
use crate::input::Input;

/// Bytes before the body of a snapshot: the name of the format and its version.
const HEAD: usize = 10;
/// Bytes of the checksum at the end.
const CHECKSUM: usize = 32;

/// A stored light client, as an input describes it.
#[derive(Debug)]
pub struct Stored {
    /// The claimed chain.
    pub history: &'static History,
    /// The table for loading it.
    pub network: &'static Network,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Stored {
    /// Reads an input: one byte each for history and table, then a byte for the kind. If it is 0, the rest is a whole
    /// snapshot. Otherwise the rest is the body, and gets the head and the checksum: random bytes would fail at the
    /// checksum.
    pub fn of(input: &[u8]) -> Self {
        let mut input = Input::new(input);
        let history = &histories()[usize::from(input.byte()) % histories().len()];
        let network = &history.tables[usize::from(input.byte()) % history.tables.len()];
        if input.byte() == 0 {
            return Self { history, network, bytes: input.rest().to_vec() };
        }
        let mut bytes = b"saldo-lc\x01\x00".to_vec();
        bytes.extend(input.rest());
        bytes.extend(Sha256::digest(&bytes));
        Self { history, network, bytes }
    }

    /// Writes an input that is read as the snapshot of `client`.
    pub fn input(history: u8, table: u8, client: &LightClient) -> Vec<u8> {
        let snapshot = client.snapshot();
        [&[history, table, 1], &snapshot[HEAD..snapshot.len() - CHECKSUM]].concat()
    }
}
