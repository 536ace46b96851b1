//! The networks that one command reads, each with its tokens and its checks.

use saldo::{Address, Client, Holding, Outcome, Reading, TokenList, Why};

use crate::chain_id::ChainCheck;
use crate::exchanged::ExchangeCheck;
use crate::failure::CommandFailure;
use crate::setup::Checks;
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
        let network = self.client.network_id();
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

/// All networks of a command, at least one.
pub(crate) struct Parts {
    first: Part,
    others: Vec<Part>,
}

impl Parts {
    /// The networks of `client`, with the checks of each. One without checks is not shown. Reads the `named` tokens, and those of the list on each network.
    ///
    /// # Errors
    /// A usage failure if tokens are named of several networks, or if there are too many.
    pub(crate) fn new(
        client: &Client,
        checks: Vec<Option<Checks>>,
        named: &[Address],
        list: Option<&TokenList>,
    ) -> Result<Self, CommandFailure> {
        let both = client.networks().into_iter().zip(checks);
        let shown: Vec<(Client, Checks)> =
            both.filter_map(|(client, checks)| checks.map(|checks| (client, checks))).collect();
        let is_one = shown.len() == 1;
        if !is_one && !named.is_empty() {
            return Err(CommandFailure::usage(
                "token_of_several_networks",
                "--token names a contract, and several networks are read",
                "Read the network of the token alone, or give a --token-list, which says the network of each.",
            ));
        }
        let part = |(client, (chain_check, exchange_check)): (Client, _)| -> Result<Part, CommandFailure> {
            let tokens = Tokens::new(named.to_vec(), list, &client)?;
            let tokens = if is_one { tokens } else { tokens.of_several(&client) };
            Ok(Part { client, tokens, chain_check, exchange_check: Some(exchange_check), is_refused: false })
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

    /// The network of `holding`.
    pub(crate) fn of(&self, holding: &Holding) -> &Part {
        self.iter().find(|part| part.client.network_id() == holding.network()).unwrap_or(&self.first)
    }

    /// What is read for `owner`, on all networks.
    pub(crate) fn holdings(&self, owner: Address) -> Vec<Holding> {
        self.iter().flat_map(|part| part.tokens.holdings(&part.client, owner)).collect()
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
