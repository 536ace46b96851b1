//! The settings of a client.

use std::fmt;
use std::time::Duration;

use saldo::{ClientBuilder, Directory, Level, Slot, StorageKey, Trust};

use crate::endpoint::Endpoint;
use crate::network::Named;
use crate::setup::SetupError;

/// The settings of a client. Only `network` and some endpoints are needed.
#[derive(Clone, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct ClientConfig {
    /// A built-in network (`mainnet`, `sepolia`, `hoodi`, `gnosis`), or the text of a network file.
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
    /// The further networks of the client: each has endpoints, trust and a policy of its own. A holding names its network, so calls about
    /// holdings take those of all networks together. Keep the first network the first: the storage is shared.
    #[uniffi(default = [])]
    pub others: Vec<NetworkConfig>,
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

/// A further network of a client.
#[derive(Clone, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct NetworkConfig {
    /// A built-in network, a rollup (`base`, `base-sepolia`, `op`, `op-sepolia`, `unichain`, `ink`), or the text of a network file or of a
    /// rollup's profile. The L1 of a rollup must be a network of the same client.
    pub network: String,
    /// The providers of proofs. A rollup needs nothing else: all trust is L1's.
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
    /// Whether to add the built-in endpoints of the network. There are none of rollups.
    #[uniffi(default = false)]
    pub use_directory: bool,
    /// More endpoints, as the text of a directory file.
    #[uniffi(default = None)]
    pub directory_file: Option<String>,
    /// What a reading must satisfy; by default a signed block, of a rollup a block of which Ethereum checked a proof.
    #[uniffi(default = None)]
    pub policy: Option<Policy>,
    /// The number of operators that must run the providers, and the beacon sources.
    #[uniffi(default = 1)]
    pub minimum_operators: u32,
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
    /// Whether only finalized blocks count. They are 13 to 20 minutes old on mainnet, and up to 8 days on a rollup.
    #[uniffi(default = false)]
    pub finalized: bool,
    /// How old the block may be, in seconds; by default 300, or 1,800 for finalized blocks; of a rollup 3 hours, or 8 days.
    #[uniffi(default = None)]
    pub max_age_seconds: Option<u64>,
    /// How long a read may take, in milliseconds; by default 4,000, of a rollup 8,000.
    #[uniffi(default = None)]
    pub deadline_ms: Option<u64>,
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
        let others = self.others.len();
        write!(f, "ClientConfig(providers: {rpc}, beacon sources: {beacon}, other networks: {others})")
    }
}

impl fmt::Display for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Shows no URL, also in the other languages.
impl fmt::Debug for NetworkConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rpc, beacon) = (self.rpc.len(), self.beacon.len().saturating_add(self.mirrors.len()));
        write!(f, "NetworkConfig(providers: {rpc}, beacon sources: {beacon})")
    }
}

impl fmt::Display for NetworkConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl ClientConfig {
    /// Returns the settings of a client of `network`, without endpoints.
    pub fn new(network: impl Into<String>) -> Self {
        let first = NetworkConfig::new(network);
        Self {
            network: first.network,
            rpc: first.rpc,
            beacon: first.beacon,
            mirrors: first.mirrors,
            checkpoint: first.checkpoint,
            checkpoint_sources: first.checkpoint_sources,
            agreement: first.agreement,
            use_directory: first.use_directory,
            directory_file: first.directory_file,
            policy: first.policy,
            minimum_operators: first.minimum_operators,
            others: Vec::new(),
            storage_key: None,
            is_storage_read_only: false,
            log_level: "info".to_owned(),
        }
    }

    /// The settings of the first network.
    fn first(&self) -> NetworkConfig {
        NetworkConfig {
            network: self.network.clone(),
            rpc: self.rpc.clone(),
            beacon: self.beacon.clone(),
            mirrors: self.mirrors.clone(),
            checkpoint: self.checkpoint.clone(),
            checkpoint_sources: self.checkpoint_sources.clone(),
            agreement: self.agreement,
            use_directory: self.use_directory,
            directory_file: self.directory_file.clone(),
            policy: self.policy.clone(),
            minimum_operators: self.minimum_operators,
        }
    }

    /// Returns a builder with these settings.
    ///
    /// # Errors
    /// [`SetupError`] if a text cannot be read. What else cannot be used is refused when the client is built.
    pub(crate) fn builder(&self) -> Result<ClientBuilder, SetupError> {
        let mut builder = self.first().builder()?;
        for other in &self.others {
            builder = builder.and(other.builder()?);
        }
        if let Some(key) = &self.storage_key {
            let key: [u8; 32] = key
                .as_slice()
                .try_into()
                .map_err(|_| SetupError::new("storage_key", "the storage key must have 32 bytes"))?;
            builder = builder.storage_key(StorageKey::new(key));
        }
        Ok(builder)
    }
}

impl NetworkConfig {
    /// Returns the settings of `network`, without endpoints.
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
        }
    }

    fn builder(&self) -> Result<ClientBuilder, SetupError> {
        let named = Named::read(&self.network)?;
        let policy = self.policy.as_ref().map_or_else(|| named.policy(), |policy| policy.of(&named));
        let mut directory = if self.use_directory { named.directory() } else { Directory::default() };
        if let Some(file) = &self.directory_file {
            directory = directory.extended_by(Directory::from_toml(file)?);
        }
        let mut builder = named.builder();
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
        Ok(builder.policy(policy).minimum_operators(wide(self.minimum_operators)))
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

impl Policy {
    /// The policy for a network. What is not set is as usual there.
    fn of(&self, network: &Named) -> saldo::Policy {
        let base = if self.finalized { network.finalized() } else { network.policy() };
        saldo::Policy {
            max_age: self.max_age_seconds.map_or(base.max_age, Duration::from_secs),
            deadline: self.deadline_ms.map_or(base.deadline, Duration::from_millis),
            operators_per_address: wide(self.operators_per_address),
            strict: self.strict,
            ..base
        }
    }
}

impl From<&saldo::Policy> for Policy {
    fn from(policy: &saldo::Policy) -> Self {
        Self {
            finalized: matches!(policy.assurance, Level::Finalized | Level::L1Finalized),
            max_age_seconds: Some(policy.max_age.as_secs()),
            deadline_ms: Some(crate::number::millis(policy.deadline)),
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
