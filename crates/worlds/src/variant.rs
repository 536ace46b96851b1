//! Broken wallets: each must be found, or the worlds check too little.

mod checker;
mod loose;
mod wrapped;

use std::borrow::Cow;
use std::time::Duration;

use saldo::MemoryStorage;

use super::client::{RealWallet, policy, set_up};
use super::verdict::Check;
use super::wallet::Wallet;
use super::world::{Start, World};
use checker::{Checker, Defect};
use loose::LooseReader;
use saldo_drill::Chain;
use saldo_drill::simulate::Simulation;
use wrapped::{Screen, Wrapped};

/// A wallet that is judged.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// Its name.
    pub name: &'static str,
    /// Its defect, or what it is.
    pub what: &'static str,
    /// The checks that may find it; empty: all.
    pub checks: &'static [Check],
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// `saldo`'s client.
    Real,
    /// The same, with a deadline of hours instead of seconds.
    Endless,
    /// The same, with storage that is empty at every start.
    KeepsNothing,
    /// The same, without the last of the providers.
    WithoutLast,
    /// The same, behind a screen that shows something else.
    Screen(Screen),
    /// The same, asked about claims.
    Checker(Defect),
    /// A plain reader built from the pure crates, with or without an omission.
    Loose(Option<Omission>),
}

/// The defect of a plain reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Omission {
    FirstReply,
    ErrorIsZero,
    EchoedAddress,
    TruncatedIsZero,
    ErrorsAreVotes,
    PendingEndsRead,
    UnsignedTip,
    ProvidersHeader,
    FewSigners,
    ForcedCommittee,
    OldBlock,
    NoAge,
    DropsLast,
    NotWithdrawn,
    NoDeadline,
    NeverHedges,
    LastNeverAsked,
    StrikesForLag,
    BreakerStays,
    OfflinePunishes,
    RetryStorm,
    BareSlot,
    NoGuard,
    OldImplementation,
    Unmasked,
    NeverFrozen,
    TwoBlocks,
    NotATokenIsZero,
    UnprovenIsZero,
    LeftOutIsZero,
    CutSlotIsZero,
}

/// The checks of a wallet that checks claims: a check may take longer than a read, and ask for more.
const CHECKED: &[Check] =
    &[Check::Truth, Check::Order, Check::Withdrawal, Check::Last, Check::Age, Check::Crash];
/// The checks of liveness.
const DUE: &[Check] = &[Check::Enough, Check::Recovery];
/// The checks that find an honest provider in quarantine.
const SHUT_OUT: &[Check] = &[Check::Enough, Check::Recovery, Check::Quarantine];

impl Variant {
    /// The real wallet.
    pub const REAL: Self = Self { name: "real", what: "saldo's client", checks: &[], kind: Kind::Real };
    /// The plain reader without a defect.
    pub const LOOSE: Self = Self {
        name: "loose",
        what: "a plain reader without a defect",
        checks: &[
            Check::Truth,
            Check::Order,
            Check::Withdrawal,
            Check::Last,
            Check::Deadline,
            Check::Age,
            Check::Crash,
            Check::Enough,
            Check::Recovery,
            Check::Budget,
            Check::Quarantine,
        ],
        kind: Kind::Loose(None),
    };

    /// The client, asked about claims: true ones, false ones, old ones, and zero.
    pub const CHECKER: Self = Self {
        name: "checker",
        what: "saldo's client, asked about claims",
        checks: CHECKED,
        kind: Kind::Checker(Defect::None),
    };

    /// All broken wallets. Each is found within 2,000 worlds.
    pub const BROKEN: &'static [Self] = &[
        screen("zero-screen", "shows zero for an unknown amount", Screen::Zero, &[Check::Truth]),
        screen("claim-screen", "shows a claim as an amount", Screen::Claim, &[Check::Truth]),
        screen(
            "forgetful-screen",
            "forgets the last amount when a read fails",
            Screen::Forgets,
            &[Check::Last],
        ),
        screen(
            "stubborn-screen",
            "ignores that an amount was withdrawn",
            Screen::Stubborn,
            &[Check::Withdrawal],
        ),
        screen("stale-screen", "shows the last amount as if it were known now", Screen::Stale, &[Check::Age]),
        checker(
            "believes-unchecked",
            "takes an unchecked claim for a confirmed one",
            Defect::BelievesUnchecked,
        ),
        checker(
            "ignores-its-block",
            "calls a claim different that was right at its block",
            Defect::IgnoresItsBlock,
        ),
        Self {
            name: "endless",
            what: "has a deadline of hours",
            checks: &[Check::Deadline],
            kind: Kind::Endless,
        },
        Self {
            name: "keeps-nothing",
            what: "has lost its storage at every start",
            checks: &[Check::Last],
            kind: Kind::KeepsNothing,
        },
        Self {
            name: "without-last",
            what: "never asks the last of its providers",
            checks: DUE,
            kind: Kind::WithoutLast,
        },
        loose("first-reply", "believes the first reply", Omission::FirstReply, &[Check::Truth]),
        loose("error-is-zero", "takes an error for zero", Omission::ErrorIsZero, &[Check::Truth]),
        loose("echoed-address", "trusts the address in the reply", Omission::EchoedAddress, &[Check::Truth]),
        loose(
            "truncated-is-zero",
            "takes a cut proof for absence",
            Omission::TruncatedIsZero,
            &[Check::Truth],
        ),
        loose(
            "errors-are-votes",
            "lets a majority decide, errors included",
            Omission::ErrorsAreVotes,
            &[Check::Truth],
        ),
        loose(
            "parked-ends-race",
            "stops at a proof under a root that is not signed",
            Omission::PendingEndsRead,
            DUE,
        ),
        loose(
            "unsigned-tip",
            "shows a proof at an unsigned tip as known",
            Omission::UnsignedTip,
            &[Check::Truth],
        ),
        loose(
            "providers-header",
            "believes a provider's own header",
            Omission::ProvidersHeader,
            &[Check::Truth],
        ),
        loose(
            "few-signers",
            "believes a head that fewer than two thirds signed",
            Omission::FewSigners,
            &[Check::Truth],
        ),
        loose(
            "forced-hand-over",
            "believes a committee whose update fewer than two thirds signed",
            Omission::ForcedCommittee,
            &[Check::Truth],
        ),
        loose("old-block", "lets an older block replace a newer one", Omission::OldBlock, &[Check::Order]),
        loose("no-age", "does not look at how old a block is", Omission::NoAge, &[Check::Age]),
        loose("drops-last", "drops the last amount on an error", Omission::DropsLast, &[Check::Last]),
        loose("not-withdrawn", "keeps withdrawn amounts", Omission::NotWithdrawn, &[Check::Withdrawal]),
        loose("no-deadline", "waits as long as it takes", Omission::NoDeadline, &[Check::Deadline]),
        loose("never-hedges", "waits for one provider after another", Omission::NeverHedges, DUE),
        loose("last-never-asked", "never asks the last provider", Omission::LastNeverAsked, DUE),
        loose("strikes-for-lag", "quarantines providers that are behind", Omission::StrikesForLag, SHUT_OUT),
        loose(
            "breaker-stays",
            "never asks a provider again that failed once",
            Omission::BreakerStays,
            SHUT_OUT,
        ),
        loose(
            "offline-punishes",
            "blames providers for the device's network",
            Omission::OfflinePunishes,
            SHUT_OUT,
        ),
        loose("retry-storm", "asks again at once, without a budget", Omission::RetryStorm, &[Check::Budget]),
        loose("bare-slot", "reads a token's slot without its code", Omission::BareSlot, &[Check::Truth]),
        loose("no-guard", "ignores the condition of a layout", Omission::NoGuard, &[Check::Truth]),
        loose(
            "old-implementation",
            "never looks again where a proxy points to",
            Omission::OldImplementation,
            &[Check::Truth],
        ),
        loose(
            "unmasked",
            "takes the blocked bit for a part of the amount",
            Omission::Unmasked,
            &[Check::Truth],
        ),
        loose(
            "never-frozen",
            "does not say that an amount is frozen",
            Omission::NeverFrozen,
            &[Check::Truth],
        ),
        loose(
            "two-blocks",
            "takes the code of one block and the slot of another",
            Omission::TwoBlocks,
            &[Check::Truth],
        ),
        loose(
            "not-a-token-is-zero",
            "shows zero where there is no token",
            Omission::NotATokenIsZero,
            &[Check::Truth],
        ),
        loose(
            "unproven-is-zero",
            "shows zero for a token without a known layout",
            Omission::UnprovenIsZero,
            &[Check::Truth],
        ),
        loose(
            "left-out-is-zero",
            "takes a slot that is not in the reply for zero",
            Omission::LeftOutIsZero,
            &[Check::Truth],
        ),
        loose(
            "cut-slot-is-zero",
            "takes a cut proof of a slot for zero",
            Omission::CutSlotIsZero,
            &[Check::Truth],
        ),
    ];

    /// The variant of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::REAL, Self::LOOSE, Self::CHECKER]
            .iter()
            .chain(Self::BROKEN)
            .find(|variant| variant.name == name)
            .copied()
    }

    /// Whether `check` may find it.
    pub fn may_be_found_by(&self, check: Check) -> bool {
        self.checks.is_empty() || self.checks.contains(&check)
    }

    /// The world that it runs in. A plain reader supports neither agreement nor mirrors, so its trust is given.
    pub(super) fn world<'a>(&self, world: &'a World) -> Cow<'a, World> {
        let Kind::Loose(_) = self.kind else { return Cow::Borrowed(world) };
        let mut plain = world.clone();
        if plain.trust != Start::GivenWithWrongSlot {
            plain.trust = Start::Given;
        }
        plain.sources.iter_mut().for_each(|source| source.is_mirror = false);
        Cow::Owned(plain)
    }

    /// The wallet, with its earlier state in `storage`.
    pub(super) fn wallet(
        &self,
        world: &World,
        chain: &Chain,
        simulation: &Simulation,
        storage: &MemoryStorage,
    ) -> Box<dyn Wallet> {
        let usual = policy(&world.wants);
        let nothing = MemoryStorage::new();
        let storage = if let Kind::KeepsNothing = self.kind { &nothing } else { storage };
        let real = |policy, providers: &[_]| RealWallet {
            client: set_up(world, chain, simulation, storage, policy, providers),
        };
        match self.kind {
            Kind::Real | Kind::KeepsNothing => Box::new(real(usual, &world.providers)),
            Kind::Endless => {
                let deadline = Duration::from_secs(7_200);
                Box::new(real(saldo::Policy { deadline, ..usual }, &world.providers))
            }
            Kind::WithoutLast => {
                let most = world.providers.len().saturating_sub(1).max(1);
                Box::new(real(usual, world.providers.get(..most).unwrap_or_default()))
            }
            Kind::Screen(screen) => Box::new(Wrapped::new(real(usual, &world.providers), screen)),
            Kind::Checker(defect) => {
                Box::new(Checker::new(real(usual, &world.providers), world, chain, defect))
            }
            Kind::Loose(omission) => Box::new(LooseReader::new(world, chain, simulation, omission)),
        }
    }
}

const fn screen(name: &'static str, what: &'static str, screen: Screen, checks: &'static [Check]) -> Variant {
    Variant { name, what, checks, kind: Kind::Screen(screen) }
}

const fn checker(name: &'static str, what: &'static str, defect: Defect) -> Variant {
    Variant { name, what, checks: &[Check::Truth], kind: Kind::Checker(defect) }
}

const fn loose(
    name: &'static str,
    what: &'static str,
    omission: Omission,
    checks: &'static [Check],
) -> Variant {
    Variant { name, what, checks, kind: Kind::Loose(Some(omission)) }
}
