"""The IP allowlist of a customer (contract 1.6)."""

from functools import lru_cache

from apps.core import client_address
from apps.customers.errors import IpNotAllowed
from apps.customers.state import CustomerState


def check(customer: CustomerState, ip: str | None) -> None:
    """Raises IpNotAllowed unless one of the customer's networks has the address. A customer that lists none admits every address."""
    if not customer.networks:
        return
    address = client_address.parse(ip or "")
    if address is None or not client_address.contains(_networks(customer.networks), address):
        raise IpNotAllowed


@lru_cache(maxsize=1024)
def _networks(texts: tuple[str, ...]) -> tuple[client_address.Network, ...]:
    return client_address.parse_networks(texts)
