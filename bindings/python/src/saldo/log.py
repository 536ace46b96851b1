"""Where saldo's log lines go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log. It names no address and no URL."""

    level: str
    """``error``, ``warn``, ``info``, ``debug`` or ``trace``."""
    target: str
    """The part of saldo that says it."""
    text: str
    """What happened, with its fields."""


class LogSink(Protocol):
    """Takes the lines of saldo's log. A ``logging.Logger`` does as well.

    Its method is called on the event loop on which the client was made. Lines that it does not take in time are dropped.
    """

    async def write(self, lines: Sequence[LogLine]) -> None:
        """Takes ``lines``, in their order. The next lines come when it has returned."""
        ...
