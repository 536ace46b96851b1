"""A storage that lasts as long as the process, for tests and for apps that keep nothing."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from ._guard import Here
from .storage import StorageAck, StorageChange, StorageFailure, StorageFailureKind, StorageSnapshot


class MemoryStorage(Here):
    """Keeps bytes in memory. Several clients may share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, bytes] = {}
        self._version = 0

    async def load(self) -> StorageSnapshot:
        """Reads everything that is kept."""
        with self._lock:
            return StorageSnapshot(entries=dict(self._entries), version=self._version)

    async def apply(self, changes: Sequence[StorageChange], expected_version: int) -> StorageAck:
        """Writes all of ``changes``, or raises ``CONFLICT``."""
        with self._lock:
            if self._version != expected_version:
                raise StorageFailure(StorageFailureKind.CONFLICT)
            for change in changes:
                if change.value is None:
                    self._entries.pop(change.name, None)
                else:
                    self._entries[change.name] = change.value
            self._version += 1
            written = [(change.name, self._entries.get(change.name)) for change in changes]
            return StorageAck.of(written, self._version)
