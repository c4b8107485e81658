"""What tests are about: customers, keys, users, made as the service makes them."""

import itertools
from datetime import datetime
from typing import Any

from django.utils import timezone

from apps.api_keys import lifecycle as api_keys
from apps.api_keys.models import ApiKey
from apps.core import actors
from apps.core.context import RequestContext
from apps.customers import lifecycle as customers
from apps.customers import state
from apps.customers.models import Customer, LimitOverride
from apps.customers.state import CustomerState
from apps.oauth import clients as oauth_clients
from apps.oauth.models import RegisteredClient
from apps.tokens import sessions
from apps.tokens.minting import TokenPair
from apps.users import directory, emails, permission_names, roles
from apps.users.models import Permission, Role, User

_numbers = itertools.count(1)
ACTOR = actors.SYSTEM
REDIRECT_URI = "https://app.example.com/callback"


def context(actor: str = actors.ANONYMOUS, *, now: datetime | None = None, **facts: Any) -> RequestContext:
    """A request of this actor, from where the tests' client comes."""
    where = {"ip": "192.0.2.7", "user_agent": "tests", "request_id": "test-request"}
    return RequestContext(now=now or timezone.now(), actor=actor, **{**where, **facts})


def customer(**policy: Any) -> Customer:
    """A customer with secrets of its own. Only a policy of the test's is validated, which takes as long as the rest."""
    number = f"{next(_numbers):06}"  # names are in the order in which they were given, and none begins as another
    facts = {"name": f"Customer {number}", "slug": f"customer-{number}", **policy}
    if policy:
        return customers.create(context=context(ACTOR), **facts)
    row = Customer(**facts)
    customers.insert(row, context=context(ACTOR))
    return row


def state_of(row: Customer) -> CustomerState:
    return state.read(row.id)


def api_key(of: Customer, **facts: Any) -> tuple[ApiKey, str]:
    """A key's row, and the key."""
    values = {"name": "Test key", **facts}
    return api_keys.create(customer=of, context=context(ACTOR), **values)


def user(
    of: Customer, email: str = "ada@example.com", *, email_verified_at: datetime | None = None, **facts: Any
) -> User:
    """A user; what most tests say of theirs is in its first statement."""
    first = {name: facts.pop(name) for name in ("role", "locale") if name in facts}
    row = directory.create(of.id, emails.parse(email), verified_at=email_verified_at, now=timezone.now(), **first)
    for name, value in facts.items():
        setattr(row, name, value)
    if facts:
        row.save()
    return row


def permission(of: Customer, name: str = "invoices.read") -> Permission:
    """A name that the customer's roles and users may hold."""
    return permission_names.create(customer_id=of.id, name=name, context=context(ACTOR))


def role(of: Customer, name: str = "auditor", *permissions: str) -> Role:
    """A role that gives these permissions, which the customer knows from then on."""
    for wanted in permissions:
        if not Permission.objects.filter(customer=of, name=wanted).exists():
            permission(of, wanted)
    return roles.create(customer_id=of.id, name=name, permissions=permissions, context=context(ACTOR))


def session(
    of: User,
    *,
    amr: tuple[str, ...] = ("pwd",),
    delivery: str = "body",
    now: datetime | None = None,
    **where: Any,
) -> TokenPair:
    """Tokens of a fresh session. `where`: fields of its request's context."""
    found = state.read(of.customer_id)
    return sessions.start(customer=found, user=of, amr=amr, delivery=delivery, context=context(now=now, **where))


def limit(of: Customer, name: str, count: int, window: int = 900) -> None:
    """Give a customer a limit of its own."""
    customers.override_limit(customer=of, name=name, count=count, window=window, context=context(ACTOR))


def first_limits(of: Customer, *names: str, count: int, window: int = 900) -> None:
    """As `limit`, for a customer that no process has asked for yet: nobody has to be told, so all are one statement."""
    LimitOverride.objects.bulk_create(
        [LimitOverride(customer=of, name=name, count=count, window=window) for name in names]
    )


def policy(of: Customer, **changes: Any) -> None:
    customers.update_policy(customer=of, changes=changes, context=context(ACTOR))


def oauth_client(of: Customer, *, is_confidential: bool = False, **facts: Any) -> tuple[RegisteredClient, str]:
    """A registered client, and its secret (empty for a public one)."""
    values = {"name": "Test app", "redirect_uris": [REDIRECT_URI], **facts}
    client = RegisteredClient(customer=of, **values)
    return client, oauth_clients.register(client, is_confidential=is_confidential, context=context(ACTOR))
