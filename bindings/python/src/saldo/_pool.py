"""A few threads for what blocks: sockets and files."""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

_Job = tuple["concurrent.futures.Future[Any]", Callable[[], Any]]


class Pool:
    """Threads that start when there is work, and end when their users have ended or after some idle seconds.

    They are daemons: a name server that never answers keeps no app from ending.
    """

    _IDLE_SECONDS = 10.0
    _END_SECONDS = 2.0

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: dict[threading.Thread, concurrent.futures.Future[None]] = {}
        self._busy = 0
        self._users = 0

    def begin(self) -> None:
        """Adds a user, which calls :meth:`end` later."""
        with self._lock:
            self._users += 1

    async def end(self) -> None:
        """Removes a user. After the last one, the threads end; this waits for them, but not for one that hangs."""
        with self._lock:
            self._users -= 1
            if self._users > 0:
                return
            threads = dict(self._threads)
            for _ in threads:
                self._jobs.put(None)
        if threads:
            ended = [asyncio.wrap_future(future) for future in threads.values()]
            await asyncio.wait(ended, timeout=self._END_SECONDS)
        for thread, future in threads.items():
            if future.done():
                thread.join()

    def run(self, work: Callable[[], T]) -> concurrent.futures.Future[T]:
        """Runs ``work`` on one of the threads."""
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        with self._lock:
            self._busy += 1
            if self._busy > len(self._threads) and len(self._threads) < self._size:
                self._start()
            self._jobs.put((future, work))
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
            with self._lock:
                self._busy -= 1
            del job, future, work
        ended.set_result(None)

    def _next(self) -> _Job | None:
        try:
            job = self._jobs.get(timeout=self._IDLE_SECONDS)
        except queue.Empty:
            job = None
        with self._lock:
            # A job that came in this moment counts on this thread.
            if job is None and not self._jobs.empty():
                job = self._jobs.get()
            if job is None:
                self._threads.pop(threading.current_thread(), None)
        return job
