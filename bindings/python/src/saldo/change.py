"""The changes that a watch yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .config import Holding
from .reading import Freshness, Proven, Reading


@dataclass(frozen=True, slots=True)
class Remembered:
    """The last proven amount of a holding, which is not proven as of now. It is the first change of each holding."""

    holding: Holding
    """The holding that changed."""
    last: Proven | None
    """The last proven amount. None means that no amount is known, which is not zero."""
    freshness: Freshness | None
    """The age of ``last``."""


@dataclass(frozen=True, slots=True)
class NewReading:
    """A holding was read, and the reading differs from the one before it."""

    holding: Holding
    """The holding that changed."""
    reading: Reading
    """The new reading."""
    freshness: Freshness | None
    """The age of the newest proven amount of the reading; none if nothing is proven."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A reorganisation removed the block of the last proven amount: stop showing that amount."""

    holding: Holding
    """The holding that changed."""
    withdrawn: Proven
    """The amount that no longer holds."""
    last: Proven | None
    """The amount to show until the holding is read again."""
    freshness: Freshness | None
    """The age of ``last``."""


@dataclass(frozen=True, slots=True)
class StorageChanged:
    """The storage refuses to keep what is proven, or keeps it again. The readings are not affected."""

    unwritten: str | None
    """Why it refuses, as a stable code (``full``: ask the user to free some space); none if everything is kept again."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What a watch is doing."""

    code: str
    """``idle``, ``fetching``, ``offline``, ``no_new_heads`` or ``backing_off``; a later version may have others."""
    sources: tuple[str, ...]
    """The sources of light-client data that failed, for ``no_new_heads``."""
    until_ms: int | None
    """When the watch tries again, in milliseconds since 1970, for ``no_new_heads`` and ``backing_off``."""


@dataclass(frozen=True, slots=True)
class ActivityChanged:
    """The activity of the watch changed."""

    activity: Activity
    """What the watch is doing."""


@dataclass(frozen=True, slots=True)
class OtherChange:
    """Something that this version does not know. Ignore it."""

    text: str
    """What happened, for people."""


Change: TypeAlias = Remembered | NewReading | Withdrawn | StorageChanged | ActivityChanged | OtherChange
"""Reports that something on the screen has to change. Later versions may have more kinds: end a ``match`` with ``case _``."""
