"""Amounts that another source named, and what is known about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .config import Holding
from .reading import Block, Proven, Unknown


@dataclass(frozen=True, slots=True)
class Claim:
    """An amount that another source named: an indexer, or a provider that proves nothing."""

    holding: Holding
    """What it is about."""
    amount: int
    """The amount, in base units."""
    block: int | None = None
    """The number of the block that the source read it at, if it said so. Without it, an amount that changed a moment ago
    cannot be told from a wrong one, unless ``check_patiently`` waits for a newer block."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The amount is proven: it is the newest proven one, whatever block the claim names."""

    proven: Proven
    """The newest proven amount."""


@dataclass(frozen=True, slots=True)
class Different:
    """Another amount is proven, and if the claim names a block, it was another one there too."""

    proven: Proven
    """The newest proven amount."""
    claimed: int
    """The amount that was claimed."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The claim was right at its block, which is proven too. The amount changed since."""

    proven: Proven
    """The newest proven amount."""
    claimed: int
    """The amount that was claimed, and right."""
    at: Block
    """The block of the claim."""


@dataclass(frozen=True, slots=True)
class NotChecked:
    """Nothing was proven that tells whether the claim is right. It is no confirmation, whatever the claimed amount is."""

    unknown: Unknown
    """The reason."""


Verdict: TypeAlias = Confirmed | Different | Changed | NotChecked
"""What is known about a claim. Code that forgets :class:`NotChecked` fails the type checker's exhaustiveness."""
