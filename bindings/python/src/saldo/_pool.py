"""A few threads for what blocks: sockets and files."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

_Job = tuple["concurrent.futures.Future[Any]", Callable[[], Any]]


class Pool:
    """Threads that start when there is work, and end when their users have ended or after some idle seconds.

    They are daemons: a name server that never answers keeps no app from ending.
    """

    _IDLE_SECONDS = 10.0
    # For an app that wraps a part of this package in one of its own, so that no client begins and ends it.
    _IDLE_SECONDS_WITHOUT_USERS = 0.5
    _END_SECONDS = 2.0

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._changed = threading.Condition()
        self._jobs: deque[_Job] = deque()
        self._threads: dict[threading.Thread, concurrent.futures.Future[None]] = {}
        self._idle = 0
        self._users = 0
        self._is_over = False

    def begin(self) -> None:
        """Adds a user, which calls :meth:`end` later."""
        with self._changed:
            self._users += 1
            self._is_over = False

    async def end(self) -> None:
        """Removes a user. After the last one, the threads end; this waits for them, but not for one that hangs."""
        with self._changed:
            self._users -= 1
            if self._users > 0:
                return
            self._is_over = True
            threads = dict(self._threads)
            self._changed.notify_all()
        if threads:
            ended = [asyncio.wrap_future(future) for future in threads.values()]
            await asyncio.wait(ended, timeout=self._END_SECONDS)
        for thread, future in threads.items():
            if future.done():
                thread.join()

    def run(self, work: Callable[[], T]) -> concurrent.futures.Future[T]:
        """Runs ``work`` on one of the threads."""
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        with self._changed:
            self._jobs.append((future, work))
            if len(self._jobs) > self._idle and len(self._threads) < self._size:
                self._start()
            self._changed.notify()
        return future

    def _start(self) -> None:
        ended: concurrent.futures.Future[None] = concurrent.futures.Future()
        thread = threading.Thread(target=self._work, args=(ended,), name=self._name, daemon=True)
        self._threads[thread] = ended
        thread.start()

    def _work(self, ended: concurrent.futures.Future[None]) -> None:
        while (job := self._next()) is not None:
            future, work = job
            if future.set_running_or_notify_cancel():
                try:
                    result = work()
                except BaseException as raised:
                    future.set_exception(raised)
                else:
                    future.set_result(result)
            del job, future, work
        ended.set_result(None)

    def _next(self) -> _Job | None:
        """Waits for a job. Returns none if the thread has to end."""
        began = time.monotonic()
        with self._changed:
            self._idle += 1
            try:
                while not self._jobs:
                    limit = self._IDLE_SECONDS if self._users > 0 else self._IDLE_SECONDS_WITHOUT_USERS
                    left = began + limit - time.monotonic()
                    if self._is_over or left <= 0:
                        self._threads.pop(threading.current_thread(), None)
                        return None
                    self._changed.wait(left)
                return self._jobs.popleft()
            finally:
                self._idle -= 1
