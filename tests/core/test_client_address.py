"""C1.6: whose address a request has, when some proxies are trusted and everything else in the headers may be forged."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.client_address import address_of, contains, counted_as, parse, parse_networks

TRUSTED = parse_networks(["10.0.0.0/8", " 2001:db8:f::/48 "])


def seen(peer: str, forwarded_for: str = "") -> str | None:
    found = address_of(peer=peer, forwarded_for=forwarded_for, trusted=TRUSTED)
    return str(found) if found else None


def test_without_a_proxy_it_is_the_peer() -> None:
    """C1.6: the client address is the peer's."""
    assert seen("203.0.113.9") == "203.0.113.9"


def test_a_header_from_anyone_else_is_ignored() -> None:
    """C1.6: an allowlist cannot be passed by writing the header oneself."""
    assert seen("203.0.113.9", "10.0.0.1, 198.51.100.1") == "203.0.113.9"


@pytest.mark.parametrize(
    ("forwarded_for", "expected"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("192.0.2.66, 198.51.100.1", "198.51.100.1"),
        ("192.0.2.66, 198.51.100.1, 10.2.0.1", "198.51.100.1"),
        ("192.0.2.66,198.51.100.1,10.2.0.1,2001:db8:f::1", "198.51.100.1"),
        ("10.3.0.1, 10.2.0.1", "10.3.0.1"),
        ("2001:db8:1::5", "2001:db8:1::5"),
        ("", "10.0.0.1"),
    ],
)
def test_behind_proxies_it_is_the_right_most_untrusted_entry(forwarded_for: str, expected: str) -> None:
    """C1.6: the client may have written everything further left."""
    assert seen("10.0.0.1", forwarded_for) == expected


@pytest.mark.parametrize(
    "nonsense", ["unknown", "_hidden", "1.2.3", "999.1.1.1", "a:b:c", "[", "]", "%", " ", "\0", "é"]
)
def test_a_malformed_entry_ends_the_walk_at_the_last_hop_we_know(nonsense: str) -> None:
    assert seen("10.0.0.1", f"198.51.100.1, {nonsense}") == "10.0.0.1"
    assert seen("10.0.0.1", f"198.51.100.1, {nonsense}, 10.9.9.9") == "10.9.9.9"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("198.51.100.1:4711", "198.51.100.1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("[::ffff:198.51.100.1]:1", "198.51.100.1"),
        ("fe80::1%eth0", "fe80::1"),
        (" 198.51.100.1 ", "198.51.100.1"),
    ],
)
def test_ports_brackets_and_mapped_addresses_are_understood(written: str, expected: str) -> None:
    assert seen("10.0.0.1", written) == expected
    assert seen(written) == expected


def test_a_mapped_peer_is_trusted_as_the_ipv4_address_it_is() -> None:
    """C1.6: IPv4-mapped IPv6 addresses are compared as IPv4."""
    assert seen("::ffff:10.0.0.1", "198.51.100.1") == "198.51.100.1"


@pytest.mark.parametrize("peer", ["", "unix:", "@"])
def test_an_unknown_peer_has_no_address_and_vouches_for_none(peer: str) -> None:
    assert seen(peer, "198.51.100.1") is None


def test_networks_of_one_family_hold_no_address_of_the_other() -> None:
    everything_in_ipv6 = parse_networks(["::/0"])
    assert not contains(everything_in_ipv6, ip_address("198.51.100.1"))
    assert contains(everything_in_ipv6, ip_address("2001:db8::1"))


@given(peer=st.text(max_size=40), header=st.text(max_size=80))
def test_no_text_breaks_it(peer: str, header: str) -> None:
    assert address_of(peer=peer, forwarded_for=header, trusted=TRUSTED) == parse(peer)


@given(header=st.text(max_size=80), client=st.ip_addresses(v=4).filter(lambda ip: not contains(TRUSTED, ip)))
def test_nothing_written_to_the_left_changes_who_it_is(header: str, client: object) -> None:
    assert seen("10.0.0.1", f"{header},{client}") == str(client)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        (None, "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_limits_count_ipv4_alone_and_ipv6_by_its_64(address: str | None, expected: str) -> None:
    """C6: the scope of limits by IP."""
    assert counted_as(address) == expected
