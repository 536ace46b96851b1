"""The default transport: ``http.client`` and ``ssl`` of the standard library, on a few threads."""

from __future__ import annotations

import asyncio
import ssl
import time

from ._exchange import Exchange
from ._guard import Here
from ._pool import Pool
from .proxy import Proxies
from .transport import FailureKind, HttpRequest, HttpResponse, TransportFailure


class StandardTransport(Here):
    """Sends requests by the standard library alone. It follows no redirect, and applies the size limit while it inflates.

    It trusts the issuers in the system's store; the variables ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name others. It opens
    a connection for each request. Cancelling a request closes its connection at once.
    """

    def __init__(
        self, *, context: ssl.SSLContext | None = None, proxies: Proxies | None = None, threads: int = 16
    ) -> None:
        """Makes a transport for any number of clients.

        ``context`` is by default ``ssl.create_default_context()``, with TLS 1.2 or later. ``proxies`` are by default those
        of the environment. ``threads`` is the number of requests at one time; others wait, within their time limit.

        Raises :class:`ProxyError` if the environment names a proxy that this transport cannot use.
        """
        self._proxies = Proxies.from_environment() if proxies is None else proxies
        if context is None:
            context = ssl.create_default_context()
            context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context = context
        self._pool = Pool("saldo-http", threads)

    def begin(self) -> None:
        self._pool.begin()

    async def end(self) -> None:
        await self._pool.end()

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Sends ``request`` and waits for the whole response."""
        deadline = time.monotonic() + request.timeout_ms / 1000
        exchange = Exchange(request, self._context, self._proxies, deadline)
        answer = asyncio.wrap_future(self._pool.run(exchange.run))
        try:
            # `wait` does not raise what it waits for. So a `CancelledError` here is the caller's.
            await asyncio.wait((answer,), timeout=request.timeout_ms / 1000)
        finally:
            # After the end of the exchange, both do nothing.
            exchange.abort()
            is_late = answer.cancel()
        if is_late:
            raise TransportFailure(FailureKind.TIMEOUT)
        return answer.result()
