//! What happens to the chain of a world, as plain data, and the recordings of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use alloy_primitives::U256;
use saldo_beacon::Fork;
use saldo_beacon::unit::Epoch;

use super::holding::{HOLDINGS, OWNERS};
use super::token::{self, TokenEvent};
use saldo_drill::{Chain, Recording};

/// The history of a chain. Slot 0 is the moment at which a world begins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Story {
    /// The seed of the keys and of everything that looks random.
    pub seed: u64,
    /// The fork of genesis.
    pub fork: Fork,
    /// A later fork, and the epoch it starts in.
    pub next_fork: Option<(Fork, u64)>,
    /// How many blocks the tip is ahead of the newest signed head.
    pub tip_lead: u64,
    /// How many slots there were before the world began.
    pub history: u64,
    /// How many slots are in the recordings; later ones are made when they are reached.
    pub slots: u64,
    /// The events, each with its slot.
    pub events: Vec<(u64, Event)>,
    /// A time that is skipped.
    pub stretch: Option<Stretch>,
    /// A second branch, if the chain splits.
    pub twin: Option<Twin>,
}

/// Something that happens to a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// The owner of that number has this many wei from the next block on.
    Balance {
        /// Which of the [`OWNERS`].
        owner: usize,
        /// How much.
        wei: u64,
    },
    /// There is no block in this slot.
    Skip,
    /// The last blocks are replaced; the block of this slot follows the ones before.
    Abandon {
        /// How many.
        depth: u64,
    },
    /// Finality stalls from here on, or continues.
    Stall(bool),
    /// This many committee members sign from here on; `None`: nearly all.
    Signers(Option<usize>),
    /// The execution block of this slot is not seen (from Gloas on).
    Withhold,
    /// Something happens to a token.
    Token(TokenEvent),
}

/// A time that passes in one leap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stretch {
    /// The slot after which it begins.
    pub after: u64,
    /// How many slots it has.
    pub slots: u64,
    /// Every how many slots there is a block; 0 if there is none.
    pub pace: u64,
}

/// A second branch of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Twin {
    /// The slot after which they differ.
    pub after: u64,
    /// How many committee members sign it; `None`: all, as only an attack by two thirds can.
    pub signers: Option<usize>,
    /// Whether it names another committee for the next period, which signs it from then on.
    pub usurps: bool,
}

/// The recordings of a story.
#[derive(Debug)]
pub struct Recordings {
    /// The chain.
    pub main: Recording,
    /// The second branch, if there is one.
    pub twin: Option<Recording>,
}

impl Story {
    /// Slots with a block each after a stretch, so that there is a finalized block at the end.
    pub const DENSE: u64 = 56;
    /// What the owners hold at first, in wei.
    pub const FIRST: [u64; 2] = [1_500_000_000_000_000_000, 7];

    /// The recordings of the story, made at the first use.
    pub fn recordings(&self) -> Arc<Recordings> {
        /// Enough for a few thousand worlds.
        const KEPT: usize = 192;
        static FILMS: Mutex<BTreeMap<Story, Arc<Recordings>>> = Mutex::new(BTreeMap::new());
        let known = || FILMS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(recordings) = known().get(self) {
            return Arc::clone(recordings);
        }
        let recordings = Arc::new(self.shoot());
        let mut kept = known();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(self.clone(), Arc::clone(&recordings));
        recordings
    }

    /// Seconds from the beginning to the end of the stretch, if there is one.
    pub fn stretch_over_at(&self) -> Option<u64> {
        let stretch = self.stretch?;
        let slots = stretch.after.saturating_add(stretch.slots).saturating_add(Self::DENSE);
        Some(slots.saturating_mul(12))
    }

    fn shoot(&self) -> Recordings {
        let mut builder = token::deploy(Chain::builder(self.seed), 5_000)
            .fork(self.fork)
            .tip_lead(self.tip_lead)
            .history(self.history)
            .accounts(OWNERS.into_iter().zip(Self::FIRST).map(|(owner, wei)| (owner, U256::from(wei))));
        if let Some((fork, epoch)) = self.next_fork {
            builder = builder.fork_at(fork, Epoch::new(epoch));
        }
        let chain = builder.build();
        let mut recordings = Recordings { main: Recording::begin(&chain), twin: None };
        let mut twin: Option<Chain> = None;
        for slot in 1..=self.slots {
            if let Some(plan) = self.twin.filter(|plan| plan.after.saturating_add(1) == slot) {
                recordings.twin = Some(recordings.main.clone());
                twin = Some(split(&chain, plan));
            }
            let events: Vec<Event> =
                self.events.iter().filter(|(at, _)| *at == slot).map(|(_, event)| *event).collect();
            events.iter().for_each(|event| happen(&chain, *event));
            match events.contains(&Event::Skip) {
                true => chain.skip_slot(),
                false => chain.advance(1),
            }
            recordings.main.add(&chain);
            if let (Some(twin), Some(recording)) = (&twin, &mut recordings.twin) {
                twin.advance(1);
                recording.add(twin);
            }
            if let Some(stretch) = self.stretch.filter(|stretch| stretch.after == slot) {
                leap(&chain, stretch);
                recordings.main.add(&chain);
            }
        }
        recordings
    }
}

fn happen(chain: &Chain, event: Event) {
    match event {
        Event::Balance { owner, wei } => {
            if let Some(owner) = OWNERS.get(owner) {
                chain.set_balance(*owner, U256::from(wei));
            }
        }
        Event::Abandon { depth } => chain.abandon(depth),
        Event::Stall(stalled) => chain.stall_finality(stalled),
        Event::Signers(signers) => chain.set_signers(signers),
        Event::Withhold => chain.withhold_payload(),
        Event::Token(event) => event.happen(chain),
        Event::Skip => {}
    }
}

/// The other branch, on which every account has another balance, and other tokens.
fn split(chain: &Chain, plan: Twin) -> Chain {
    let twin = chain.split();
    twin.set_signers(plan.signers);
    if plan.usurps {
        twin.usurp();
    }
    for (owner, wei) in OWNERS.into_iter().zip([0_u64, 77_000, 5_000_000_000]) {
        twin.set_balance(owner, U256::from(wei));
    }
    for place in 0..HOLDINGS.len() {
        TokenEvent::Units { place, units: 66_000, is_blocked: false }.happen(&twin);
    }
    twin
}

fn leap(chain: &Chain, stretch: Stretch) {
    if stretch.pace == 0 {
        (0..stretch.slots).for_each(|_| chain.skip_slot());
    } else {
        chain.set_pace(stretch.pace);
        chain.advance(stretch.slots);
        chain.set_pace(1);
    }
    chain.advance(Story::DENSE);
}
