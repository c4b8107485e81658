"""How often codes and passwords may be tried (contract 6). Both are counted together, since a guess is a guess."""

from uuid import UUID

from apps.core import rate_limits
from apps.core.client_address import counted_as
from apps.core.context import RequestContext
from apps.core.errors import RateLimited
from apps.core.rate_limits import Hit, Limit, Rule
from apps.customers import limits
from apps.customers.state import CustomerState
from apps.otp import keyed_digests
from apps.users.emails import Address
from apps.users.models import User


def hit_network(customer: CustomerState, context: RequestContext) -> Hit:
    """Count one try of the caller's network. Raises RateLimited or ValkeyUnavailable."""
    return rate_limits.hit([of_network(customer, context)])


def of_network(customer: CustomerState, context: RequestContext) -> Rule:
    """The limit on tries from one network.

    Counted for all customers together, so its log has a hash tag of its own. Each window has its own log: counting in a
    shorter window drops older entries, which a longer one still needs.
    """
    limit = customer.limit(limits.TRIES_PER_IP)
    return limits.rule(limit, limits.EVERY_CUSTOMER, str(limit.window), counted_as(context.ip))


def rules(customer: CustomerState, address: Address, context: RequestContext) -> list[Rule]:
    """The limits on tries for one address, from one network and from all."""
    name = counted(address)
    return [
        limits.rule(customer.limit(limits.TRIES_PER_EMAIL_AND_IP), customer.id, name, counted_as(context.ip)),
        limits.rule(customer.limit(limits.TRIES_PER_EMAIL), customer.id, name),
    ]


def second_factor_rules(customer: CustomerState, user_id: UUID, context: RequestContext) -> list[Rule]:
    """The same limits for somebody who has given a first factor: for one user, from one network and from all.

    Counted apart, so that strangers cannot keep a user from giving a second factor.
    """
    per_network = customer.limit(limits.TRIES_PER_EMAIL_AND_IP)
    return [
        after_a_first_factor(per_network, customer, user_id, counted_as(context.ip)),
        after_a_first_factor(customer.limit(limits.TRIES_PER_EMAIL), customer, user_id),
        per_user(customer, user_id),
    ]


def per_user(customer: CustomerState, user_id: UUID) -> Rule:
    """The limit on second factors tried by one user, at sign-in and at enrolment together."""
    return limits.rule(customer.limit(limits.SECOND_FACTORS_PER_USER), customer.id, str(user_id))


def after_a_first_factor(limit: Limit, customer: CustomerState, user_id: UUID, *scope: str) -> Rule:
    """The limit, counted for a user whose first factor was right."""
    return limits.rule(limit, customer.id, "second-factor", str(user_id), *scope)


def is_closed_to_codes(customer: CustomerState, user: User) -> bool:
    """Whether so many wrong codes were given for the account that none is sent or accepted until it is opened again."""
    return user.wrong_codes >= customer.limit(limits.WRONG_CODES_IN_A_ROW).count


def is_closed_to_second_factors(customer: CustomerState, user: User) -> bool:
    """Whether there were as many wrong codes after a right first factor: then the user has to sign in by other means first."""
    return user.wrong_second_factors >= customer.limit(limits.WRONG_CODES_IN_A_ROW).count


def note_guess(customer: CustomerState) -> bool:
    """Count a wrong code among those of all the customer's users. True if there are too many. Raises ValkeyUnavailable.

    For codes that PostgreSQL checks. Those in Valkey are counted by the script that checks them (`code_store.claim`).
    """
    try:
        rate_limits.hit([limits.rule(customer.limit(limits.WRONG_CODES_PER_CUSTOMER), customer.id)])
    except RateLimited:
        return True
    return False


def counted(address: Address) -> str:
    """How limits name an address in Valkey."""
    return keyed_digests.of(address.counter_key)
