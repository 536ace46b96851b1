"""The default transport, against a local server with each fault of a transport."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import gzip
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Callable, Iterator

import pytest
import trustme
from drill import run

import saldo
from saldo import FailureKind

Answer = Callable[[socket.socket], None]
OK = b"HTTP/1.1 200 OK\r\n"


class Server:
    """Takes connections on loopback, reads the head of the request, and answers as told."""

    def __init__(
        self, answer: Answer = lambda _: None, context: ssl.SSLContext | None = None, raw: Answer | None = None
    ) -> None:
        self.answer = answer
        self.raw = raw
        """Answers instead, without reading a request."""
        self.context = context
        self.requests: list[bytes] = []
        self.ended = threading.Event()
        """Whether a client has closed its connection before the answer was complete."""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def url(self, scheme: str = "http", host: str = "127.0.0.1") -> str:
        return f"{scheme}://{host}:{self.port}/KEY?a=b"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        try:
            with connection:
                if self.raw:
                    return self.raw(connection)
                stream = self.context.wrap_socket(connection, server_side=True) if self.context else connection
                head = b""
                while b"\r\n\r\n" not in head:
                    part = stream.recv(65_536)
                    if not part:
                        return
                    head += part
                self.requests.append(head)
                try:
                    self.answer(stream)
                except OSError:
                    self.ended.set()
                if self.context:
                    with contextlib.suppress(OSError):
                        stream.close()
        except OSError:
            # A client that refuses the certificate closes the connection.
            pass

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


def says(*parts: bytes) -> Answer:
    def answer(stream: socket.socket) -> None:
        for part in parts:
            stream.sendall(part)

    return answer


def silent(*parts: bytes) -> Answer:
    """Sends `parts`, and then nothing until the client ends."""

    def answer(stream: socket.socket) -> None:
        for part in parts:
            stream.sendall(part)
        if stream.recv(1) == b"":
            raise ConnectionResetError

    return answer


def body(content: bytes, *headers: bytes) -> bytes:
    return OK + b"".join(header + b"\r\n" for header in headers) + b"Content-Length: %d\r\n\r\n" % len(content) + content


def send(
    url: str,
    *,
    method: str = "GET",
    content: bytes = b"",
    timeout_ms: int = 5_000,
    max_bytes: int = 100_000,
    context: ssl.SSLContext | None = None,
    proxies: saldo.Proxies | None = None,
) -> saldo.HttpResponse:
    request = saldo.HttpRequest(
        method=method,
        url=url,
        headers=(("content-type", "application/json"),),
        body=content,
        timeout_ms=timeout_ms,
        max_bytes=max_bytes,
    )

    async def exchange() -> saldo.HttpResponse:
        transport = saldo.StandardTransport(context=context, proxies=proxies or saldo.Proxies({}))
        transport.begin()
        try:
            return await transport.send(request)
        finally:
            await transport.end()

    return run(exchange(), timeout_ms / 1000 + 5)


def failure(url: str, **named: object) -> FailureKind:
    with pytest.raises(saldo.TransportFailure) as raised:
        send(url, **named)  # type: ignore[arg-type]
    return raised.value.kind


def test_a_response_with_any_status_is_a_response() -> None:
    for status in (200, 404, 429, 503):
        with Server(says(b"HTTP/1.1 %d Odd\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\nok" % status)) as server:
            response = send(server.url(), method="POST", content=b"{}")
        assert (response.status, response.body) == (status, b"ok")
        assert ("Retry-After", "3") in response.headers
        [request] = server.requests
        assert request.startswith(b"POST /KEY?a=b HTTP/1.1\r\n") and b"content-type: application/json" in request
        assert b"Content-Length: 2" in request and b"Host: 127.0.0.1:%d\r\n" % server.port in request
        assert b"User-Agent: saldo/" in request


def test_a_name_and_a_password_in_the_url_are_sent_as_credentials() -> None:
    with Server(says(body(b""))) as server:
        send(f"http://us%65r:pass@127.0.0.1:{server.port}/")
    assert b"Authorization: Basic dXNlcjpwYXNz\r\n" in server.requests[0]


def test_a_server_that_ends_the_connection_has_answered() -> None:
    for content in (b"", b"ok", b"x" * 100_000):
        with Server(says(body(content, b"Connection: close"))) as server:
            assert send(server.url()).body == content
        with Server(says(body(gzip.compress(content), b"Connection: close", b"Content-Encoding: gzip"))) as server:
            assert send(server.url()).body == content
        with Server(says(b"HTTP/1.0 200 OK\r\n\r\n" + content)) as server:
            assert send(server.url()).body == content
    with Server(says(OK + b"Connection: close\r\nContent-Length: 10\r\n\r\n12345")) as server:
        assert failure(server.url()) is FailureKind.BROKEN


def test_chunks_and_a_body_until_the_end_are_read() -> None:
    with Server(says(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")) as server:
        assert send(server.url()).body == b"abc"
    with Server(says(OK + b"\r\nabc")) as server:
        assert send(server.url()).body == b"abc"


def test_a_refused_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert failure(f"http://127.0.0.1:{port}/") is FailureKind.CONNECT
    assert failure(f"http://localhost:{port}/") is FailureKind.CONNECT
    assert failure(f"https://127.0.0.1:{port}/") is FailureKind.CONNECT


def test_a_name_that_does_not_resolve() -> None:
    for host in ("nothing.invalid", "x" * 64 + ".test"):
        assert failure(f"http://{host}/", timeout_ms=20_000) is FailureKind.DNS


def test_a_host_that_takes_no_connection_is_not_reached_within_two_seconds() -> None:
    # The backlog is full, so that the system answers no further connection.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        with contextlib.ExitStack() as stack:
            for _ in range(4):
                filler = stack.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(address)
            began = time.monotonic()
            assert failure(f"http://127.0.0.1:{address[1]}/") is FailureKind.CONNECT
            assert 1.5 < time.monotonic() - began < 4


@pytest.mark.parametrize(
    "answer",
    [
        silent(),
        silent(OK),
        silent(OK + b"Content-Length: 10\r\n\r\n12345"),
        silent(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n123"),
    ],
    ids=["before the head", "in the head", "in the body", "in a chunk"],
)
def test_silence_ends_at_the_time_limit_and_the_connection_is_closed(answer: Answer) -> None:
    with Server(answer) as server:
        began = time.monotonic()
        assert failure(server.url(), timeout_ms=400) is FailureKind.TIMEOUT
        assert 0.35 < time.monotonic() - began < 2
        assert server.ended.wait(2)


def test_a_slow_trickle_ends_at_the_time_limit_too() -> None:
    def trickle(stream: socket.socket) -> None:
        stream.sendall(OK + b"Content-Length: 1000\r\n\r\n")
        for _ in range(1000):
            stream.sendall(b"x")
            time.sleep(0.02)

    with Server(trickle) as server:
        began = time.monotonic()
        assert failure(server.url(), timeout_ms=400) is FailureKind.TIMEOUT
        assert time.monotonic() - began < 2
        assert server.ended.wait(2)


def test_cancelling_closes_the_connection() -> None:
    async def cancel(server: Server) -> None:
        transport = saldo.StandardTransport(proxies=saldo.Proxies({}))
        transport.begin()
        request = saldo.HttpRequest("GET", server.url(), (), b"", 60_000, 1_000)
        sending = asyncio.ensure_future(transport.send(request))
        while not server.requests:
            await asyncio.sleep(0.01)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert await asyncio.to_thread(server.ended.wait, 2)
        began = time.monotonic()
        await transport.end()
        assert time.monotonic() - began < 1, "the thread went on"

    with Server(silent(OK)) as server:
        run(cancel(server), 10)


def test_a_body_beyond_the_limit_is_not_read_to_its_end() -> None:
    def flood(stream: socket.socket) -> None:
        while True:
            stream.sendall(b"x" * 65_536)

    def announced(stream: socket.socket) -> None:
        stream.sendall(OK + b"Content-Length: 100001\r\n\r\n")
        flood(stream)

    def unannounced(stream: socket.socket) -> None:
        stream.sendall(OK + b"\r\n")
        flood(stream)

    def chunked(stream: socket.socket) -> None:
        stream.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n")
        while True:
            stream.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")

    for answer in (announced, unannounced, chunked):
        with Server(answer) as server:
            assert failure(server.url()) is FailureKind.TOO_LARGE
            assert server.ended.wait(2)
    with Server(says(body(b"x" * 100_000))) as server:
        assert len(send(server.url()).body) == 100_000


def test_a_redirect_is_a_response_and_is_not_followed() -> None:
    with Server(says(body(b"elsewhere"))) as target:
        for status in (301, 302, 307, 308):
            location = target.url().encode()
            with Server(says(b"HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, location))) as server:
                assert send(server.url()).status == status
        assert target.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        says(),
        says(b"HTTP/1.1 2"),
        says(b"nonsense\r\n\r\n"),
        says(b"HTTP/1.1 abc\r\n\r\n"),
        says(OK + b"Content-Length: 10\r\n\r\n12345"),
        says(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n123"),
        says(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n123"),
        says(OK + b"A: b\r\n" * 1_000 + b"\r\n"),
        says(OK + b"A: " + b"b" * 100_000 + b"\r\n\r\n"),
        says(body(gzip.compress(b"x" * 10_000)[:20], b"Content-Encoding: gzip")),
    ],
)
def test_a_broken_response(answer: Answer) -> None:
    with Server(answer) as server:
        assert failure(server.url()) is FailureKind.BROKEN


def test_a_reset_connection_is_broken() -> None:
    def reset(stream: socket.socket) -> None:
        stream.sendall(OK + b"Content-Length: 10\r\n\r\n123")
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    with Server(reset) as server:
        assert failure(server.url()) is FailureKind.BROKEN


def test_gzip_is_inflated() -> None:
    whole = b"saldo " * 10_000
    for content in (gzip.compress(whole), gzip.compress(whole[:1000]) + gzip.compress(whole[1000:])):
        with Server(says(body(content, b"Content-Encoding: gzip"))) as server:
            assert send(server.url()).body == whole
            assert b"Accept-Encoding: gzip\r\n" in server.requests[0]
    with Server(says(body(b"", b"Content-Encoding: gzip"))) as server:
        assert send(server.url()).body == b""


def test_a_gzip_bomb_is_too_large() -> None:
    with Server(says(body(gzip.compress(bytes(50_000_000)), b"Content-Encoding: gzip"))) as server:
        assert failure(server.url()) is FailureKind.TOO_LARGE


def test_a_body_that_cannot_be_inflated() -> None:
    damaged = bytearray(gzip.compress(b"saldo " * 100))
    damaged[-6] ^= 0xFF  # the checksum
    for content, encoding in [
        (b"plain text", b"gzip"),
        (bytes(damaged), b"gzip"),
        (gzip.compress(b"x") + b"rest", b"gzip"),
        (b"x", b"br"),
        (b"x", b"gzip, gzip"),
    ]:
        with Server(says(body(content, b"Content-Encoding: " + encoding))) as server:
            assert failure(server.url()) is FailureKind.ENCODING, (content, encoding)


@pytest.fixture(scope="module")
def issuer() -> trustme.CA:
    return trustme.CA()


def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def trusting(issuer: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    issuer.configure_trust(context)
    return context


def test_a_trusted_certificate(issuer: trustme.CA) -> None:
    for name in ("127.0.0.1", "localhost"):
        with Server(says(body(b"ok")), serving(issuer.issue_cert(name))) as server:
            assert send(server.url("https", name), context=trusting(issuer)).body == b"ok"


def test_an_issuer_that_is_not_trusted(issuer: trustme.CA) -> None:
    with Server(says(body(b"")), serving(trustme.CA().issue_cert("127.0.0.1"))) as server:
        assert failure(server.url("https"), context=trusting(issuer)) is FailureKind.TLS_UNTRUSTED_ISSUER
        assert failure(server.url("https")) is FailureKind.TLS_UNTRUSTED_ISSUER
        assert server.requests == []


def test_a_certificate_for_another_name(issuer: trustme.CA) -> None:
    with Server(says(body(b"")), serving(issuer.issue_cert("elsewhere.test"))) as server:
        for host in ("127.0.0.1", "localhost"):
            assert failure(server.url("https", host), context=trusting(issuer)) is FailureKind.TLS_OTHER_NAME
        assert server.requests == []


def test_a_certificate_out_of_its_time(issuer: trustme.CA) -> None:
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    expired = issuer.issue_cert("127.0.0.1", not_before=now - 2 * day, not_after=now - day)
    early = issuer.issue_cert("127.0.0.1", not_before=now + day, not_after=now + 2 * day)
    for certificate, kind in [(expired, FailureKind.TLS_EXPIRED), (early, FailureKind.TLS_NOT_YET_VALID)]:
        with Server(says(body(b"")), serving(certificate)) as server:
            assert failure(server.url("https"), context=trusting(issuer)) is kind


def test_a_server_with_an_old_version_of_tls(issuer: trustme.CA) -> None:
    context = serving(issuer.issue_cert("127.0.0.1"))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with Server(says(body(b"")), context) as server:
        assert failure(server.url("https"), context=trusting(issuer)) is FailureKind.TLS_OLD_VERSION


def test_plain_http_behind_https() -> None:
    with Server(raw=says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")) as server:
        assert failure(server.url("https")) is FailureKind.TLS_PLAIN_HTTP


def test_tls_behind_http(issuer: trustme.CA) -> None:
    with Server(says(body(b"")), serving(issuer.issue_cert("127.0.0.1"))) as server:
        kind = failure(server.url("http"))
        # OpenSSL closes the connection without a word; others send an alert, or a page.
        assert kind in (FailureKind.TLS_EXPECTED, FailureKind.BROKEN)
    with Server(says(b"\x15\x03\x01\x00\x02\x02\x46")) as server:
        assert failure(server.url()) is FailureKind.TLS_EXPECTED
    for page in (
        b"Client sent an HTTP request to an HTTPS server.",
        b"<html>400 The plain HTTP request was sent to HTTPS port</html>",
        b"You're speaking plain HTTP to an SSL-enabled server port.",
    ):
        with Server(says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n" % len(page) + page)) as server:
            assert failure(server.url()) is FailureKind.TLS_EXPECTED


def test_a_server_that_closes_in_the_handshake() -> None:
    with Server(raw=says()) as server:
        assert failure(server.url("https")) is FailureKind.CONNECT


def test_a_handshake_that_never_ends() -> None:
    with Server(raw=lambda _: time.sleep(4)) as server:
        began = time.monotonic()
        assert failure(server.url("https"), timeout_ms=400) is FailureKind.TIMEOUT
        assert time.monotonic() - began < 2
        assert failure(server.url("https"), timeout_ms=6_000) is FailureKind.CONNECT


@contextlib.contextmanager
def proxy_through(server: Server, greeting: bytes) -> Iterator[tuple[saldo.Proxies, list[bytes]]]:
    """A proxy that connects everything to `server`, after this answer to CONNECT."""
    heads: list[bytes] = []

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while part := source.recv(65_536):
                sink.sendall(part)
            sink.shutdown(socket.SHUT_WR)

    def serve(connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", server.port)) as further:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(1)
            heads.append(head)
            if head.startswith(b"CONNECT "):
                connection.sendall(greeting)
            else:
                further.sendall(head)
            back = threading.Thread(target=pump, args=(further, connection))
            back.start()
            pump(connection, further)
            back.join()

    with Server(raw=serve) as proxy:
        yield saldo.Proxies({"all_proxy": f"http://user:pass@127.0.0.1:{proxy.port}"}), heads


def test_a_proxy_of_the_environment_is_used(issuer: trustme.CA) -> None:
    with Server(says(body(b"ok"))) as server:
        with proxy_through(server, b"") as (proxies, heads):
            assert send("http://node.test/KEY", proxies=proxies).body == b"ok"
        assert heads[0].startswith(b"GET http://node.test/KEY HTTP/1.1\r\n")
        assert b"Proxy-Authorization: Basic dXNlcjpwYXNz\r\n" in heads[0]
    with Server(says(body(b"ok")), serving(issuer.issue_cert("node.test"))) as server:
        with proxy_through(server, b"HTTP/1.1 200 Connected\r\n\r\n") as (proxies, heads):
            assert send("https://node.test/KEY", proxies=proxies, context=trusting(issuer)).body == b"ok"
        # The proxy sees the host, and not the path with the key.
        assert heads[0].startswith(b"CONNECT node.test:443 HTTP/1.1\r\n") and b"KEY" not in heads[0]
        assert b"Proxy-Authorization" not in server.requests[0]


def test_a_proxy_that_refuses_is_no_connection(issuer: trustme.CA) -> None:
    for greeting in (b"HTTP/1.1 407 Who\r\n\r\n", b"HTTP/1.1 502 No\r\n\r\n", b"nonsense\r\n\r\n", b""):
        with Server(says(body(b"ok")), serving(issuer.issue_cert("node.test"))) as server:
            with proxy_through(server, greeting) as (proxies, _):
                kind = failure("https://node.test/", proxies=proxies, context=trusting(issuer), timeout_ms=800)
        assert kind is (FailureKind.CONNECT if greeting else FailureKind.TIMEOUT), greeting
        assert server.requests == []
