//! What happens in a world of overlapping calls, as plain data.

use std::collections::BTreeSet;

use saldo_drill::Chain;

use super::token;
use crate::rng::Rng;
use crate::token::TokenEvent;

/// How many coins there are: of two accounts that have some, and of one that does not exist.
pub(super) const COINS: u64 = 3;
/// How many providers and how many sources.
pub(super) const PROVIDERS: u64 = 2;
pub(super) const SOURCES: u64 = 2;
/// A chain id that no provider serves.
const WRONG_CHAIN_ID: u64 = 4_242;

/// One call of the wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Reads these holdings, some of them maybe twice.
    Read(Vec<u64>),
    /// Reads one balance.
    Balance(u64),
    /// Reads these holdings at a finalized block.
    Finalized(Vec<u64>),
    /// Reads everything that is known.
    Refresh,
    /// Watches these holdings for so many milliseconds.
    Watch(Vec<u64>, u64),
    /// Looks up the last reading.
    Last(u64),
}

/// How a provider or a source answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    Honest,
    /// Not at all.
    Hang,
    /// Without the last item of a batch.
    Partial,
    /// With HTTP status 500.
    Error,
    /// Truly, about the other chain.
    OtherChain,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// The app calls, and drops the future after so many milliseconds, if it is not done by then.
    Call(Call, Option<u64>),
    /// The app forgets a holding.
    Forget(u64),
    /// The app restarts trust: at the other chain, or at the first one.
    Restart {
        /// Whether at the other chain.
        other: bool,
    },
    /// The app hands in a table of the network.
    Adopt,
    /// A provider answers differently from now on.
    Provider(u64, Mood),
    /// A source answers differently from now on.
    Source(u64, Mood),
    /// An account holds so many wei from the next block on.
    Balance(u64, u64),
    /// This happens to a token in the next block.
    Token(TokenEvent),
    /// The chain passes over its last blocks.
    Reorg(u64),
    /// The storage can be read from now on.
    Unlock,
}

/// Everything that a run follows from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Makes the keys and the times that answers take.
    pub seed: u64,
    /// How long a read may take, in milliseconds.
    pub deadline: u64,
    /// How old a block may be, in seconds, beyond the slots that are allowed for.
    pub max_age: u64,
    /// Whether something was stored before, and can be read only after [`Act::Unlock`].
    pub stored: bool,
    /// How many seconds passed since it was stored.
    pub away: u64,
    /// The chain id in the wallet's table of the network.
    pub chain_id: u64,
    /// What happens when, in milliseconds.
    pub acts: Vec<(u64, Act)>,
}

/// The script of a seed.
pub fn draw_overlap(seed: u64) -> Script {
    let mut rng = Rng::new(seed, "overlap");
    let deadline = rng.pick(&[4_000, 4_000, 20_000, 40_000]);
    let max_age = rng.pick(&[300, 300, 5, 30]);
    let stored = rng.chance(40);
    let away = rng.pick(&[0, 0, 5, 30, 400]);
    let mut acts = Vec::new();
    let mut now: u64 = 0;
    for _ in 0..rng.between(2, 5) {
        // A group of calls that overlap, with what happens between.
        let span = rng.pick(&[1_500, 4_000, 14_000, 40_000]);
        for _ in 0..rng.between(1, 3) {
            acts.push((now, disturbance(&mut rng)));
        }
        for _ in 0..rng.between(2, 5) {
            let call = call(&mut rng);
            let dropped = rng.chance(15).then(|| rng.between(1, span));
            acts.push((now.saturating_add(rng.below(span)), Act::Call(call, dropped)));
        }
        for _ in 0..rng.below(4) {
            acts.push((now.saturating_add(rng.below(span)), event(&mut rng, stored)));
        }
        now = now.saturating_add(span).saturating_add(rng.pick(&[100, 12_000, 30_000, 130_000]));
    }
    acts.sort_by_key(|(at, _)| *at);
    let chain_id = if rng.chance(10) { WRONG_CHAIN_ID } else { Chain::CHAIN_ID };
    let mut script = Script { seed, deadline, max_age, stored, away, chain_id, acts };
    token::add(&mut script);
    script
}

impl Script {
    /// The places of the holdings that the wallet looks at: the coins, and each token that a call names.
    pub(super) fn holdings(&self) -> Vec<u64> {
        let named = self.acts.iter().filter_map(|(_, act)| match act {
            Act::Call(call, _) => Some(call.holdings()),
            _ => None,
        });
        let all: BTreeSet<u64> = (0..COINS).chain(named.flatten().copied()).collect();
        all.into_iter().collect()
    }
}

impl Call {
    /// The holdings that it names.
    fn holdings(&self) -> &[u64] {
        match self {
            Self::Read(holdings) | Self::Finalized(holdings) | Self::Watch(holdings, _) => holdings,
            Self::Balance(holding) | Self::Last(holding) => std::slice::from_ref(holding),
            Self::Refresh => &[],
        }
    }
}

fn some(rng: &mut Rng) -> Vec<u64> {
    (0..rng.between(1, 4)).map(|_| rng.below(COINS)).collect()
}

fn call(rng: &mut Rng) -> Call {
    match rng.below(12) {
        0..=4 => Call::Read(some(rng)),
        5..=6 => Call::Balance(rng.below(COINS)),
        7..=8 => Call::Finalized(some(rng)),
        9 => Call::Refresh,
        10 => Call::Watch(some(rng), rng.between(1_000, 30_000)),
        _ => Call::Last(rng.below(COINS)),
    }
}

fn disturbance(rng: &mut Rng) -> Act {
    let moods = [Mood::Honest, Mood::Honest, Mood::Hang, Mood::Partial, Mood::Error];
    if rng.chance(65) {
        return Act::Provider(rng.below(PROVIDERS), rng.pick(&moods));
    }
    Act::Source(rng.below(SOURCES), rng.pick(&[Mood::Honest, Mood::Hang, Mood::Error, Mood::OtherChain]))
}

fn event(rng: &mut Rng, stored: bool) -> Act {
    match rng.below(13) {
        0..=2 => Act::Restart { other: rng.chance(60) },
        3 => Act::Forget(rng.below(COINS)),
        4 => Act::Adopt,
        5 => Act::Balance(rng.below(2), rng.between(1, 1_000_000)),
        6..=8 => Act::Reorg(rng.between(1, 4)),
        9..=10 if stored => Act::Unlock,
        _ => disturbance(rng),
    }
}
