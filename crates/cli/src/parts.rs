//! The networks that one command reads, each with its tokens and its checks.

use saldo::{Address, Client, Holding, NetworkId, Outcome, Profile, Reading, TokenList, Why};

use crate::chain_id::ChainCheck;
use crate::exchanged::ExchangeCheck;
use crate::failure::CommandFailure;
use crate::setup::{Built, Checks, no_provider};
use crate::tokens::Tokens;

/// One network of a command.
pub(crate) struct Part {
    /// The command's client, for calls about this network.
    pub(crate) client: Client,
    pub(crate) tokens: Tokens,
    /// The check of a network file's chain id, until it is done.
    pub(crate) chain_check: Option<ChainCheck>,
    /// The check for exchanged URLs, until it is done or a reading is proven.
    pub(crate) exchange_check: Option<ExchangeCheck>,
    /// Whether its chain id is wrong, so that no amount is shown under its name.
    pub(crate) is_refused: bool,
    network: NetworkId,
    /// Why the client does not read it, if it does not.
    pub(crate) lack: Option<CommandFailure>,
}

impl Part {
    /// Takes in those of the `readings` that are of this network, and whether its chain id was `checked`. Returns the failure to report
    /// if that is wrong, or if its URLs were exchanged.
    ///
    /// # Errors
    /// A [`CommandFailure`] if the transport cannot be set up.
    pub(crate) async fn take_in(
        &mut self,
        holdings: &[Holding],
        readings: &[Reading],
        checked: Result<(), CommandFailure>,
    ) -> Result<Option<CommandFailure>, CommandFailure> {
        let network = self.network;
        let own = holdings.iter().zip(readings).filter(|(holding, _)| holding.network() == network);
        let readings: Vec<Reading> = own.map(|(_, reading)| reading.clone()).collect();
        // A reading without a proof that holds gives its own reason.
        if readings.iter().any(has_proof) {
            if let Err(failure) = checked {
                self.is_refused = true;
                return Ok(Some(failure));
            }
            self.chain_check = None;
        }
        let exchanged = match self.exchange_check.take() {
            Some(check) => check.run(&readings).await?,
            None => None,
        };
        self.tokens.learn(&self.client, &readings).await;
        Ok(exchanged)
    }
}

/// A network that the user named.
struct Shown {
    client: Client,
    network: NetworkId,
    name: String,
    checks: Option<Checks>,
    lack: Option<CommandFailure>,
}

impl Shown {
    fn of((client, checks): (Client, Checks)) -> Self {
        let (network, name) = (client.network_id(), client.network().name().to_owned());
        Self { client, network, name, checks: Some(checks), lack: None }
    }

    /// A rollup without a provider, which `client` does not read.
    fn lacking(client: &Client, profile: &Profile) -> Self {
        Self {
            client: client.clone(),
            network: NetworkId::new(profile.chain_id()),
            name: profile.name().to_owned(),
            checks: None,
            lack: Some(no_provider(profile)),
        }
    }
}

/// All networks of a command, at least one.
pub(crate) struct Parts {
    first: Part,
    others: Vec<Part>,
}

impl Parts {
    /// The networks of `client`, and those that it lacks, as they were `built`. One without checks is not shown. Reads the `named` tokens, and those of the list on each network.
    ///
    /// # Errors
    /// A usage failure if tokens are named of several networks, or if there are too many.
    pub(crate) fn new(
        client: &Client,
        built: Vec<Built>,
        named: &[Address],
        list: Option<&TokenList>,
    ) -> Result<Self, CommandFailure> {
        let mut networks = client.networks().into_iter();
        let mut shown: Vec<Shown> = Vec::new();
        for built in built {
            shown.extend(match built {
                Built::Network(checks) => networks.next().zip(checks).map(Shown::of),
                Built::Lacking(profile) => Some(Shown::lacking(client, &profile)),
            });
        }
        let is_one = shown.len() == 1;
        if !is_one && !named.is_empty() {
            return Err(CommandFailure::usage(
                "token_of_several_networks",
                "--token names a contract, and several networks are read",
                "Read the network of the token alone, or give a --token-list, which says the network of each.",
            ));
        }
        let part = |shown: Shown| -> Result<Part, CommandFailure> {
            let Shown { client, network, name, checks, lack } = shown;
            let tokens = Tokens::new(named.to_vec(), list, network)?;
            let tokens = if is_one { tokens } else { tokens.of_several(name) };
            let (chain_check, exchange_check) = checks.unzip();
            let chain_check = chain_check.flatten();
            Ok(Part { client, tokens, chain_check, exchange_check, is_refused: false, network, lack })
        };
        let mut parts = shown.into_iter().map(part);
        let first = parts.next().expect("the user named a network")?;
        Ok(Self { first, others: parts.collect::<Result<_, _>>()? })
    }

    pub(crate) fn first(&self) -> &Part {
        &self.first
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(&self.first).chain(&self.others)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Part> {
        std::iter::once(&mut self.first).chain(&mut self.others)
    }

    pub(crate) fn into_iter(self) -> impl Iterator<Item = Part> {
        std::iter::once(self.first).chain(self.others)
    }

    /// The network of `holding`.
    pub(crate) fn of(&self, holding: &Holding) -> &Part {
        self.iter().find(|part| part.network == holding.network()).unwrap_or(&self.first)
    }

    /// What is read for `owner`, on all networks.
    pub(crate) fn holdings(&self, owner: Address) -> Vec<Holding> {
        self.iter().flat_map(|part| part.tokens.holdings(part.network, owner)).collect()
    }

    /// How many holdings are read for one owner.
    pub(crate) fn holdings_of_one(&self) -> usize {
        self.iter().map(|part| part.tokens.holdings_of_one()).fold(0, usize::saturating_add)
    }
}

/// Whether a proof of the reading holds, also if the chain id of the network is wrong, so that no amount is shown.
fn has_proof(reading: &Reading) -> bool {
    let holds = || reading.attempts().iter().any(|attempt| attempt.outcome == Outcome::Joined);
    reading.proven().is_some() || matches!(reading.why(), Some(Why::WrongChain { .. })) && holds()
}
