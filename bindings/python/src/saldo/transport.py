"""What an app's own HTTP stack must do for saldo."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One HTTP request."""

    method: str
    """``GET`` or ``POST``."""
    url: str = field(repr=False)
    """The URL. It is a secret, because it may carry an API key: do not log it."""
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    """The headers: names and values."""
    body: bytes = field(repr=False)
    """The body; empty for ``GET``."""
    timeout_ms: int
    """The time limit, from connecting to the last byte of the response, in milliseconds."""
    max_bytes: int
    """The size limit of the response's body after inflating, in bytes. Stop reading beyond it."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An HTTP response with any status."""

    status: int
    """The HTTP status code."""
    headers: Sequence[tuple[str, str]]
    """The headers: names and values. The case of the names does not matter."""
    body: bytes = field(repr=False)
    """The body after inflating."""


class FailureKind(enum.Enum):
    """Why there is no HTTP response."""

    OFFLINE = "offline"
    """The device has no network."""
    DNS = "dns"
    """The host name did not resolve."""
    CONNECT = "connect"
    """No connection could be made; it was refused, for example."""
    TLS = "tls"
    """The connection could not be secured, for another reason than those below."""
    TLS_UNTRUSTED_ISSUER = "tls_untrusted_issuer"
    """This device does not trust the issuer of the certificate."""
    TLS_OTHER_NAME = "tls_other_name"
    """The certificate is for other host names."""
    TLS_EXPIRED = "tls_expired"
    """The certificate has expired, by this device's clock."""
    TLS_NOT_YET_VALID = "tls_not_yet_valid"
    """The certificate is not valid yet, by this device's clock."""
    TLS_REVOKED = "tls_revoked"
    """The issuer has revoked the certificate."""
    TLS_OLD_VERSION = "tls_old_version"
    """The server has no TLS 1.2 or later."""
    TLS_PLAIN_HTTP = "tls_plain_http"
    """The server speaks no TLS at this port, though the URL begins with ``https``."""
    TLS_EXPECTED = "tls_expected"
    """The server expects TLS at this port, though the URL begins with ``http``."""
    TIMEOUT = "timeout"
    """The time limit passed."""
    BROKEN = "broken"
    """The connection broke before the response was complete."""
    REDIRECT = "redirect"
    """The response is a redirect that the HTTP stack reports as an error."""
    TOO_LARGE = "too_large"
    """The body is larger than ``HttpRequest.max_bytes``."""
    ENCODING = "encoding"
    """The body could not be inflated."""
    UNEXPECTED = "unexpected"
    """Anything else, also whatever an implementation raises without naming it."""


class TransportFailure(Exception):
    """There is no HTTP response. A transport raises it; saldo takes every other exception as ``UNEXPECTED``."""

    def __init__(self, kind: FailureKind, *, status: int = 0, detail: str = "") -> None:
        super().__init__(kind.value)
        self.kind = kind
        """What went wrong."""
        self.status = status
        """The HTTP status code, for ``REDIRECT``."""
        self.detail = detail
        """What happened, in one line, for ``UNEXPECTED``. It must not hold the URL. saldo does not show it."""


class HttpTransport(Protocol):
    """Sends HTTP requests for saldo. Its methods are called on the event loop on which the client was made.

    An implementation follows no redirect, returns the body after inflating, and ends the request when its task is
    cancelled. If it never answers, saldo goes on after ``timeout_ms``.
    """

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Sends ``request`` and waits for the whole response. A response with an error status is a response."""
        ...
