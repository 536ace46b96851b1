//! The settings of a client.

use std::fmt;
use std::time::Duration;

use saldo::{Client, ClientBuilder, Directory, Level, Network, Slot, StorageKey, Trust};

use crate::endpoint::Endpoint;
use crate::setup::SetupError;

/// The settings of a client. Only `network` and some endpoints are needed.
#[derive(Clone, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct ClientConfig {
    /// A built-in network (`mainnet`, `sepolia`, `hoodi`), or the text of a network file.
    pub network: String,
    /// The providers of proofs.
    #[uniffi(default = [])]
    pub rpc: Vec<Endpoint>,
    /// The beacon sources of light-client data.
    #[uniffi(default = [])]
    pub beacon: Vec<Endpoint>,
    /// Mirrors of light-client data: plain files under a URL.
    #[uniffi(default = [])]
    pub mirrors: Vec<Endpoint>,
    /// A finalized block that the app vouches for. It is used first.
    #[uniffi(default = None)]
    pub checkpoint: Option<Checkpoint>,
    /// Who is asked which block trust starts from, if no checkpoint is given or it is too old.
    #[uniffi(default = [])]
    pub checkpoint_sources: Vec<Endpoint>,
    /// How many operators of the checkpoint sources must agree; 2 by default.
    #[uniffi(default = None)]
    pub agreement: Option<u32>,
    /// Whether to add the built-in endpoints of the network. Their operators see the addresses that are read.
    #[uniffi(default = false)]
    pub use_directory: bool,
    /// More endpoints, as the text of a directory file.
    #[uniffi(default = None)]
    pub directory_file: Option<String>,
    /// What a reading must satisfy; by default a signed block, at most 5 minutes old.
    #[uniffi(default = None)]
    pub policy: Option<Policy>,
    /// The number of operators that must run the providers, and the beacon sources.
    #[uniffi(default = 1)]
    pub minimum_operators: u32,
    /// 32 secret bytes of the system's key store. Stored records without a code by this key are dropped.
    #[uniffi(default = None)]
    pub storage_key: Option<Vec<u8>>,
    /// Whether the storage must not be written: for a widget beside the app.
    #[uniffi(default = false)]
    pub is_storage_read_only: bool,
    /// The least important lines that the log gets: `error`, `warn`, `info`, `debug` or `trace`.
    #[uniffi(default = "info")]
    pub log_level: String,
}

/// A beacon block that trust starts from.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Checkpoint {
    /// The root of the block: 0x and 64 hexadecimal digits.
    pub root: String,
    /// The slot of the block, if it is known.
    #[uniffi(default = None)]
    pub slot: Option<u64>,
}

/// What a reading must satisfy, and the limits of a read.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Policy {
    /// Whether only finalized blocks count. They are 13 to 20 minutes old on mainnet.
    #[uniffi(default = false)]
    pub finalized: bool,
    /// How old the block may be, in seconds; by default 300, or 1,800 for finalized blocks.
    #[uniffi(default = None)]
    pub max_age_seconds: Option<u64>,
    /// How long a read may take, in milliseconds.
    #[uniffi(default = 4000)]
    pub deadline_ms: u64,
    /// How many operators may see one address while one of them proves its balance.
    #[uniffi(default = 2)]
    pub operators_per_address: u32,
    /// Whether no more operators may see an address even if these prove nothing.
    #[uniffi(default = false)]
    pub strict: bool,
}

/// How many requests the watches of a client may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Pace {
    /// The user sees the readings.
    Foreground,
    /// The user does not see the readings: they are proven again every 30 minutes.
    Background,
    /// No request is made.
    Paused,
}

/// Shows no URL and no key, also in the other languages.
impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rpc, beacon) = (self.rpc.len(), self.beacon.len().saturating_add(self.mirrors.len()));
        write!(f, "ClientConfig(providers: {rpc}, beacon sources: {beacon})")
    }
}

impl fmt::Display for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl ClientConfig {
    /// Returns the settings of a client of `network`, without endpoints.
    pub fn new(network: impl Into<String>) -> Self {
        Self {
            network: network.into(),
            rpc: Vec::new(),
            beacon: Vec::new(),
            mirrors: Vec::new(),
            checkpoint: None,
            checkpoint_sources: Vec::new(),
            agreement: None,
            use_directory: false,
            directory_file: None,
            policy: None,
            minimum_operators: 1,
            storage_key: None,
            is_storage_read_only: false,
            log_level: "info".to_owned(),
        }
    }

    /// Returns a builder with these settings.
    ///
    /// # Errors
    /// [`SetupError`] if a text cannot be read. What else cannot be used is refused when the client is built.
    pub(crate) fn builder(&self) -> Result<ClientBuilder, SetupError> {
        let network = read_network(&self.network)?;
        let mut directory = if self.use_directory { Directory::of(&network) } else { Directory::default() };
        if let Some(file) = &self.directory_file {
            directory = directory.extended_by(Directory::from_toml(file)?);
        }
        let mut builder = Client::builder(network);
        for endpoint in &self.rpc {
            builder = builder.rpc(read_endpoint("provider", endpoint)?);
        }
        for endpoint in &self.beacon {
            builder = builder.beacon(read_endpoint("beacon_source", endpoint)?);
        }
        for endpoint in &self.mirrors {
            builder = builder.mirror(read_endpoint("beacon_source", endpoint)?);
        }
        for endpoint in &self.checkpoint_sources {
            builder = builder.checkpoint_source(read_endpoint("checkpoint_source", endpoint)?);
        }
        builder = builder.directory(&directory);
        if let Some(checkpoint) = &self.checkpoint {
            builder = builder.checkpoint(checkpoint.read()?);
        }
        if let Some(k) = self.agreement {
            builder = builder.checkpoint(Trust::agree(wide(k)));
        }
        if let Some(key) = &self.storage_key {
            let key: [u8; 32] = key
                .as_slice()
                .try_into()
                .map_err(|_| SetupError::new("storage_key", "the storage key must have 32 bytes"))?;
            builder = builder.storage_key(StorageKey::new(key));
        }
        let policy = self.policy.as_ref().map_or_else(saldo::Policy::signed, saldo::Policy::from);
        Ok(builder.policy(policy).minimum_operators(wide(self.minimum_operators)))
    }
}

/// Reads the name of a built-in network, or the text of a network file.
///
/// # Errors
/// [`SetupError`] if it is neither.
pub(crate) fn read_network(text: &str) -> Result<Network, SetupError> {
    let is_name = !text.contains(['=', '\n']);
    match Network::named(text.trim()) {
        Some(network) => Ok(network),
        None if is_name => {
            let text = "no built-in network has this name; give `mainnet`, `sepolia`, `hoodi`, or the text of a network file";
            Err(SetupError::new("unknown_network", text))
        }
        None => Ok(Network::from_toml(text)?),
    }
}

fn read_endpoint(code: &str, endpoint: &Endpoint) -> Result<saldo::Endpoint, SetupError> {
    saldo::Endpoint::try_from(endpoint).map_err(|error| SetupError::new(code, error))
}

fn wide(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl Checkpoint {
    pub(crate) fn read(&self) -> Result<saldo::Checkpoint, SetupError> {
        let malformed =
            || SetupError::new("checkpoint", "the root of a checkpoint has 0x and 64 hexadecimal digits");
        let digits =
            self.root.strip_prefix("0x").filter(|digits| digits.len() == 64).ok_or_else(malformed)?;
        let root = digits.parse().map_err(|_| malformed())?;
        Ok(saldo::Checkpoint { root, slot: self.slot.map(Slot::new) })
    }
}

impl From<&saldo::Checkpoint> for Checkpoint {
    fn from(checkpoint: &saldo::Checkpoint) -> Self {
        Self { root: checkpoint.root.to_string(), slot: checkpoint.slot.map(|slot| slot.get()) }
    }
}

impl From<&Policy> for saldo::Policy {
    fn from(policy: &Policy) -> Self {
        let base = if policy.finalized { Self::finalized() } else { Self::signed() };
        Self {
            max_age: policy.max_age_seconds.map_or(base.max_age, Duration::from_secs),
            deadline: Duration::from_millis(policy.deadline_ms),
            operators_per_address: wide(policy.operators_per_address),
            strict: policy.strict,
            ..base
        }
    }
}

impl From<&saldo::Policy> for Policy {
    fn from(policy: &saldo::Policy) -> Self {
        Self {
            finalized: policy.assurance == Level::Finalized,
            max_age_seconds: Some(policy.max_age.as_secs()),
            deadline_ms: crate::number::millis(policy.deadline),
            operators_per_address: crate::number::narrow(policy.operators_per_address),
            strict: policy.strict,
        }
    }
}

impl From<Pace> for saldo::Pace {
    fn from(pace: Pace) -> Self {
        match pace {
            Pace::Foreground => Self::Foreground,
            Pace::Background => Self::Background,
            Pace::Paused => Self::Paused,
        }
    }
}
