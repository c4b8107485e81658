"""The client's address (contract 1.6): the peer's, unless the peer is a trusted proxy."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

COUNTED_IPV6_PREFIX = 64  # one household or server has a whole /64: limits count it as one


def parse(text: str) -> Address | None:
    """The address in `text` (a port and brackets are dropped; IPv4-mapped IPv6 becomes IPv4), or None."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def parse_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Networks as the settings list them. Raises ValueError."""
    return tuple(ip_network(text.strip()) for text in texts if text.strip())


def contains(networks: Sequence[Network], address: Address) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def address_of(*, peer: str, forwarded_for: str, trusted: Sequence[Network]) -> Address | None:
    """The peer, or behind a trusted proxy the right-most untrusted entry of X-Forwarded-For.

    An entry that is no address ends the walk: nobody we trust has vouched for what stands left of it.
    """
    found = parse(peer)
    if found is None or not contains(trusted, found):
        return found
    for entry in reversed(forwarded_for.split(",")):
        hop = parse(entry)
        if hop is None:
            break
        found = hop
        if not contains(trusted, hop):
            break
    return found


def counted_as(address: str | None) -> str:
    """How limits name an address: IPv4 as it is, IPv6 by its /64, an unknown one as `unknown`."""
    found = parse(address or "")
    if found is None:
        return "unknown"
    if isinstance(found, IPv6Address):
        return str(ip_network((found, COUNTED_IPV6_PREFIX), strict=False))
    return str(found)
