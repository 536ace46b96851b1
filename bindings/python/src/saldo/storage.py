"""What an app's own storage must do for saldo."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StorageSnapshot:
    """Everything that is kept."""

    entries: Mapping[str, bytes] = field(repr=False)
    """The bytes under each name."""
    version: int
    """The version; 0 for a storage into which nothing was written yet."""


@dataclass(frozen=True, slots=True)
class StorageChange:
    """One change of what is kept."""

    name: str
    """The name, of printable ASCII, at most 224 bytes."""
    value: bytes | None = field(repr=False)
    """What is kept under it from now on; none: the entry is removed."""


@dataclass(frozen=True, slots=True)
class StorageAck:
    """What a storage has written, counted from what it wrote and not from what it was given. saldo compares it."""

    version: int
    """The version after the write: another than it ever was before, and not 0."""
    written: int
    """The number of changes, removals included."""
    checksum: int
    """The sum of all bytes of the names (UTF-8) and the values, modulo 2**32."""

    @classmethod
    def of(cls, written: Iterable[tuple[str, bytes | None]], version: int) -> StorageAck:
        """Counts what was written: pairs of a name and the bytes now under it, ``None`` if it was removed."""
        count = 0
        checksum = 0
        for name, value in written:
            count += 1
            checksum += sum(name.encode()) + sum(value or b"")
        return cls(version=version, written=count, checksum=checksum % 2**32)


class StorageFailureKind(enum.Enum):
    """Why the storage cannot be read or written."""

    CONFLICT = "conflict"
    """Another client wrote since ``expected_version``. saldo reads again, merges and tries again."""
    READ_ONLY = "read_only"
    """It must not be written."""
    IN_USE = "in_use"
    """Another process has it open for writing."""
    DAMAGED = "damaged"
    """It is damaged, or no storage."""
    FULL = "full"
    """There is no room."""
    UNEXPECTED = "unexpected"
    """Anything else, also whatever an implementation raises without naming it."""


class StorageFailure(Exception):
    """The storage cannot be read or written. A storage raises it; saldo takes every other exception as ``UNEXPECTED``."""

    def __init__(self, kind: StorageFailureKind, detail: str = "") -> None:
        super().__init__(kind.value)
        self.kind = kind
        """What went wrong."""
        self.detail = detail
        """What happened, in one line, for ``UNEXPECTED``. saldo does not show it."""


class Storage(Protocol):
    """Keeps bytes under names for saldo, with a version, in the app's private storage.

    Its methods are called on the event loop on which the client was made.
    """

    async def load(self) -> StorageSnapshot:
        """Reads everything that is kept, as it was at one moment, with the version of that moment."""
        ...

    async def apply(self, changes: Sequence[StorageChange], expected_version: int) -> StorageAck:
        """Writes all of ``changes`` if the version is still ``expected_version``; else nothing, and raises ``CONFLICT``.

        Durable when it returns. It is never cancelled, so that nothing is written in part.
        """
        ...
