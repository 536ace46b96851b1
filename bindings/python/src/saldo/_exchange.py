"""One request and its response, on a thread that may block."""

from __future__ import annotations

import base64
import errno
import http.client
import selectors
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from ._load import VERSION
from .proxy import Proxies
from .transport import FailureKind, HttpRequest, HttpResponse, TransportFailure

_CONNECT_SECONDS = 2.0
"""A host that accepts no connection within this time, TLS included, counts as not reached."""
_SLICE_SECONDS = 0.05
"""How soon a connection that is being made notices its cancellation."""
_CHUNK = 64 * 1024
_NO_NETWORK = (errno.ENETUNREACH, errno.ENETDOWN)


class Exchange:
    """One request and its response. ``run`` blocks; ``abort`` ends it from another thread."""

    def __init__(self, request: HttpRequest, context: ssl.SSLContext, proxies: Proxies, deadline: float) -> None:
        self._request = request
        self._context = context
        self._proxies = proxies
        self._deadline = deadline
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_aborted = False

    def abort(self) -> None:
        """Ends the exchange: the connection is shut down, so that no read or write goes on."""
        with self._lock:
            self._is_aborted = True
            if self._socket is not None:
                try:
                    # Not the method of an `SSLSocket`: that one changes what the other thread is reading from.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
                except OSError:
                    pass

    def run(self) -> HttpResponse:
        """Sends the request and reads the response. Raises :class:`TransportFailure`."""
        url = urlsplit(self._request.url)
        try:
            stream = self._open(url)
        except TimeoutError:
            # There was no connection, so the server has not seen the request.
            kind = FailureKind.TIMEOUT if time.monotonic() >= self._deadline else FailureKind.CONNECT
            raise TransportFailure(kind) from None
        try:
            return self._talk(stream, url)
        except TimeoutError:
            raise TransportFailure(FailureKind.TIMEOUT) from None
        except http.client.BadStatusLine as error:
            # The server answers plain HTTP with a TLS alert: it expects a handshake.
            if url.scheme == "http" and str(error.args[0] if error.args else "").startswith("\x15\x03"):
                raise TransportFailure(FailureKind.TLS_EXPECTED) from None
            raise TransportFailure(FailureKind.BROKEN) from None
        except (OSError, http.client.HTTPException):
            raise TransportFailure(FailureKind.BROKEN) from None
        finally:
            self._close(stream)

    def _close(self, stream: socket.socket) -> None:
        # Under the lock: `abort` must not shut down another connection that has the same number by then.
        with self._lock:
            self._socket = None
            stream.close()

    def _take(self, stream: socket.socket) -> None:
        with self._lock:
            self._socket = stream
            if self._is_aborted:
                raise TransportFailure(FailureKind.TIMEOUT)

    def _left(self, limit: float | None = None) -> float:
        now = time.monotonic()
        left = min(self._deadline, limit or self._deadline) - now
        if left <= 0 or self._is_aborted:
            raise TimeoutError
        return left

    def _open(self, url: SplitResult) -> socket.socket:
        """Opens the connection to the server, through the proxy if there is one, and with TLS if the URL asks for it."""
        limit = time.monotonic() + _CONNECT_SECONDS
        proxy = self._proxies.of(url)
        host, port = _target(url)
        stream = self._connect(*(_target(proxy) if proxy else (host, port)), limit)
        try:
            if url.scheme != "https":
                return stream
            if proxy:
                self._tunnel(stream, proxy, host, port, limit)
            return self._secure(stream, host, limit)
        except BaseException:
            self._close(stream)
            raise

    def _secure(self, stream: socket.socket, host: str, limit: float) -> socket.socket:
        # The handshake comes later, so that `abort` can end it.
        secured = self._context.wrap_socket(stream, server_hostname=host, do_handshake_on_connect=False)
        try:
            self._take(secured)
            secured.settimeout(self._left(limit))
            secured.do_handshake()
            return secured
        except BaseException as error:
            self._close(secured)
            # The server took the connection and then closed it without a word of TLS.
            if isinstance(error, (ssl.SSLEOFError, ConnectionError)):
                raise TransportFailure(FailureKind.CONNECT) from None
            if isinstance(error, ssl.SSLError):
                raise TransportFailure(_tls_kind(error)) from None
            raise

    def _connect(self, host: str, port: int, limit: float) -> socket.socket:
        numbers: list[int] = []
        for family, address in _addresses(host, port):
            stream = socket.socket(family, socket.SOCK_STREAM)
            try:
                self._take(stream)
                number = self._connect_one(stream, address, limit)
                if number == 0:
                    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    return stream
            except BaseException:
                self._close(stream)
                raise
            self._close(stream)
            numbers.append(number)
        is_offline = bool(numbers) and all(number in _NO_NETWORK for number in numbers)
        raise TransportFailure(FailureKind.OFFLINE if is_offline else FailureKind.CONNECT)

    def _connect_one(self, stream: socket.socket, address: Any, limit: float) -> int:
        """Returns 0, or the number of the system's error."""
        stream.setblocking(False)
        number = stream.connect_ex(address)
        if number not in (errno.EINPROGRESS, errno.EWOULDBLOCK):
            return number
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_WRITE)
            while not selector.select(min(_SLICE_SECONDS, self._left(limit))):
                pass
        return stream.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def _tunnel(self, stream: socket.socket, proxy: SplitResult, host: str, port: int, limit: float) -> None:
        """Asks the proxy for a connection to the server (RFC 9110, section 9.3.6)."""
        stream.settimeout(self._left(limit))
        name = f"{_bracketed(host)}:{port}"
        head = f"CONNECT {name} HTTP/1.1\r\nHost: {name}\r\n"
        if credentials := _credentials(proxy):
            head += f"Proxy-Authorization: {credentials}\r\n"
        try:
            stream.sendall(f"{head}\r\n".encode())
            with http.client.HTTPResponse(stream, method="CONNECT") as reply:
                reply.begin()
        except TimeoutError:
            raise
        except (OSError, http.client.HTTPException):
            raise TransportFailure(FailureKind.CONNECT) from None
        if not 200 <= reply.status < 300:
            raise TransportFailure(FailureKind.CONNECT)

    def _talk(self, stream: socket.socket, url: SplitResult) -> HttpResponse:
        request = self._request
        stream.settimeout(self._left())
        connection = http.client.HTTPConnection(url.hostname or "", timeout=self._left())
        connection.sock = stream
        connection.auto_open = 0
        path = f"{url.path or '/'}{'?' + url.query if url.query else ''}"
        proxy = self._proxies.of(url)
        host = _bracketed(url.hostname or "") + (f":{url.port}" if url.port else "")
        headers = [("Host", host), ("Accept-Encoding", "gzip"), ("Connection", "close")]
        if credentials := _credentials(url):
            headers.append(("Authorization", credentials))
        if proxy and url.scheme == "http":
            path = f"http://{host}{path}"
            if credentials := _credentials(proxy):
                headers.append(("Proxy-Authorization", credentials))
        if request.method != "GET":
            headers.append(("Content-Length", str(len(request.body))))
        given = {name.lower() for name, _ in request.headers}
        if "user-agent" not in given:
            headers.append(("User-Agent", f"saldo/{VERSION}"))
        connection.putrequest(request.method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in (*headers, *request.headers):
            connection.putheader(name, value)
        connection.endheaders(request.body or None)
        stream.settimeout(self._left())
        # Without the `with`, the response keeps the connection open.
        with connection.getresponse() as response:
            body = self._body(stream, response)
        if url.scheme == "http" and _asks_for_tls(response.status, body):
            raise TransportFailure(FailureKind.TLS_EXPECTED)
        return HttpResponse(status=response.status, headers=tuple(response.getheaders()), body=body)

    def _body(self, stream: socket.socket, response: http.client.HTTPResponse) -> bytes:
        limit = self._request.max_bytes
        if (response.length or 0) > limit:
            raise TransportFailure(FailureKind.TOO_LARGE)
        encoding = (response.getheader("Content-Encoding") or "identity").strip().lower()
        if encoding not in ("identity", "gzip", "x-gzip"):
            raise TransportFailure(FailureKind.ENCODING)
        chunks = self._chunks(stream, response)
        parts = chunks if encoding == "identity" else _inflated(chunks, limit)
        body = bytearray()
        for part in parts:
            body += part
            if len(body) > limit:
                raise TransportFailure(FailureKind.TOO_LARGE)
        return bytes(body)

    def _chunks(self, stream: socket.socket, response: http.client.HTTPResponse) -> Iterator[bytes]:
        # After the last byte, newer versions of Python close the socket at once.
        while not response.isclosed():
            stream.settimeout(self._left())
            chunk = response.read1(_CHUNK)
            if not chunk:
                break
            yield chunk
        # Python reports no error when a body with a length ends early.
        if response.length:
            raise TransportFailure(FailureKind.BROKEN)


def _inflated(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """Inflates gzip (RFC 1952), never more than one chunk at a time."""
    inflater = zlib.decompressobj(wbits=31)
    has_begun = False
    try:
        for chunk in chunks:
            while chunk:
                if inflater.eof:
                    inflater = zlib.decompressobj(wbits=31)
                has_begun = True
                yield inflater.decompress(chunk, min(limit + 1, _CHUNK))
                chunk = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    except zlib.error:
        raise TransportFailure(FailureKind.ENCODING) from None
    if has_begun and not inflater.eof:
        raise TransportFailure(FailureKind.BROKEN)


def _target(url: SplitResult) -> tuple[str, int]:
    return url.hostname or "", url.port or (443 if url.scheme == "https" else 80)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _credentials(url: SplitResult) -> str:
    if url.username is None:
        return ""
    pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _addresses(host: str, port: int) -> list[tuple[int, Any]]:
    if host.rstrip(".").lower() == "localhost":
        # The loopback addresses, whatever the hosts file says.
        return [(socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET6, ("::1", port))]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise TransportFailure(FailureKind.DNS) from None
    return [(family, address) for family, _, _, _, address in found]


_CERTIFICATE_KINDS = {
    # The numbers are OpenSSL's X509_V_ERR_...: openssl/x509_vfy.h.
    2: FailureKind.TLS_UNTRUSTED_ISSUER,
    9: FailureKind.TLS_NOT_YET_VALID,
    10: FailureKind.TLS_EXPIRED,
    18: FailureKind.TLS_UNTRUSTED_ISSUER,
    19: FailureKind.TLS_UNTRUSTED_ISSUER,
    20: FailureKind.TLS_UNTRUSTED_ISSUER,
    21: FailureKind.TLS_UNTRUSTED_ISSUER,
    23: FailureKind.TLS_REVOKED,
    27: FailureKind.TLS_UNTRUSTED_ISSUER,
    62: FailureKind.TLS_OTHER_NAME,
    64: FailureKind.TLS_OTHER_NAME,
}

_TLS_KINDS = {
    # The first byte is that of no TLS record, for example the H of HTTP.
    "WRONG_VERSION_NUMBER": FailureKind.TLS_PLAIN_HTTP,
    "HTTP_REQUEST": FailureKind.TLS_PLAIN_HTTP,
    "PACKET_LENGTH_TOO_LONG": FailureKind.TLS_PLAIN_HTTP,
    "RECORD_LAYER_FAILURE": FailureKind.TLS_PLAIN_HTTP,
    "TLSV1_ALERT_PROTOCOL_VERSION": FailureKind.TLS_OLD_VERSION,
    "UNSUPPORTED_PROTOCOL": FailureKind.TLS_OLD_VERSION,
}


def _tls_kind(error: ssl.SSLError) -> FailureKind:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATE_KINDS.get(error.verify_code, FailureKind.TLS)
    return _TLS_KINDS.get(error.reason or "", FailureKind.TLS)


def _asks_for_tls(status: int, body: bytes) -> bool:
    """Whether a server of HTTPS says in plain HTTP that it expects TLS: what Go, nginx and Apache answer."""
    signs = (
        b"an HTTP request to an HTTPS server",
        b"plain HTTP request was sent to HTTPS port",
        b"speaking plain HTTP to an SSL-enabled",
    )
    return status == 400 and len(body) <= 2048 and any(sign in body for sign in signs)
