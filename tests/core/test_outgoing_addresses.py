"""Addresses that others have chosen: of all that a name or a number can lead to, only what is public is called."""

import socket
import threading
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from apps.core import outgoing
from apps.core.outgoing import Unreachable
from tests.core.naming import Resolve
from tests.timing import takes_at_most

PUBLIC, LOOPBACK = "1.1.1.1", "127.0.0.1"
PRIVATE_V4 = (
    *("0.0.0.1", "0.1.2.3", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254"),
    *("172.16.0.1", "172.31.255.255", "192.168.0.1", "192.0.0.8", "192.0.0.170", "192.0.2.1", "192.88.99.1"),
    *("198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
)
PRIVATE_V6 = (
    *("::", "::1", "100::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1"),
    *("2001::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002::1", "3fff::1", "3fff:fff::1"),
    *("64:ff9b:1::1", "4000::1", "5f00::1", "8000::1", "e000::1"),
)
WRAPPED = {
    "IPv4-compatible": "::",
    "IPv4-mapped": "::ffff:0:0",
    "translated (SIIT)": "::ffff:0:0:0",
    "NAT64": "64:ff9b::",
    "NAT64, local": "64:ff9b:1::",
    "6to4": "2002::",
    "Teredo server": "2001::",
}
SHIFTS = {"6to4": 80, "Teredo server": 64}


def wrapped(how: str, address: str) -> str:
    """An IPv6 address that leads to this IPv4 address wherever somebody unwraps it."""
    return str(IPv6Address(int(IPv6Address(WRAPPED[how])) | int(IPv4Address(address)) << SHIFTS.get(how, 0)))


def literal(address: str) -> str:
    return f"[{address}]" if ":" in address else address


class Called(list[str]):
    """The addresses that were connected to, none of which answers."""


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Called:
    """The network, that takes no connection, but notes where it would have led."""
    addresses = Called()

    def connect(_socket: socket.socket, address: tuple[Any, ...]) -> None:
        addresses.append(address[0])
        raise ConnectionRefusedError("nobody is there")

    monkeypatch.setattr(socket.socket, "connect", connect, raising=False)
    return addresses


def refused(url: str, called: Called, why: str = "a private address") -> None:
    with pytest.raises(Unreachable, match=why):
        outgoing.post(url, b"", {}, within=2)
    assert called == []


@pytest.mark.parametrize("address", [*PRIVATE_V4, *PRIVATE_V6])
def test_no_private_address_is_called(address: str, called: Called) -> None:
    """C8: private addresses refused."""
    refused(f"http://{literal(address)}/", called)
    refused(f"https://{literal(address)}:8443/", called)


@pytest.mark.parametrize("how", WRAPPED)
@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", PUBLIC])
def test_no_ipv4_address_is_called_that_is_wrapped_in_an_ipv6_address(how: str, address: str, called: Called) -> None:
    """A translator or a tunnel nearby would unwrap it."""
    refused(f"http://{literal(wrapped(how, address))}/", called)


def test_the_client_of_a_teredo_address_is_not_called(called: Called) -> None:
    """RFC 4380 section 4: its IPv4 address is the last 32 bits, inverted."""
    inverted = int(IPv4Address("10.1.2.3")) ^ 0xFFFFFFFF
    refused(f"http://[{IPv6Address(int(IPv6Address('2001:0:102:304::')) | inverted)}]/", called)


@pytest.mark.parametrize("host", ["localhost", "0x7f.1", "2130706433", "0177.0.0.1", "127.1", "0", "user:pw@127.0.0.1"])
def test_no_spelling_leads_to_this_machine(host: str, called: Called) -> None:
    refused(f"http://{host}/", called)


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "192.0.1.1", "2606:4700::1111", "2a00:1450::1", "2001:200::1"])
def test_public_addresses_are_called(address: str, called: Called) -> None:
    with pytest.raises(Unreachable, match="ConnectionRefusedError"):
        outgoing.post(f"http://{literal(address)}/", b"", {}, within=2)
    assert called == [address]


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "http:///", "gopher://x", "file:///etc/passwd", "", "//1.1.1.1/"]
)
def test_nothing_but_http_is_spoken(url: str, called: Called) -> None:
    refused(url, called, "not an http or https address")


@pytest.mark.parametrize(
    "url",
    [
        *(f"http://{PUBLIC}:99999/", f"http://{PUBLIC}:x/", f"http://{PUBLIC}/a b", "http://[::1/", "http://a\x00b/"),
        *(f"http://{'a' * 64}.example/", "http://a b/", "http://[1.1.1.1]/", f"http://{PUBLIC}/\x7f"),
    ],
)
def test_no_address_whatever_is_more_than_unreachable(url: str, called: Called) -> None:
    with pytest.raises(Unreachable):
        outgoing.post(url, b"", {}, within=2)


@pytest.mark.parametrize("found", [[PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC], [PUBLIC, "::1"]])
def test_a_name_that_leads_to_a_private_address_too_is_not_called(
    found: list[str], called: Called, resolver: Resolve
) -> None:
    resolver([found])
    refused("http://both.example/", called)


def test_a_name_that_leads_elsewhere_a_moment_later_gains_nothing(called: Called, resolver: Resolve) -> None:
    """DNS rebinding: the connection goes to the address that was looked at."""
    asked = resolver([[PUBLIC], [LOOPBACK]])
    with pytest.raises(Unreachable, match="ConnectionRefusedError"):
        outgoing.post("http://rebinding.example/", b"", {}, within=2)
    assert (called, asked) == ([PUBLIC], ["rebinding.example"])


def test_a_name_server_that_says_nothing_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: released.wait(10))

    def ask() -> None:
        with pytest.raises(Unreachable, match="TimeoutError"):
            outgoing.post("http://slow.example/", b"", {}, within=0.2)

    assert takes_at_most(2, ask)
    released.set()
