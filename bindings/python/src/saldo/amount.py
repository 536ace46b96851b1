"""Functions that need no client."""

from __future__ import annotations

from ._convert import lift
from ._load import native
from .reading import Sample


def format_amount(amount: int, decimals: int) -> str:
    """Returns the exact quantity as a decimal fraction: 1500000000000000000 wei with 18 decimals is ``1.5``."""
    return str(native.format_amount(amount, decimals))


def format_amount_short(amount: int, decimals: int, places: int) -> str:
    """Returns the quantity cut to ``places`` digits after the point.

    An amount that is not zero never reads as zero: one that is too small for the places is ``<0.0001``.
    """
    return str(native.format_amount_short(amount, decimals, places))


def normalize_address(text: str) -> str | None:
    """Returns ``text`` as an address with its EIP-55 checksum; none if it is not an address, or has a wrong checksum."""
    address: str | None = native.normalize_address(text)
    return address


def why_codes() -> tuple[str, ...]:
    """Lists every code that :attr:`Why.code` can have, sorted."""
    codes: tuple[str, ...] = lift(native.why_codes())
    return codes


def samples() -> tuple[Sample, ...]:
    """Returns one invented reading of each state that a screen must show. Nothing in it is true of any address."""
    shown: tuple[Sample, ...] = lift(native.samples())
    return shown
