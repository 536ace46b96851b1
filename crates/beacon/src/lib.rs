//! Which head of an Ethereum chain its sync committee signed.
//!
//! For each period of about 27 hours, the state of a beacon chain names 512 validators drawn at random: the sync
//! committee. They sign every head. One known block of the chain, the [`Checkpoint`], proves its committee. A committee
//! signs heads whose state names the next committee, and so on to today. [`LightClient`] follows that path with data
//! from sources that it does not trust. The result is an execution header with a state root, which account proofs are
//! checked against.
//!
//! ```
//! use saldo_beacon::unit::UnixTime;
//! use saldo_beacon::{Checkpoint, LightClient, Network, decode, decode::Encoding};
//!
//! /// Starts from a checkpoint and takes one update. The bytes are what a server sent.
//! fn follow(checkpoint: Checkpoint, bootstrap: &[u8], update: &[u8], now: UnixTime) -> Result<(), Box<dyn std::error::Error>> {
//!     let network = Network::mainnet();
//!     let bootstrap = decode::bootstrap(bootstrap, Encoding::Ssz, None, &network)?;
//!     let update = decode::optimistic_update(update, Encoding::Json, None, &network)?;
//!
//!     let mut client = LightClient::bootstrap(network, checkpoint, bootstrap, now)?;
//!     client.advance(update, now)?;
//!     if let Some(head) = client.signed_head() {
//!         println!("{} of {} signed {:?}", head.signers(), head.committee_size(), head.execution().block_hash());
//!     }
//!     Ok(())
//! }
//! # let checkpoint = format!("0x{}", "11".repeat(32)).parse().unwrap();
//! # assert!(follow(checkpoint, &[], &[], UnixTime::from_secs(0)).is_err());
//! ```
//!
//! # What is trusted
//! Two things are trusted: the checkpoint, and that fewer than a third of each sync committee sign a false head. The
//! members are drawn at random from all validators, but a false signature costs them no stake. For large sums prefer
//! the [`finalized head`](LightClient::finalized_head): it still needs their signature, but names a block that staked
//! validators finalized. Signatures of fewer than two thirds of a committee prove nothing, neither a head nor a next
//! committee. Sources are not trusted: they can withhold data, but they cannot deceive.
//!
//! # Modules
//! [`decode`] turns bytes into [`update`] types, and [`encode`] the other way; [`LightClient`] checks and applies them, and gives a [`SignedHead`]
//! and a [`FinalizedHead`]. [`container`], [`merkle`] and [`signature`] are the arithmetic that they use. [`fork`] and
//! [`Network`] are the tables, and [`mod@unit`] has slots and time. The crate uses no sockets, no clock and no
//! randomness: the time is an argument.

mod checkpoint;
pub mod container;
pub mod decode;
pub mod encode;
mod fault;
pub mod fork;
mod head;
mod light_client;
pub mod merkle;
mod network;
pub mod plain_toml;
pub mod signature;
pub mod unit;
pub mod update;

pub use checkpoint::{Checkpoint, CheckpointFormatError, Origin, Voucher};
pub use decode::DecodeError;
pub use fault::Fault;
pub use fork::{Fork, UnknownFork};
pub use head::{Finality, FinalizedHead, SignedHead};
pub use light_client::{
    AdoptError, AdvanceError, Advanced, BootstrapError, CommitteeField, CommitteeProof, CommitteeTrust,
    CondensedError, CondensedHeads, ConsensusFault, Contradiction, LightClient, SignedUpdate, SnapshotError,
    Testimony, VerifiedFork, Wants,
};
pub use network::{BlobParameters, ForkDigest, Network, NetworkError, ScheduledFork, TomlFault};
pub use update::{Execution, LightClientBootstrap, LightClientHeader, LightClientUpdate};
