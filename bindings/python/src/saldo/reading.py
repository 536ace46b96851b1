"""What is known about an amount right now.

A :data:`Reading` is one of three classes, so that ``match`` tells them apart and mypy finds a case that is missing::

    match reading:
        case saldo.Proven(amount=amount):
            show(saldo.format_amount(amount, 18))
        case saldo.Provisional(why=why, last=last) | saldo.Unknown(why=why, last=last):
            show_last(last, why.text)
        case _:
            typing.assert_never(reading)

Anyone can make such a record. It is no proof: no function of this package takes one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .config import Checkpoint, Holding


@dataclass(frozen=True, slots=True)
class Why:
    """Why an amount is not proven. ``code`` is a stable name; later versions know more of them."""

    code: str
    """A stable name, in snake case, as the glossary lists them."""
    text: str
    """What happened, for people."""
    fault: str
    """Who can remedy it: ``device``, ``providers``, ``beacon``, ``chain``, ``setup``, ``nobody`` or ``saldo``."""
    next_step: str
    """What to do about it, in one sentence."""
    needs_action: bool
    """Whether trying again will not help, until a person acts."""
    retry_after_seconds: int | None
    """After how many seconds trying again makes sense, where that is known."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request to a provider, and its outcome."""

    provider: str
    """The name of the provider, never its URL."""
    role: str
    """The kind of data that it was asked for: ``execution``, ``beacon`` or ``checkpoint``."""
    outcome: str
    """A stable name of the outcome, in snake case."""
    detail: str
    """The outcome, for people."""
    took_ms: int
    """How long it took, in milliseconds."""
    over_policy: bool
    """Whether it was asked beyond ``Policy.operators_per_address``."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """How far Ethereum stands behind a block of a rollup, and by which claim."""

    game: str
    """The contract of the claim that the block rests on: a dispute game. 0x and 40 hexadecimal digits."""
    game_type: int
    """The type of that game."""
    provers: str
    """Whose proofs Ethereum checked: ``none``, ``tee`` (a trusted execution environment), ``zk`` (zero knowledge) or ``both``."""
    is_pause_checked: bool
    """Whether it is proven that the rollup's system is not paused. If not, that was not checked."""
    l1_number: int
    """The number of the Ethereum block under which all of it was read."""
    l1_timestamp: int
    """That block's own time, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Assurance:
    """How sure it is that a block belongs to the chain."""

    level: str
    """``signed`` or ``finalized``; of a rollup's block ``l1_proof_checked`` or ``l1_finalized``. A later version may have others."""
    signers: int | None
    """How many members of the sync committee signed; none for the block that trust started from, and for a rollup's block."""
    committee_size: int | None
    """How many members the committee has."""
    is_forced: bool
    """Whether a forced update took the block as final."""
    vouched: Vouched | None
    """How far Ethereum stands behind a rollup's block; none for a block of a chain with a committee."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What trust started from, and who vouches for it."""

    checkpoint: Checkpoint
    """The beacon block that trust started from."""
    agreed_by: tuple[str, ...]
    """The operators that named it; empty if the app gave it."""


@dataclass(frozen=True, slots=True)
class Block:
    """The block that an amount is proven at."""

    chain_id: int
    """The chain id (EIP-155)."""
    number: int
    """The block number."""
    hash: str
    """The block hash, 0x and 64 hexadecimal digits."""
    state_root: str
    """The root of the state after the block, 0x and 64 hexadecimal digits."""
    timestamp: int
    """The block's own time, in seconds since 1970."""
    assurance: Assurance
    """How sure it is that the block belongs to the chain."""
    path: str
    """How the header follows from the signed head: ``head``, ``ancestor``, ``history`` or ``other``."""
    origin: Origin
    """What trust started from."""


@dataclass(frozen=True, slots=True)
class SlotDerivation:
    """The token's code keeps the balance in a slot, by a layout that was established for exactly this code."""

    layout: str
    """The name of the layout."""
    code_hash: str
    """The hash of the code that reads the balance, 0x and 64 hexadecimal digits."""
    implementation: str | None
    """The contract that has this code; none if it is the token itself."""


@dataclass(frozen=True, slots=True)
class ExecutedDerivation:
    """The token's own code was run over proven state."""

    code_hash: str
    """The hash of the token's code, 0x and 64 hexadecimal digits."""
    accounts: int
    """How many accounts it read."""
    slots: int
    """How many slots of their storage it read."""


@dataclass(frozen=True, slots=True)
class OtherDerivation:
    """A way that this version has no name for."""


Derivation: TypeAlias = SlotDerivation | ExecutedDerivation | OtherDerivation
"""How the balance of a token follows from what was proven. A later version may have other ways."""


@dataclass(frozen=True, slots=True)
class Proven:
    """An amount that a Merkle proof shows, under a header that the chain's sync committee signed."""

    holding: Holding
    """The holding that was asked about."""
    amount: int
    """The amount, in base units (wei for the network's own coin). Zero only if the proof shows zero."""
    is_frozen: bool
    """Whether the token's issuer has frozen the amount, so that it cannot be moved. Show it. False where the token's code
    does not say, and for the network's own coin."""
    derivation: Derivation | None
    """How the balance of a token was derived; none for the network's own coin."""
    nonce: int | None
    """The account's nonce, which the same proof shows; none for a token."""
    block: Block
    """The block that it is true at."""
    provider: str
    """The provider that served the proof. The amount does not depend on the provider."""
    is_restored: bool
    """Whether it was proven before the app was started. Show it with its age."""
    attempts: tuple[Attempt, ...]
    """The requests that led to it; empty for a remembered amount."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claimed amount, to be shown as unconfirmed."""

    amount: int
    """The claimed amount in base units, never zero."""


@dataclass(frozen=True, slots=True)
class NotShown:
    """The claim is zero, and a claim is not enough to show zero."""


Unconfirmed: TypeAlias = Claimed | NotShown
"""The amount of a claim. Not an optional amount, so that "no claim" cannot collapse into zero."""


@dataclass(frozen=True, slots=True)
class Quorum:
    """Several independent operators name the block of a claim. A label: it makes nothing proven."""

    operators: int
    """How many operators name it."""
    text: str
    """What one trusts in that, for people."""


@dataclass(frozen=True, slots=True)
class Provisional:
    """A claim that cannot be proven yet. Anyone can invent one, so it never replaces an amount."""

    unconfirmed: Unconfirmed
    """The claimed amount."""
    state_root: str
    """The state root of the claim, which is not signed yet."""
    provider: str
    """The provider that claims it."""
    quorum: Quorum | None
    """How many operators name the block of the claim; none for fewer than two, and where they were not asked."""
    why: Why
    """Why it is not proven."""
    last: Proven | None
    """The newest proven amount before it. Continue to show it, with its age."""
    attempts: tuple[Attempt, ...]
    """The requests for this reading."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing was proven. Show the reason, and the last proven amount with its age."""

    why: Why
    """Why nothing was proven."""
    last: Proven | None
    """The newest proven amount before it. Continue to show it, with its age."""
    attempts: tuple[Attempt, ...]
    """The requests for this reading."""


Reading: TypeAlias = Proven | Provisional | Unknown
"""What is known about an amount right now. An unknown amount is a value, not an error.

Closed: code that forgets :class:`Unknown` does not pass mypy, and a new class here is a major version.
"""


@dataclass(frozen=True, slots=True)
class AccountReading:
    """The balance of an account, and the nonce that the same proof shows."""

    balance: Reading
    """The reading of the balance of the network's own coin."""
    nonce: int | None
    """The number of transactions sent from the account; none if the balance is not proven, and the reading says why."""


@dataclass(frozen=True, slots=True)
class HeldReading:
    """A holding and its reading."""

    holding: Holding
    """The holding."""
    reading: Reading
    """Its reading."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old an amount is, by the client's policy. True at the moment when it was made."""

    code: str
    """``fresh``: within the policy. ``old``: show it with its age. ``unknown``: the device's clock is off."""
    age_seconds: int | None
    """The age in seconds; none if the device's clock is off."""


@dataclass(frozen=True, slots=True)
class Now:
    """The time that the protocol uses."""

    timestamp: int
    """The later of the device's clock and the chain's certain time, in seconds since 1970."""
    is_clock_off: bool
    """Whether the device's clock is behind a time that has certainly come, so that no age is known."""


@dataclass(frozen=True, slots=True)
class Sample:
    """An invented reading for a preview. Its network id is 0, which no network has."""

    name: str
    """What it shows, for example ``proven`` or ``unknown_with_last``."""
    reading: Reading
    """The invented reading."""
    freshness: Freshness | None
    """The age of its newest amount."""
