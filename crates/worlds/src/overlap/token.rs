//! Tokens in scripts: who reads them, and what happens to them.
//!
//! The choices have a seed of their own, so that everything else in a script stays as it was without tokens.

use super::script::{Act, COINS, Call, Script};
use crate::HOLDINGS;
use crate::rng::Rng;
use crate::token::{Target, TokenEvent};

/// The places of the holdings of the token with the proxy.
const OF_PROXY: [u64; 2] = [5, 6];

/// In half of the scripts some calls name tokens, and something happens to the tokens meanwhile.
pub(super) fn add(script: &mut Script) {
    let mut rng = Rng::new(script.seed, "overlap tokens");
    if rng.chance(50) {
        return;
    }
    // Few tokens, so that calls overlap which name the same.
    let usual = [place(&mut rng), place(&mut rng), rng.pick(&OF_PROXY)];
    for (_, act) in &mut script.acts {
        match act {
            Act::Call(Call::Read(holdings) | Call::Finalized(holdings) | Call::Watch(holdings, _), _) => {
                for holding in holdings {
                    replace(holding, &usual, &mut rng);
                }
            }
            Act::Call(Call::Balance(holding) | Call::Last(holding), _) | Act::Forget(holding) => {
                replace(holding, &usual, &mut rng);
            }
            _ => {}
        }
    }
    let end = script.acts.last().map_or(0, |(at, _)| *at);
    for _ in 0..rng.below(6) {
        script.acts.push((rng.below(end.saturating_add(1)), Act::Token(event(&mut rng, &usual))));
    }
    script.acts.sort_by_key(|(at, _)| *at);
}

fn place(rng: &mut Rng) -> u64 {
    let all = u64::try_from(HOLDINGS.len()).unwrap_or(COINS);
    rng.between(COINS, all.saturating_sub(1))
}

fn replace(holding: &mut u64, usual: &[u64], rng: &mut Rng) {
    if rng.chance(60) {
        *holding = rng.pick(usual);
    }
}

fn event(rng: &mut Rng, usual: &[u64]) -> TokenEvent {
    match rng.below(10) {
        0..=4 => {
            let targets = [Target::First, Target::OtherSlot, Target::Unknown, Target::NotRun, Target::NoCode];
            TokenEvent::Upgrade(rng.pick(&targets))
        }
        5 => TokenEvent::Deprecated(rng.chance(50)),
        _ => {
            let place = usize::try_from(rng.pick(usual)).unwrap_or_default();
            let units = rng.pick(&[0, 1, 7_000_000_000, u64::MAX]);
            TokenEvent::Units { place, units, is_blocked: rng.chance(30) }
        }
    }
}
