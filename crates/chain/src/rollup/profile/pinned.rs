//! A profile with the codes that were read, and its text.

use std::fmt::Write;

use alloy_primitives::{Address, B256};
use saldo_beacon::unit::UnixTime;

use super::file::UNKNOWN;
use super::{GameCode, GameKind, Profile, RegistryCode};
use crate::rollup::codes::Observed;
use crate::rollup::obstacle::Contract;
use crate::rollup::proxy::Code;
use crate::rollup::release::{Layout, Release};

impl Profile {
    /// Whether the profile itself says what the storage of this code means. It says so of the code of games for their type.
    pub fn names(&self, code: &Code) -> bool {
        let hash = code.code_hash;
        match code.contract {
            Contract::Registry => self.registry_code(hash).is_some(),
            Contract::Factory => self.is_factory_code(hash),
            Contract::Game => {
                let is_its_type = |own: &GameCode| code.game_type.is_none_or(|of| own.game_type == of);
                self.game_codes_of(hash).any(is_its_type)
            }
            Contract::SuperchainConfig => self.pause_slot(hash).is_some(),
            Contract::SystemConfig => false,
        }
    }

    /// Returns the profile that names exactly the `observed` codes whose storage is understood, by this profile or by a known release
    /// ([`Code::release`]). With it every other code is refused. `at` is the time of the L1 block under which they were read.
    ///
    /// Codes count up to the first on the way that is not understood: behind a registry that is not known no factory is named, and
    /// behind such a factory no game. Whether anything can be proven with the result is said by [`Profile::is_pinned`].
    #[must_use]
    pub fn pinned(&self, observed: &Observed, at: UnixTime) -> Self {
        let mut pinned = Self {
            read_on: at.to_string().chars().take(10).collect(),
            proxy_codes: Vec::new(),
            registry_codes: Vec::new(),
            factory_codes: Vec::new(),
            game_codes: Vec::new(),
            pause_codes: Vec::new(),
            ..self.clone()
        };
        for code in &observed.codes {
            let is_reached = match code.contract {
                Contract::Factory => !pinned.registry_codes.is_empty(),
                Contract::Game => !pinned.factory_codes.is_empty(),
                _ => true,
            };
            if is_reached {
                self.name_in(&mut pinned, code);
            }
            let proxy = code.proxy.filter(|proxy| !pinned.proxy_codes.contains(proxy));
            pinned.proxy_codes.extend(proxy);
        }
        pinned
    }

    /// Adds what is known of `code` to `pinned`.
    fn name_in(&self, pinned: &mut Self, code: &Code) {
        let (code_hash, release) = (code.code_hash, code.release().map(|release| release.layout));
        match (code.contract, release) {
            (Contract::Registry, Some(Layout::Registry { finality_delay })) => {
                pinned.registry_codes.push(RegistryCode { code_hash, finality_delay });
            }
            (Contract::Registry, _) => pinned.registry_codes.extend(self.registry_code(code_hash)),
            (Contract::Factory, _) if release.is_some() || self.is_factory_code(code_hash) => {
                pinned.factory_codes.push(code_hash);
            }
            (Contract::Game, Some(Layout::Game { kind, .. })) => {
                let known = code.game_type.map(|game_type| GameCode { code_hash, game_type, kind });
                pinned.game_codes.extend(known);
            }
            (Contract::Game, _) => {
                let is_its_type = |own: &&GameCode| code.game_type.is_none_or(|of| own.game_type == of);
                pinned.game_codes.extend(self.game_codes_of(code_hash).filter(is_its_type));
            }
            (Contract::SuperchainConfig, Some(Layout::Pause { slot })) => {
                pinned.pause_codes.push((code_hash, slot));
            }
            (Contract::SuperchainConfig, _) => {
                pinned.pause_codes.extend(self.pause_slot(code_hash).map(|slot| (code_hash, slot)));
            }
            _ => {}
        }
    }

    /// Writes the profile as [`Profile::from_toml`] reads it.
    pub fn to_toml(&self) -> String {
        let address = |address: Option<Address>| quoted(address.map(|address| address.to_string()));
        let number = |number: Option<u64>| number.map_or_else(|| quoted(None), |number| number.to_string());
        let genesis = self.genesis.map(|(number, time)| (number, time.as_secs()));
        let fields = [
            ("name", quoted(Some(self.name.clone()))),
            ("chain_id", self.chain_id.to_string()),
            ("l1_chain_id", self.l1_chain_id.to_string()),
            ("read_on", self.read_on.clone()),
            ("registry", address(Some(self.registry))),
            ("system_config", address(self.system_config)),
            ("superchain_config", address(self.superchain_config)),
            ("pause_identifier", address(self.pause_identifier)),
            ("genesis_number", number(genesis.map(|(number, _)| number))),
            ("genesis_time", number(genesis.map(|(_, time)| time))),
            ("block_time", number(self.block_time)),
        ];
        let mut text = fields.map(|(key, value)| format!("{key} = {value}\n")).concat();
        let mut entry = |table: &str, code_hash: B256, more: String| {
            let _ = write!(text, "\n[[{table}]]\ncode_hash = \"{code_hash}\"\n{more}");
        };
        self.proxy_codes.iter().for_each(|hash| entry("proxy_code", *hash, String::new()));
        for code in &self.registry_codes {
            entry("registry_code", code.code_hash, format!("finality_delay = {}\n", code.finality_delay));
        }
        self.factory_codes.iter().for_each(|hash| entry("factory_code", *hash, String::new()));
        for code in &self.game_codes {
            let kind = kind_in_toml(code.kind);
            entry("game_code", code.code_hash, format!("game_type = {}\n{kind}", code.game_type));
        }
        for (hash, slot) in &self.pause_codes {
            entry("pause_code", *hash, format!("slot = {slot}\n"));
        }
        text
    }
}

impl Code {
    /// Returns the published release that has exactly this code, if one is known; for a game, also only if its type is one of the release.
    pub fn release(&self) -> Option<&'static Release> {
        Release::of(self.contract, self.code_hash).filter(|release| match release.layout {
            Layout::Game { types, .. } => self.game_type.is_some_and(|own| types.contains(&own)),
            _ => true,
        })
    }
}

fn quoted(text: Option<String>) -> String {
    format!("\"{}\"", text.unwrap_or_else(|| UNKNOWN.to_owned()))
}

fn kind_in_toml(kind: GameKind) -> String {
    match kind {
        GameKind::Fault { is_permissioned: false } => "kind = \"fault\"\n".to_owned(),
        GameKind::Fault { is_permissioned: true } => "kind = \"permissioned\"\n".to_owned(),
        GameKind::SuperFault => "kind = \"super\"\n".to_owned(),
        GameKind::Multiproof { interval, step } => {
            format!("kind = \"multiproof\"\ninterval = {interval}\nstep = {step}\n")
        }
    }
}
