"""The watch: what a screen shows while it is open."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from ._convert import lift
from ._loop import call
from .change import Change


class Watch:
    """Watches the readings of some holdings, for as long as the app iterates. :meth:`Client.watch` makes one::

        async for change in client.watch([holding]):
            ...

    Between two steps it makes no request. A step that is cancelled loses nothing: the next one reports the changes again,
    from the state of that moment. The iteration ends when the client is shut down.
    """

    def __init__(self, native: Any) -> None:
        self._native = native
        # The number of the last batch that arrived here. The library repeats what came after it.
        self._received = 0
        self._left: deque[Change] = deque()

    def __aiter__(self) -> AsyncIterator[Change]:
        return self

    async def __anext__(self) -> Change:
        if not self._left:
            self._left.extend(await self._next())
        return self._left.popleft()

    async def batches(self) -> AsyncIterator[tuple[Change, ...]]:
        """Yields all changes that are known at one moment together. A screen that applies them together shows no sum of
        old and new amounts."""
        while True:
            try:
                changes = await self._next()
            except StopAsyncIteration:
                return
            yield changes

    async def _next(self) -> tuple[Change, ...]:
        if self._left:
            left = tuple(self._left)
            self._left.clear()
            return left
        batch = await call(lambda: self._native.next_all(self._received))
        changes: tuple[Change, ...] = lift(batch.changes)
        if not changes:
            raise StopAsyncIteration
        # Nothing is awaited between this line and the one that keeps or returns the changes.
        self._received = batch.number
        return changes
