//! The tokens that a command looks at beside the native coin, and how their amounts are written.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use saldo::{
    Address, Amount, Asset, Client, Coverage, Holding, InfoSource, NetworkId, Proven, Reading, Symbol,
    TokenInfo, TokenList, TokenReading,
};

use crate::address;
use crate::failure::CommandFailure;
use crate::text::counted;

/// The most tokens that are read for each address. A thousand proofs are about 14 MB.
const MOST: usize = 1_000;
/// The most tokens whose codes are run for decimals and symbols.
const MOST_RUN: usize = 20;
/// How long the output waits for decimals and symbols.
const RUN_WAIT: Duration = Duration::from_secs(4);
/// How many wrong arguments are named one by one.
const NAMED: usize = 20;
/// What some programs write in place of a contract when they mean the native coin.
const PLACEHOLDERS: [Address; 2] = [Address::repeat_byte(0xee), Address::ZERO];

/// Reads the arguments of `--token`.
///
/// # Errors
/// A usage failure that names each wrong argument with its number.
pub(crate) fn of_arguments(arguments: &[String]) -> Result<Vec<Address>, CommandFailure> {
    let (mut tokens, mut wrong) = (Vec::new(), Vec::new());
    for (text, number) in arguments.iter().zip(1..) {
        match parse(text) {
            Ok(token) => tokens.push(token),
            Err(failure) => wrong.push(failure.at(&format!("--token number {number}"))),
        }
    }
    if wrong.is_empty() { Ok(tokens) } else { Err(CommandFailure::of_all(wrong, NAMED)) }
}

/// Reads the address of a token's contract.
///
/// # Errors
/// A usage failure that says what is wrong.
pub(crate) fn parse(text: &str) -> Result<Address, CommandFailure> {
    let is_symbol =
        text.len() <= Symbol::MAX_CHARS && !text.starts_with("0x") && !text.contains(['.', ':', '/']);
    if is_symbol {
        return Err(CommandFailure::usage(
            "not_an_address",
            "this is not the address of a contract",
            "Give the address of the token's contract: any token can have any symbol.",
        ));
    }
    let token = address::parse(text)?;
    if PLACEHOLDERS.contains(&token) {
        return Err(CommandFailure::usage(
            "native_coin",
            "this address is no contract: some programs write it for the native coin",
            "Leave it out: the native coin is always read.",
        ));
    }
    Ok(token)
}

/// The tokens that a command looks at.
#[derive(Default)]
pub(crate) struct Tokens {
    coverage: Coverage,
    has_list: bool,
    /// The name of the network, where several are read.
    network: Option<String>,
    /// What the codes of tokens say of their decimals and symbols.
    run: BTreeMap<Address, TokenInfo>,
}

impl Tokens {
    /// Chooses the tokens that were `named`, and those of the list on the network.
    ///
    /// # Errors
    /// A usage failure if there are too many.
    pub(crate) fn new(
        named: Vec<Address>,
        list: Option<&TokenList>,
        network: NetworkId,
    ) -> Result<Self, CommandFailure> {
        let coverage = Coverage::of_tokens(named);
        let coverage = match list {
            Some(list) => coverage.with_list(list, network.chain_id()),
            None => coverage,
        };
        let tokens = coverage.tokens().len();
        if tokens > MOST {
            let detail = format!("{tokens} tokens are too many: at most {MOST} are read for an address");
            return Err(CommandFailure::usage("too_many_tokens", detail, "Give a shorter list."));
        }
        Ok(Self { coverage, has_list: list.is_some(), ..Self::default() })
    }

    /// The same, where several networks are read: each line names its network.
    pub(crate) fn of_several(self, name: String) -> Self {
        Self { network: Some(name), ..self }
    }

    /// What is looked at.
    pub(crate) fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// What is read for `owner`: the native coin, and then each token.
    pub(crate) fn holdings(&self, network: NetworkId, owner: Address) -> Vec<Holding> {
        let tokens = self.coverage.tokens().iter().map(|token| Holding::erc20(network, owner, *token));
        std::iter::once(Holding::native(network, owner)).chain(tokens).collect()
    }

    /// How many holdings are read for one owner.
    pub(crate) fn holdings_of_one(&self) -> usize {
        self.coverage.tokens().len().saturating_add(1)
    }

    /// What is known of the holding's token.
    pub(crate) fn info(&self, holding: &Holding) -> Option<&TokenInfo> {
        let token = token_of(holding)?;
        self.coverage.info(token).or_else(|| self.run.get(&token))
    }

    /// Asks for the decimals and the symbol of tokens that no list declares and of which `readings` prove an amount: the tokens'
    /// codes are run. An amount is shown without them if they do not come in time.
    pub(crate) async fn learn(&mut self, client: &Client, readings: &[Reading]) {
        let is_open = |token: &Address| self.coverage.info(*token).is_none() && !self.run.contains_key(token);
        let proven = readings.iter().filter_map(Reading::proven);
        let open: Vec<Address> =
            proven.filter_map(|proven| token_of(proven.holding())).filter(is_open).collect();
        let mut seen = std::collections::BTreeSet::new();
        let asked = open.into_iter().filter(|token| seen.insert(*token)).take(MOST_RUN);
        let looks = join_all(asked.map(|token| client.token(token)));
        for look in tokio::time::timeout(RUN_WAIT, looks).await.unwrap_or_default() {
            if let TokenReading::Proven(proven) = look
                && let Some(info) = proven.info()
            {
                self.run.insert(proven.description().token(), info.clone());
            }
        }
    }

    /// How many decimals the amounts of the holding have; `None` if that is not known.
    pub(crate) fn decimals(&self, holding: &Holding) -> Option<u8> {
        match token_of(holding) {
            None => Some(18),
            Some(_) => self.info(holding).map(TokenInfo::decimals),
        }
    }

    /// A proven amount with its unit, how the unit is known, and whether it is frozen.
    pub(crate) fn amount(&self, proven: &Proven) -> String {
        let amount = self.quantity(proven.holding(), proven.amount());
        if proven.is_frozen() {
            format!("{amount}, frozen by the issuer: it cannot be moved")
        } else {
            amount
        }
    }

    /// An amount with its unit, and how the unit is known.
    pub(crate) fn quantity(&self, holding: &Holding, amount: Amount) -> String {
        if token_of(holding).is_none() {
            return format!("{} {}", amount.format(18), coin(holding.network()));
        }
        let Some(info) = self.info(holding) else {
            return format!("{} base units (its decimals are not known)", amount.base_units());
        };
        let source = match info.source() {
            InfoSource::List => "as the token list declares it",
            InfoSource::Execution => "as its code says",
            _ => "not proven",
        };
        format!("{} {} ({source})", amount.format(info.decimals()), symbol(info.symbol()))
    }

    /// What a line is about: the network where there are several, the owner, and the token's contract.
    pub(crate) fn subject(&self, holding: &Holding) -> String {
        let network = self.network.iter().map(|name| format!("{name}  ")).collect::<String>();
        match token_of(holding) {
            None => format!("{network}{}", holding.owner()),
            Some(token) => format!("{network}{}  token {token}", holding.owner()),
        }
    }

    /// What is wrong with the symbol that is shown for the holding; `None` if nothing is.
    pub(crate) fn warning(&self, holding: &Holding) -> Option<String> {
        let flaws = self.info(holding)?.symbol().flaws();
        let words: Vec<String> = flaws.iter().map(ToString::to_string).collect();
        (!words.is_empty()).then(|| format!("do not trust the symbol: {}", words.join("; ")))
    }

    /// Which tokens were looked at; `None` if no token was asked for.
    pub(crate) fn coverage_line(&self) -> Option<String> {
        let tokens = self.coverage.tokens().len();
        if tokens == 0 && !self.has_list {
            return None;
        }
        let counted = counted(tokens, "token");
        let mut line = format!(
            "looked at the native coin and {counted} for each address: nothing is said about other tokens"
        );
        let of_list = [
            (self.coverage.other_networks(), "of other networks"),
            (self.coverage.skipped(), "not readable, or there twice"),
        ];
        for (count, what) in of_list.into_iter().filter(|(count, _)| *count > 0) {
            line.push_str(&format!("; entries of the list {what}: {count}"));
        }
        Some(line)
    }
}

/// What the native coin of a network is called.
fn coin(network: NetworkId) -> &'static str {
    /// Gnosis, and its test network Chiado.
    const XDAI: [u64; 2] = [100, 10_200];
    if XDAI.contains(&network.chain_id()) { "xDAI" } else { "ether" }
}

/// The contract of the holding's token; `None` for the native coin.
pub(crate) fn token_of(holding: &Holding) -> Option<Address> {
    match holding.asset() {
        Asset::Erc20(token) => Some(token),
        _ => None,
    }
}

/// A symbol after an amount. One that could be read as a part of the number, or has a flaw, is in quotes.
pub(crate) fn symbol(symbol: &Symbol) -> String {
    let text = symbol.as_str();
    let is_plain = symbol.flaws().is_empty()
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || "+-_.".contains(character));
    if is_plain { text.to_owned() } else { format!("\"{text}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_is_no_part_of_the_number_before_it() {
        for plain in ["USDC", "wstETH", "USDC.e", "USD0++"] {
            assert_eq!(symbol(&Symbol::new(plain)), plain);
        }
        for odd in ["000 USDC", ".5", "5X", "USD C", "$1", "\u{421}USD", "", "ETH", "a\"b"] {
            assert_eq!(symbol(&Symbol::new(odd)), format!("\"{odd}\""));
        }
    }

    #[test]
    fn each_wrong_token_is_named_with_its_number() {
        let right = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2";
        let of = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
            of_arguments(&arguments).map_err(|failure| format!("{failure:?}"))
        };
        assert_eq!(of(&[right, &right.to_lowercase()]).unwrap().len(), 2);
        for (wrong, said) in [
            ("USDC", "any token can have any symbol"),
            ("0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756CC2", "wrong_checksum"),
            ("0x1234", "40 hexadecimal digits"),
            ("usdc.eth", "name_not_supported"),
            ("0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE", "the native coin is always read"),
            ("0x0000000000000000000000000000000000000000", "native_coin"),
        ] {
            let failure = of(&[right, wrong]).unwrap_err();
            assert!(failure.contains(said) && failure.contains("--token number 2: "), "{failure}");
            assert!(!failure.contains("number 1"), "{failure}");
        }
    }
}
