"""The proxies that the environment names, by the same rules as saldo's transport in Rust."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit


class ProxyError(ValueError):
    """A proxy variable cannot be understood, or names a kind of proxy that this transport does not have.

    Without the proxy, a request would show this device's address to the provider, so nothing is sent. The text shows
    nothing of the value, which may hold a password.
    """

    def __init__(self, variable: str, text: str) -> None:
        super().__init__(f"the proxy in {variable} {text}")
        self.variable = variable
        """The name of the variable."""


class Proxies:
    """The proxies to use: for ``http``, for ``https``, and the hosts that are reached without one.

    They come from ``http_proxy``, ``https_proxy`` and ``all_proxy`` (the last for both), and from ``no_proxy``, each in lower
    or upper case; lower case wins. A server on this device is never asked through a proxy. Only ``http://`` proxies work:
    others are refused.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Reads these variables. ``Proxies({})`` uses no proxy.

        Raises :class:`ProxyError`.
        """
        shared = _first(environment, "all_proxy", "ALL_PROXY")
        # A web server hands a request's `Proxy` header to its programs as HTTP_PROXY (CVE-2016-5385).
        is_web_server = "REQUEST_METHOD" in environment
        plain = _first(environment, "http_proxy", *(() if is_web_server else ("HTTP_PROXY",)))
        secure = _first(environment, "https_proxy", "HTTPS_PROXY")
        self._by_scheme = {"http": _parse(plain or shared), "https": _parse(secure or shared)}
        without = _first(environment, "no_proxy", "NO_PROXY")
        self._without = without[1].replace(",", " ").split() if without else []

    @classmethod
    def from_environment(cls) -> Proxies:
        """Reads the environment of this process. Raises :class:`ProxyError`."""
        return cls(os.environ)

    def of(self, url: SplitResult) -> SplitResult | None:
        """Returns the proxy for requests to ``url``; none if they go there directly."""
        host = (url.hostname or "").rstrip(".")
        if _is_this_device(host) or any(_matches(entry, host, url) for entry in self._without):
            return None
        return self._by_scheme.get(url.scheme)


def _first(environment: Mapping[str, str], *names: str) -> tuple[str, str] | None:
    for name in names:
        value = environment.get(name, "").strip()
        if value:
            return name, value
    return None


def _parse(named: tuple[str, str] | None) -> SplitResult | None:
    if named is None:
        return None
    variable, value = named
    unclear = ProxyError(variable, "cannot be understood: expected http://, a host and a port")
    # Without a scheme only a host and port are clear: a word alone may be anything.
    if "://" not in value:
        if not value.rstrip("/").rpartition(":")[2].isdecimal() or ":" not in value:
            raise unclear
        value = f"http://{value}"
    try:
        proxy = urlsplit(value)
        port = proxy.port
    except ValueError:
        raise unclear from None
    if proxy.scheme in ("https", "socks", "socks4", "socks4a", "socks5", "socks5h"):
        raise ProxyError(
            variable,
            "is none that this transport can use: it has only http:// proxies. Give the client a transport of your own",
        )
    is_plain = proxy.path in ("", "/") and not proxy.query and not proxy.fragment
    has_odd = any(character.isspace() or not character.isprintable() for character in value)
    if proxy.scheme != "http" or not proxy.hostname or port == 0 or not is_plain or has_odd:
        raise unclear
    return proxy


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_this_device(host: str) -> bool:
    address = _address(host)
    if address is None:
        # RFC 6761, section 6.3.
        return host.lower() == "localhost" or host.lower().endswith(".localhost")
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_loopback or (mapped is not None and mapped.is_loopback)


def _matches(entry: str, host: str, url: SplitResult) -> bool:
    """Whether an entry of ``no_proxy`` names the host: ``*``, a name and all below it, an address or a network."""
    if entry == "*":
        return True
    address = _address(host)
    text, slash, bits = entry.partition("/")
    try:
        network = ipaddress.ip_network(f"{text.strip('[]')}{slash}{bits}", strict=False)
    except ValueError:
        name, colon, port = entry.rpartition(":")
        if not (colon and port.isdecimal()):
            name, port = entry, ""
        name = name.removeprefix("*.").lstrip(".").rstrip(".").lower()
        own = url.port or {"http": 80, "https": 443}.get(url.scheme)
        is_below = host.lower() == name or host.lower().endswith(f".{name}")
        return is_below and (not port or own == int(port))
    return address is not None and address.version == network.version and address in network
