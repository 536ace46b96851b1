//! Inputs of the target `light_client_object`.

use std::sync::OnceLock;

use saldo_beacon::decode::{self, Encoding};
use saldo_beacon::unit::Epoch;
use saldo_beacon::{DecodeError, Fork, LightClientBootstrap, LightClientUpdate, Network};
use saldo_drill::{Chain, Preset};

use crate::input::Input;

/// A kind of object that beacon sources send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `LightClientBootstrap`.
    Bootstrap,
    /// `LightClientUpdate`.
    Update,
    /// `LightClientFinalityUpdate`.
    FinalityUpdate,
    /// `LightClientOptimisticUpdate`.
    OptimisticUpdate,
    /// A list of updates.
    Updates,
}

impl Kind {
    /// All kinds, in the order in which inputs number them.
    pub const ALL: [Self; 5] =
        [Self::Bootstrap, Self::Update, Self::FinalityUpdate, Self::OptimisticUpdate, Self::Updates];

    /// Reads one update of this kind. Returns `None` if this is not a kind of one update.
    pub fn update(
        self,
        bytes: &[u8],
        encoding: Encoding,
        label: Option<&str>,
        network: &Network,
    ) -> Option<Result<LightClientUpdate, DecodeError>> {
        match self {
            Self::Update => Some(decode::update(bytes, encoding, label, network)),
            Self::FinalityUpdate => Some(decode::finality_update(bytes, encoding, label, network)),
            Self::OptimisticUpdate => Some(decode::optimistic_update(bytes, encoding, label, network)),
            Self::Bootstrap | Self::Updates => None,
        }
    }

    /// Returns the kind in which an update with these parts is written.
    pub fn of(update: &LightClientUpdate) -> Option<Self> {
        match (&update.next_sync_committee, &update.finality) {
            (Some(_), Some(_)) => Some(Self::Update),
            (None, Some(_)) => Some(Self::FinalityUpdate),
            (None, None) => Some(Self::OptimisticUpdate),
            (Some(_), None) => None,
        }
    }
}

/// Returns the labels that an answer can have: none, a known fork, or an unknown fork.
pub fn labels() -> [Option<&'static str>; 9] {
    let mut labels = [Some("heze"); 9];
    labels[0] = None;
    for (label, fork) in labels.iter_mut().skip(1).zip(Fork::ALL) {
        *label = Some(fork.name());
    }
    labels
}

/// Returns networks to read objects of: the built-in ones, a small one for each fork from genesis on, and two small ones
/// with a fork in every epoch. The table of the second of these has no times from Electra on.
pub fn networks() -> &'static [Network] {
    static NETWORKS: OnceLock<Vec<Network>> = OnceLock::new();
    NETWORKS.get_or_init(|| {
        let small = |fork| Chain::builder(1).fork(fork).history(1).build().network();
        let mut every_epoch = Chain::builder(1).fork(Fork::Altair).history(1);
        for (fork, epoch) in Fork::ALL.into_iter().skip(1).zip(1..) {
            every_epoch = every_epoch.fork_at(fork, Epoch::new(epoch));
        }
        let every_epoch = every_epoch.build();
        let large = Chain::builder(1).preset(Preset::Mainnet).history(1).build().network();
        let mut networks = Vec::from(Network::built_in());
        networks.extend(Fork::ALL.map(small));
        networks.extend([every_epoch.network(), every_epoch.network_before(Fork::Electra), large]);
        networks
    })
}

/// An answer, as an input describes it.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The network for which it is read.
    pub network: &'static Network,
    /// The kind of object that was requested.
    pub kind: Kind,
    /// The encoding.
    pub encoding: Encoding,
    /// The label.
    pub label: Option<&'static str>,
    /// The bytes.
    pub bytes: &'a [u8],
}

impl<'a> Answer<'a> {
    /// Reads an input: one byte each for network, kind, encoding and label, then the answer's bytes.
    pub fn of(input: &'a [u8]) -> Self {
        let mut input = Input::new(input);
        let mut choose = |count: usize| usize::from(input.byte()) % count;
        let network = &networks()[choose(networks().len())];
        let kind = Kind::ALL[choose(Kind::ALL.len())];
        let encoding = [Encoding::Ssz, Encoding::Json][choose(2)];
        let label = labels()[choose(labels().len())];
        Self { network, kind, encoding, label, bytes: input.rest() }
    }

    /// Writes an input. `network` and `label` are numbers.
    pub fn input(network: u8, kind: Kind, encoding: Encoding, label: u8, bytes: &[u8]) -> Vec<u8> {
        let kind = Kind::ALL.into_iter().position(|other| other == kind).unwrap_or_default() as u8;
        [&[network, kind, u8::from(encoding == Encoding::Json), label], bytes].concat()
    }

    /// Reads the answer as a bootstrap.
    ///
    /// # Errors
    /// Those of [`decode::bootstrap`].
    pub fn bootstrap(&self) -> Result<LightClientBootstrap, DecodeError> {
        decode::bootstrap(self.bytes, self.encoding, self.label, self.network)
    }
}
