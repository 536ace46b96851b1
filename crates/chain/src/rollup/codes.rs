//! Which codes the contracts of a rollup run, whether they are known or not.

use alloy_primitives::Address;
use saldo_proof::Query;

use crate::rollup::factory::{Factory, GameId};
use crate::rollup::game::arguments_of;
use crate::rollup::l1::{L1State, slot};
use crate::rollup::obstacle::{Contract, Obstacle, Refusal};
use crate::rollup::proxy::{Code, code_of, game_code};
use crate::rollup::registry::Registry;
use crate::rollup::release::{Layout, Release};

/// How many of the newest games of the type that counts are looked at.
const NEWEST: usize = 6;
/// How many entries of the factory's list are searched for them.
const SEARCHED: u64 = 32;

/// The codes that a rollup's contracts run under one L1 block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Observed {
    /// What was read: the registry, the factory, the games, and the contract that pauses.
    pub codes: Vec<Code>,
    /// Why some contract was not read, if one was not: it is not built as those that are known.
    pub ended_by: Option<Refusal>,
}

/// Reads which codes the rollup's contracts run: the registry, the factory that it names, its games of the type that counts, and the
/// contract that pauses. What is behind a code that is not known is looked for in the slots of the known ones, so it proves nothing:
/// [`Profile::pinned`](crate::rollup::Profile::pinned) takes over only what is reached by known codes.
///
/// # Errors
/// [`Obstacle::Missing`] if something is not proven yet.
pub fn observe(l1: &L1State<'_>) -> Result<Observed, Obstacle> {
    let (mut codes, mut missing, mut ended_by) = (Vec::new(), Query::default(), None);
    for part in [contracts(l1, &mut codes), pause(l1, &mut codes)] {
        match part {
            Ok(()) => {}
            Err(Obstacle::Missing(query)) => missing.merge(query),
            Err(Obstacle::Refused(refusal)) => ended_by = ended_by.or(Some(refusal)),
        }
    }
    if missing.is_empty() { Ok(Observed { codes, ended_by }) } else { Err(Obstacle::Missing(missing)) }
}

fn pause(l1: &L1State<'_>, codes: &mut Vec<Code>) -> Result<(), Obstacle> {
    if let Some(address) = l1.profile().superchain_config() {
        codes.push(code_of(l1, Contract::SuperchainConfig, address)?);
    }
    Ok(())
}

/// Adds the codes on the way from the registry to the games to `codes`.
fn contracts(l1: &L1State<'_>, codes: &mut Vec<Code>) -> Result<(), Obstacle> {
    let registry = code_of(l1, Contract::Registry, l1.profile().registry())?;
    codes.push(registry);
    let mut reader = l1.reader();
    let [_, factory, anchor_game, respected] =
        Registry::PLACES.map(|place| reader.word(registry.address, slot(place)));
    reader.finish()?;
    if !factory.is_address() || !anchor_game.ends_at(20) || !respected.ends_at(12) {
        return Err(Refusal::Layout { contract: Contract::Registry }.into());
    }
    let factory = code_of(l1, Contract::Factory, factory.address(0))?;
    codes.push(factory);
    let anchor_game = (!anchor_game.is_zero()).then(|| anchor_game.address(0));
    let games = Games { l1, factory: factory.address, respected: respected.u32(0) };
    for code in games.codes(anchor_game)? {
        let is_same = |own: &Code| own.code_hash == code.code_hash && own.game_type == code.game_type;
        if !codes.iter().any(is_same) {
            codes.push(code);
        }
    }
    Ok(())
}

/// The games of the type that counts.
struct Games<'a> {
    l1: &'a L1State<'a>,
    factory: Address,
    respected: u32,
}

impl Games<'_> {
    /// Reads the codes that the newest games run, the next ones will run, and the game runs that the registry is anchored to.
    fn codes(&self, anchor_game: Option<Address>) -> Result<Vec<Code>, Obstacle> {
        let mut reader = self.l1.reader();
        let count = reader.word(self.factory, Factory::count_key());
        let next = reader.word(self.factory, Factory::implementation_key(self.respected));
        reader.finish()?;
        if !count.ends_at(8) || !next.ends_at(20) {
            return Err(Refusal::Layout { contract: Contract::Factory }.into());
        }
        let newest = self.newest(count.u64(0))?;
        let (mut codes, mut missing) = (Vec::new(), Query::default());
        let next = (!next.is_zero()).then(|| next.address(0));
        let read = newest
            .iter()
            .map(|game| self.of_newest(*game))
            .chain(next.map(|implementation| self.of_next(implementation)))
            .chain(anchor_game.filter(|game| !newest.contains(game)).map(|game| self.of_anchor(game)));
        for code in read {
            match code {
                Ok(code) => codes.push(code),
                Err(Obstacle::Missing(query)) => missing.merge(query),
                Err(refused) => return Err(refused),
            }
        }
        if missing.is_empty() { Ok(codes) } else { Err(Obstacle::Missing(missing)) }
    }

    fn newest(&self, count: u64) -> Result<Vec<Address>, Obstacle> {
        let mut reader = self.l1.reader();
        let numbers = (count.saturating_sub(SEARCHED)..count).rev();
        let keys = numbers.map(Factory::list_key);
        let listed: Vec<_> = keys.map(|key| GameId::read(reader.word(self.factory, key))).collect();
        reader.finish()?;
        let counting = listed.into_iter().flatten().filter(|id| id.game_type() == self.respected);
        Ok(counting.take(NEWEST).map(|id| id.address()).collect())
    }

    fn of_newest(&self, game: Address) -> Result<Code, Obstacle> {
        let (_, code) = game_code(self.l1.state(), game)?;
        Ok(Code { game_type: Some(self.respected), ..code })
    }

    /// The registry may be anchored to a game of a type that counted before. Then the game's own code says its type, if it is known.
    fn of_anchor(&self, game: Address) -> Result<Code, Obstacle> {
        let (own, code) = game_code(self.l1.state(), game)?;
        let kind = match Release::of(Contract::Game, code.code_hash).map(|release| release.layout) {
            Some(Layout::Game { kind, .. }) => Some(kind),
            _ => None,
        };
        let arguments = kind.map(|kind| arguments_of(kind, own.arguments())).transpose()?;
        Ok(Code { game_type: arguments.and_then(|arguments| arguments.game_type), ..code })
    }

    fn of_next(&self, implementation: Address) -> Result<Code, Obstacle> {
        let mut reader = self.l1.reader();
        let code_hash = reader.code_hash(implementation);
        reader.finish()?;
        let (contract, game_type) = (Contract::Game, Some(self.respected));
        Ok(Code { contract, address: implementation, proxy: None, implementation, code_hash, game_type })
    }
}
