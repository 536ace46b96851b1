"""The proxies of the environment are used or refused, and never ignored."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

import saldo


def chosen(variables: dict[str, str], url: str) -> str | None:
    proxy = saldo.Proxies(variables).of(urlsplit(url))
    return None if proxy is None else proxy.geturl().rstrip("/")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("http://proxy.test:3128", "http://proxy.test:3128"),
        ("HTTP://proxy.test:3128/", "http://proxy.test:3128"),
        (" http://proxy.test:3128\n", "http://proxy.test:3128"),
        ("proxy.test:3128", "http://proxy.test:3128"),
        ("192.0.2.1:3128/", "http://192.0.2.1:3128"),
        ("http://user:pass@proxy.test:3128", "http://user:pass@proxy.test:3128"),
        ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
    ],
)
def test_every_form_that_shells_export_is_understood(value: str, expected: str) -> None:
    for name in ("all_proxy", "ALL_PROXY", "https_proxy", "HTTPS_PROXY"):
        assert chosen({name: value}, "https://node.test/KEY") == expected


@pytest.mark.parametrize(
    "value",
    [
        "nonsense", "KEY KEY", "http//proxy.test", "htp://proxy.test:3128", "ftp://proxy.test:3128", "http://",
        "http://:3128", "http://proxy.test:99999", "http://proxy.test:0", "http://proxy .test:3128",
        "http://proxy.test/proxy.pac", "proxy.test:port", "localhost", "://proxy.test:1",
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_understood_is_refused_and_not_shown(value: str) -> None:
    for variable in ("all_proxy", "HTTPS_PROXY", "http_proxy"):
        with pytest.raises(saldo.ProxyError) as refused:
            saldo.Proxies({variable: value})
        assert refused.value.variable == variable and "cannot be understood" in str(refused.value)
        assert "KEY" not in str(refused.value) and "proxy.test" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["https", "socks", "socks4", "socks5", "socks5h", "SOCKS5"])
def test_a_kind_of_proxy_that_the_standard_library_lacks_is_refused_by_name(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("all_proxy", f"{scheme}://user:pass@proxy.test:1080")
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    config = saldo.ClientConfig(network="mainnet", use_directory=True)
    for make in (saldo.StandardTransport, lambda: saldo.Client(config)):
        with pytest.raises(saldo.ProxyError, match="the proxy in all_proxy .* only http:// proxies") as refused:
            make()
        assert "proxy.test" not in str(refused.value) and "pass" not in str(refused.value)


def test_the_scheme_of_the_target_decides_and_lower_case_wins() -> None:
    variables = {
        "http_proxy": "http://plain.test:1",
        "HTTPS_PROXY": "http://upper.test:1",
        "https_proxy": "http://secure.test:1",
        "all_proxy": "http://all.test:1",
    }
    assert chosen(variables, "http://node.test") == "http://plain.test:1"
    assert chosen(variables, "https://node.test") == "http://secure.test:1"
    assert chosen({"https_proxy": " ", "ALL_PROXY": "http://all.test:1"}, "https://node.test") == "http://all.test:1"
    assert chosen({}, "https://node.test") is None
    header = {"HTTP_PROXY": "http://attacker.test:1", "REQUEST_METHOD": "GET"}
    assert chosen(header, "http://node.test") is None, "a web server's program"


def test_this_device_and_the_hosts_of_no_proxy_are_reached_directly() -> None:
    listed = ".corp.test, example.test,*.wild.test 10.0.0.0/8,192.0.2.7,[2001:db8::]/32,port.test:8443"
    variables = {"all_proxy": "http://p.test:1", "NO_PROXY": listed}
    for url in (
        "http://127.0.0.1:8545", "http://127.9.9.9", "http://[::1]:8545", "http://[::ffff:127.0.0.1]",
        "http://localhost:8545", "https://LOCALHOST", "http://a.localhost.", "https://corp.test", "https://a.b.corp.test",
        "https://example.test", "https://a.example.test", "https://a.wild.test", "http://10.1.2.3", "http://192.0.2.7",
        "http://[2001:db8:1::1]", "https://port.test:8443",
    ):  # fmt: skip
        assert chosen(variables, url) is None, url
    for url in (
        "https://notexample.test", "https://example.test.evil.test", "http://11.0.0.1", "http://192.0.2.8",
        "http://[2001:db9::1]", "https://port.test", "https://localhost.evil.test", "http://128.0.0.1",
    ):  # fmt: skip
        assert chosen(variables, url) == "http://p.test:1", url
    assert chosen({"all_proxy": "http://p.test:1", "no_proxy": "*"}, "https://node.test") is None
