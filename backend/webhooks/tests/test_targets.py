"""Where nothing is sent: URLs that are no targets, and addresses that are not public."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.domain import targets
from webhooks.domain.targets import Target, TargetRefused, is_public, parse, refuse_addresses


@pytest.mark.parametrize(
    ("url", "target", "authority"),
    [
        ("https://example.com", Target("https", "example.com", 443, "/"), "example.com"),
        ("https://EXAMPLE.com.:443/a?b=c", Target("https", "example.com", 443, "/a?b=c"), "example.com"),
        ("HTTPS://a-b.example:8443/x", Target("https", "a-b.example", 8443, "/x"), "a-b.example:8443"),
        ("https://xn--mller-kva.example/", Target("https", "xn--mller-kva.example", 443, "/"), "xn--mller-kva.example"),
        ("https://8.8.8.8/h", Target("https", "8.8.8.8", 443, "/h"), "8.8.8.8"),
        ("https://[2606:4700::0:1111]:1024/", Target("https", "2606:4700::1111", 1024, "/"), "[2606:4700::1111]:1024"),
        ("http://till/", Target("http", "till", 80, "/"), "till"),
        ("https://a.example/a%20b?u=s://x@y", Target("https", "a.example", 443, "/a%20b?u=s://x@y"), "a.example"),
    ],
)  # fmt: skip
def test_a_target_in_its_parts(url: str, target: Target, authority: str) -> None:
    assert parse(url) == target
    assert parse(url).authority == authority


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/hook",
        "//example.com/hook",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com:1070/_x",
        "https://",
        "https:///hook",
        "https://?x",
        "https://user:word@example.com/",
        "https://user@example.com/",
        "https://@example.com/",
        "https://example.com@127.0.0.1/",
        "https://example.com\\@127.0.0.1/",
        "https://example.com/ x",
        "https://example.com/\r\nX-Evil: 1",
        "https://example.com/\x00",
        "https://exämple.com/",
        "https://①②⑦.0.0.1/",
        "https://example.com/#fragment",
        "https://0x7f.1/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://1.2.3.4.5/",
        "https://example.0x1/",
        "https://example.1/",
        "https://[fe80::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[::1/",
        "https://[v1.x]/",
        "https://exa_mple..com/",
        "https://-example.com/",
        "https://" + "a" * 64 + ".com/",
        "https://example.com/" + "a" * 2000,
        "https://example.com:0/",
        "https://example.com:22/",
        "https://example.com:25/",
        "https://example.com:80/",
        "http://example.com:443/",
        "https://example.com:1023/",
        "https://example.com:65536/",
        "https://example.com:-1/",
        "https://example.com:x/",
    ],
)
def test_what_is_no_target(url: str) -> None:
    with pytest.raises(TargetRefused):
        parse(url)


@given(st.text(max_size=60).map(lambda text: f"https://{text}") | st.text(max_size=60))
def test_any_text_is_a_target_or_refused(url: str) -> None:
    try:
        target = parse(url)
    except TargetRefused:
        return
    assert target.scheme in targets.PORTS
    assert not set(target.host) & set("@/\\%?# \r\n")
    assert target.path.startswith("/")
    assert target.path.isascii()


PRIVATE = [
    "0.0.0.0",  # noqa: S104  # nothing is bound: it is refused
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::127.0.0.1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "172.32.0.1",
    "198.20.0.1",
    "2606:4700::1111",
    "2a00:1450::8a",
]


@pytest.mark.parametrize(
    ("address", "public"), [*((a, False) for a in PRIVATE), *((a, True) for a in PUBLIC)]
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@given(st.ip_addresses())
def test_nothing_that_python_calls_local_is_public_to_us(address: IPv4Address | IPv6Address) -> None:
    if is_public(str(address)):
        assert address.is_global
        assert not address.is_multicast


HTTPS, HTTP = parse("https://example.com/"), parse("http://example.com/")
OWN = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("target", "addresses", "own", "allowed"),
    [
        (HTTPS, [], (), True),
        (HTTPS, ["8.8.8.8"], (), True),
        (HTTPS, ["8.8.8.8", "2606:4700::1"], (), True),
        (HTTPS, ["8.8.8.8", "127.0.0.1"], (), False),
        (HTTPS, ["127.0.0.1", "8.8.8.8"], (), False),
        (HTTPS, ["::ffff:10.1.2.3"], OWN, False),
        (HTTPS, ["10.1.2.3", "fd12::1"], OWN, True),
        (HTTPS, ["10.1.2.3", "10.2.0.1"], OWN, False),
        (HTTPS, ["fd12::1%eth0"], OWN, False),
        (HTTP, ["8.8.8.8"], (), False),
        (HTTP, ["8.8.8.8"], OWN, False),
        (HTTP, ["10.1.2.3"], OWN, True),
        (HTTP, ["10.1.2.3", "8.8.8.8"], OWN, False),
    ],
)
def test_every_address_of_a_name_must_be_allowed(target, addresses, own, allowed) -> None:
    if allowed:
        refuse_addresses(target, addresses, own)
    else:
        with pytest.raises(TargetRefused):
            refuse_addresses(target, addresses, own)
