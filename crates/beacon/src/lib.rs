//! Which head of an Ethereum chain its sync committee signed.
//!
//! The state of a beacon chain names, for each period of about 27 hours, 512 validators drawn at random: the sync
//! committee. They sign every head. Who knows one block of the chain, the [`Checkpoint`], knows its committee; a
//! committee signs heads whose state names the next one; and so on to today. [`LightClient`] walks that path with data
//! from sources it does not trust, and ends with an execution header whose state root account proofs can be checked
//! against.
//!
//! ```
//! use saldo_beacon::unit::UnixTime;
//! use saldo_beacon::{Checkpoint, LightClient, Network, decode, decode::Encoding};
//!
//! /// Starts from a checkpoint and takes one update, both as some server sent them.
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
//! The checkpoint, and from there on that fewer than a third of each sync committee signs what is not the chain. They
//! are drawn at random from all validators, but lying here costs them no stake: for large sums prefer the
//! [`finalized head`](LightClient::finalized_head), which still rests on their signature but names a block that
//! staked validators finalized. Less than two thirds of a committee prove nothing, neither a head nor a next committee.
//! Sources are not trusted at all: they can withhold, not deceive.
//!
//! # Modules
//! [`decode`] turns bytes into [`update`] types; [`LightClient`] checks and applies them, and gives a [`SignedHead`]
//! and a [`FinalizedHead`]. [`container`], [`merkle`] and [`signature`] are the arithmetic below, [`fork`] and
//! [`Network`] the tables, [`mod@unit`] slots and time. No sockets, no clock, no randomness: the time is an argument.

mod checkpoint;
pub mod container;
pub mod decode;
mod fault;
pub mod fork;
mod head;
mod light_client;
pub mod merkle;
mod network;
pub mod signature;
pub mod unit;
pub mod update;

pub use checkpoint::{Checkpoint, CheckpointFormatError, Origin, Voucher};
pub use decode::DecodeError;
pub use fault::Fault;
pub use fork::{Fork, UnknownFork};
pub use head::{Finality, FinalizedHead, SignedHead};
pub use light_client::{
    AdoptError, AdvanceError, Advanced, BootstrapError, ConsensusFault, Contradiction, LightClient,
    SignedUpdate, SnapshotError, Testimony, VerifiedFork, Wants,
};
pub use network::{BlobParameters, ForkDigest, Network, NetworkError, ScheduledFork};
pub use update::{Execution, LightClientBootstrap, LightClientHeader, LightClientUpdate};
