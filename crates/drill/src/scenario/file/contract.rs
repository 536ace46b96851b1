//! The contracts of a scenario file.

use alloy_primitives::{Address, B256, U256};
use saldo_token::{layouts, proxies};
use serde::Deserialize;

use super::member::is_plain;
use crate::ContractCode;
use crate::scenario::{Contract, ScenarioError};

/// The most contracts of one file.
const MAX_CONTRACTS: usize = 16;
/// The first byte of the first contract's address, which is repeated.
const FIRST: u8 = 0x31;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    name: String,
    code: CodeName,
    points_to: Option<String>,
    #[serde(default)]
    slots: Vec<Word>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    key: U256,
    value: U256,
}

/// The name of a code.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum CodeName {
    Nothing,
    Unknown,
    OldBlockHash,
    MinimalProxy,
    Named(ContractCode),
}

impl TryFrom<String> for CodeName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match name.as_str() {
            "none" => Ok(Self::Nothing),
            "unknown" => Ok(Self::Unknown),
            "old_block_hash" => Ok(Self::OldBlockHash),
            "minimal_proxy" => Ok(Self::MinimalProxy),
            name => ContractCode::named(name).map(Self::Named).ok_or_else(|| no_code(name)),
        }
    }
}

fn no_code(name: &str) -> String {
    let known = layouts().iter().map(|it| it.name).chain(proxies().iter().map(|it| it.name));
    let known: Vec<&str> =
        ["none", "unknown", "old_block_hash", "minimal_proxy"].into_iter().chain(known).collect();
    let is_like = |other: &&&str| other.eq_ignore_ascii_case(&name.replace('-', "_"));
    match known.iter().find(is_like) {
        Some(like) => format!("there is no code `{name}`; did you mean `{like}`?"),
        None => format!("there is no code `{name}`, expected one of {}", known.join(", ")),
    }
}

impl CodeName {
    /// The code, where a proxy points to `target`.
    ///
    /// # Errors
    /// What is wrong, if a proxy has no target, or another code has one.
    pub(super) fn code(self, target: Option<Address>) -> Result<ContractCode, &'static str> {
        match (self, target) {
            (Self::MinimalProxy, Some(target)) => Ok(ContractCode::MinimalProxy(target)),
            (Self::Named(code @ ContractCode::Proxy(_)), Some(_)) => Ok(code),
            (Self::MinimalProxy | Self::Named(ContractCode::Proxy(_)), None) => {
                Err("it is a proxy, and does not say what it `points_to`")
            }
            (_, Some(_)) => Err("it is no proxy, and `points_to` another contract"),
            (Self::Nothing, None) => Ok(ContractCode::Nothing),
            (Self::Unknown, None) => Ok(ContractCode::Unknown),
            (Self::OldBlockHash, None) => Ok(ContractCode::OldBlockHash),
            (Self::Named(code), None) => Ok(code),
        }
    }
}

/// The contracts of the file, and the address of the token that wallets read.
pub(super) fn contracts(
    entries: &[Entry],
    token: Option<&str>,
) -> Result<(Vec<Contract>, Option<Address>), ScenarioError> {
    let wrong = |problem: String| ScenarioError::Contracts(problem);
    if entries.len() > MAX_CONTRACTS {
        return Err(wrong(format!("more than {MAX_CONTRACTS} contracts")));
    }
    let addresses = (FIRST..).map(Address::repeat_byte);
    let named: Vec<(&str, Address)> =
        entries.iter().zip(addresses).map(|(entry, address)| (entry.name.as_str(), address)).collect();
    for (place, (name, _)) in named.iter().enumerate() {
        if !is_plain(name) {
            return Err(wrong(format!("`{name}`: a name is 1 to 32 of a-z, 0-9 and -")));
        }
        if named.iter().take(place).any(|(earlier, _)| earlier == name) {
            return Err(wrong(format!("two contracts are called `{name}`")));
        }
    }
    let address = |name: &str| named.iter().find(|(known, _)| *known == name).map(|(_, address)| *address);
    let mut contracts = Vec::with_capacity(entries.len());
    for (entry, (name, at)) in entries.iter().zip(&named) {
        let target = match entry.points_to.as_deref() {
            Some(target) => Some(address(target).ok_or_else(|| {
                wrong(format!("`{name}` points to `{target}`, and no [[contract]] is called so"))
            })?),
            None => None,
        };
        let code = entry.code.code(target).map_err(|problem| wrong(format!("`{name}`: {problem}")))?;
        let slots = entry.slots.iter().map(|word| (B256::from(word.key), word.value)).collect();
        contracts.push(Contract { name: entry.name.clone(), address: *at, code, points_to: target, slots });
    }
    let token = match token {
        Some(name) => Some(
            address(name)
                .ok_or_else(|| wrong(format!("`token` is `{name}`, and no [[contract]] is called so")))?,
        ),
        None if contracts.is_empty() => None,
        None => {
            return Err(wrong("there are contracts, and no `token` says which of them is read".to_owned()));
        }
    };
    Ok((contracts, token))
}
