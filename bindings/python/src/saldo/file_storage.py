"""A storage in one file."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import struct
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from ._guard import Here
from ._pool import Pool
from .storage import StorageAck, StorageChange, StorageFailure, StorageFailureKind, StorageSnapshot

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

T = TypeVar("T")

_MAGIC = b"saldo storage 1\n"
_HEAD = struct.Struct(">QI")
"""The version, and the number of entries."""
_LENGTHS = struct.Struct(">HI")
"""The lengths of a name and of its value, before both."""
_MAX_BYTES = 64 << 20
_LOCK_SECONDS = 5.0
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)


class FileStorage(Here):
    """Keeps everything in one file with the mode 0600. Each write replaces the file as a whole, and is on the disk after it.

    Clients in one or several processes may share the file: each write names the version that it follows. A file beside it,
    with the suffix ``.lock``, lets one write at a time; it stays empty. Do not copy the file into a backup: after a restore,
    what it remembers is old. saldo checks everything that it reads from it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Uses the file ``path``. It and its folder are made by the first write."""
        self._path = Path(path)
        self._pool = Pool("saldo-file", 1)

    def begin(self) -> None:
        self._pool.begin()

    async def end(self) -> None:
        await self._pool.end()

    async def load(self) -> StorageSnapshot:
        """Reads everything that is kept."""
        return await self._run(self._load)

    async def apply(self, changes: Sequence[StorageChange], expected_version: int) -> StorageAck:
        """Writes all of ``changes``, or raises ``CONFLICT``. It is on the disk when this returns."""
        return await self._run(lambda: self._apply(changes, expected_version))

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            # A write goes on when the task is cancelled: the thread does not notice.
            return await asyncio.shield(asyncio.wrap_future(self._pool.run(work)))
        except OSError as error:
            raise StorageFailure(_kind(error), type(error).__name__) from None

    def _load(self) -> StorageSnapshot:
        try:
            with self._path.open("rb") as file:
                # A file that grows without end is not ours.
                content = file.read(_MAX_BYTES + 1)
        except FileNotFoundError:
            return StorageSnapshot(entries={}, version=0)
        return _read(content)

    def _apply(self, changes: Sequence[StorageChange], expected_version: int) -> StorageAck:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._locked():
            before = self._load()
            if before.version != expected_version:
                raise StorageFailure(StorageFailureKind.CONFLICT)
            entries = dict(before.entries)
            for change in changes:
                if change.value is None:
                    entries.pop(change.name, None)
                else:
                    entries[change.name] = change.value
            # Counted by the clock, so that a file that was deleted and made anew has no version of the old one.
            version = max(before.version + 1, time.time_ns() // 1000)
            written = self._replace(_bytes(entries, version))
        return StorageAck.of(((change.name, written.get(change.name)) for change in changes), version)

    def _replace(self, content: bytes) -> dict[str, bytes]:
        """Writes the file, and returns the entries that a reader finds in it."""
        # `mkstemp` makes the file with the mode 0600.
        handle, temporary = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
        try:
            with open(handle, "w+b") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                file.seek(0)
                written = dict(_read(file.read(_MAX_BYTES + 1)).entries)
            os.replace(temporary, self._path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        self._sync_folder()
        return written

    def _sync_folder(self) -> None:
        """Makes the new name durable. Windows opens no folder, and needs no such call."""
        if os.name != "posix":
            return
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        if fcntl is None:
            # Without file locks, one process only: its writes come one after another on the one thread.
            yield
            return
        handle = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            until = time.monotonic() + _LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= until:
                        raise StorageFailure(StorageFailureKind.IN_USE) from None
                    time.sleep(0.01)
            yield
        finally:
            # Closing it unlocks it.
            os.close(handle)


def _kind(error: OSError) -> StorageFailureKind:
    if error.errno in _FULL:
        return StorageFailureKind.FULL
    if error.errno in _READ_ONLY:
        return StorageFailureKind.READ_ONLY
    return StorageFailureKind.UNEXPECTED


def _bytes(entries: dict[str, bytes], version: int) -> bytes:
    parts = [_MAGIC, _HEAD.pack(version, len(entries))]
    for name, value in entries.items():
        encoded = name.encode()
        parts += (_LENGTHS.pack(len(encoded), len(value)), encoded, value)
    content = b"".join(parts)
    return content + hashlib.sha256(content).digest()


def _read(content: bytes) -> StorageSnapshot:
    """Reads what `_bytes` makes. Raises ``DAMAGED`` for anything else."""
    damaged = StorageFailure(StorageFailureKind.DAMAGED)
    body, checksum = content[:-32], content[-32:]
    if len(content) > _MAX_BYTES or not body.startswith(_MAGIC) or hashlib.sha256(body).digest() != checksum:
        raise damaged
    try:
        at = len(_MAGIC)
        version, count = _HEAD.unpack_from(body, at)
        at += _HEAD.size
        entries: dict[str, bytes] = {}
        for _ in range(count):
            name_length, value_length = _LENGTHS.unpack_from(body, at)
            at += _LENGTHS.size
            name = body[at : at + name_length].decode()
            at += name_length
            entries[name] = body[at : at + value_length]
            at += value_length
    except (struct.error, UnicodeDecodeError):
        raise damaged from None
    if at != len(body) or version == 0:
        raise damaged
    return StorageSnapshot(entries=entries, version=version)
