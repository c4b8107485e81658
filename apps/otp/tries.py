"""How often codes and passwords may be tried (contract 6): one count for both, since a guess is a guess."""

from apps.core import rate_limits
from apps.core.client_address import counted_as
from apps.core.rate_limits import Rule
from apps.core.requests import Caller
from apps.customers import limits
from apps.customers.standing import CustomerStanding
from apps.otp import codes
from apps.users.emails import Address


def hit_network(customer: CustomerStanding, caller: Caller) -> None:
    """Count one try of the caller's network. Raises RateLimited or ValkeyUnavailable.

    At all customers together, so its log stands under a tag of its own. One log a window: whoever counts in a shorter
    one forgets what is older, and must not do so for the others.
    """
    limit = customer.limit(limits.TRIES_PER_IP)
    rate_limits.hit([limits.rule(limit, limits.EVERY_CUSTOMER, str(limit.window), counted_as(caller.ip))])


def rules(customer: CustomerStanding, address: Address, caller: Caller) -> list[Rule]:
    """The limits on tries for one address, from one network and from all."""
    name = counted(address)
    return [
        limits.rule(customer.limit(limits.TRIES_PER_EMAIL_AND_IP), customer.id, name, counted_as(caller.ip)),
        limits.rule(customer.limit(limits.TRIES_PER_EMAIL), customer.id, name),
    ]


def counted(address: Address) -> str:
    """How limits name an address in Valkey."""
    return codes.pseudonym(address.counter_key)
