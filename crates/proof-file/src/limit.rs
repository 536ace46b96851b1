//! How much a file may hold. Every limit is checked before the memory is taken.

use saldo_chain::{Chain, ExecutionHeader};
use saldo_proof::trie;

/// The most bytes of a file.
pub const MAX_BYTES: usize = 2 << 20;
/// The most updates of a complete file: one for each period between the checkpoint and the head. A checkpoint of mainnet is
/// too old after 14 periods.
pub const MAX_UPDATES: usize = 32;
/// The most keys, and the most roots, of a compact file.
pub const MAX_MEMBERS: usize = 2_048;
/// The most roots of a branch.
pub const MAX_BRANCH: usize = 64;
/// The most headers: one for a head that names only the hash of its block, and its ancestors.
pub const MAX_HEADERS: usize = 65;
/// The most bytes of one header.
pub const MAX_HEADER_BYTES: usize = ExecutionHeader::MAX_BYTES;
/// The most holdings.
pub const MAX_HOLDINGS: usize = 256;
/// The most accounts.
pub const MAX_ACCOUNTS: usize = 1_024;
/// The most slots of one account.
pub const MAX_SLOTS: usize = 1_024;
/// The most nodes of all tries together, each kept once.
pub const MAX_NODES: usize = 16_384;
/// The most nodes of one proof.
pub const MAX_PATH: usize = trie::MAX_NODES;
/// The most bytes of one node.
pub const MAX_NODE_BYTES: usize = trie::MAX_NODE_BYTES;
/// The most nodes of all proofs together, counted as often as a proof names one.
pub const MAX_PLACES: usize = 65_536;
/// The most codes of contracts.
pub const MAX_CODES: usize = 256;
/// The most tokens whose own code is run. A run takes up to 50 ms.
pub const MAX_RUNS: usize = 64;
/// The most bytes of one code.
pub const MAX_CODE_BYTES: usize = 65_536;

const _: () = assert!(Chain::MAX_ANCESTRY == 64 && MAX_HEADERS == 65, "as deep as a chain of saldo goes");
