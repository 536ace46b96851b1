"""The sums of several holdings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .config import Holding


@dataclass(frozen=True, slots=True)
class SumOf:
    """The sum of the holdings of this part."""

    amount: int
    """The sum, in base units."""


@dataclass(frozen=True, slots=True)
class NoHolding:
    """No holding belongs to this part."""


PartialSum: TypeAlias = SumOf | NoHolding
"""The sum of a part of the holdings. Not an optional amount, so that "no holding" cannot collapse into zero."""


@dataclass(frozen=True, slots=True)
class ProvenSum:
    """Every holding is proven."""

    amount: int
    """The sum, in base units."""


@dataclass(frozen=True, slots=True)
class RememberedSum:
    """Every holding was proven at some time, but not all by their newest reading."""

    together: int
    """The sum of all holdings, each as it was proven last: show it with the time of ``Total.oldest``."""
    proven: PartialSum
    """The sum of the holdings that are proven now."""
    remembered: int
    """The sum of the others."""


@dataclass(frozen=True, slots=True)
class IncompleteSum:
    """Some holdings are missing. Neither number is the whole, and both together are not the whole."""

    proven: PartialSum
    """The sum of the proven holdings."""
    remembered: PartialSum
    """The sum of the holdings that were proven before."""
    missing: tuple[Holding, ...]
    """The holdings without any proven amount. At least one."""


@dataclass(frozen=True, slots=True)
class SumTooLarge:
    """More than 2**256 - 1 base units: the token's contract is not reliable."""


@dataclass(frozen=True, slots=True)
class OtherSum:
    """Something that this version does not know."""

    text: str
    """What it is, for people."""


Sum: TypeAlias = ProvenSum | RememberedSum | IncompleteSum | SumTooLarge | OtherSum
"""The amounts of a total. Later versions may have more kinds: end a ``match`` with ``case _``."""


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of the holdings of one asset on one network."""

    network_id: int
    """The chain id of the network."""
    token: str | None
    """The contract of the token; none for the network's own coin."""
    sum: Sum
    """The amounts."""
    oldest: int | None
    """The time of the oldest block that any amount comes from, in seconds since 1970; none if no amount is known."""
