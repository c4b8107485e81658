"""Who there is in the benchmarks' installation: a customer, its keys, and as many users and sessions as the jobs ask for."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from apps.api_keys import lifecycle as api_keys
from apps.api_keys.models import Scope
from apps.core.context import RequestContext
from apps.core.ids import new_id
from apps.customers import lifecycle as customers
from apps.customers import limits, state
from apps.customers.models import Customer
from apps.customers.state import CustomerState
from apps.signin.models import KnownDevice
from apps.tokens import devices, minting, new_sessions
from apps.tokens.models import Session
from apps.tokens.proof import ONE_TIME_CODE, Proof
from apps.users import emails, permission_names
from apps.users import state as users
from apps.users.models import User, UserStatus
from benchmarks.gatehouse.installation import SLUG

PERMISSIONS = ["invoices.read", "invoices.write", "reports.read"]
GENEROUS = 1_000_000  # of whatever a limit counts: no limit is switched off
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@dataclass(frozen=True)
class SignedIn:
    """A session that is alive, and an access token of it."""

    user: User
    session: Session
    access: str


class World:
    """Made once, in an empty database."""

    def __init__(self) -> None:
        call_command("migrate", verbosity=0)
        self._numbers = itertools.count(1)
        self.customer = customers.create(name="Bench", slug=SLUG, context=_context())
        _be_generous(self.customer)
        for name in PERMISSIONS:
            permission_names.create(customer_id=self.customer.id, name=name, context=_context())
        self.api_key, self.introspection_key = self._key(Scope.AUTH), self._key(Scope.TOKENS_INTROSPECT)
        connections.close_all()

    @cached_property
    def state(self) -> CustomerState:
        return state.read(self.customer.id)

    def new_users(self, count: int) -> list[User]:
        """Active users whose addresses are proven."""
        now = timezone.now()
        addresses = [emails.parse(f"user-{next(self._numbers)}@example.com") for _ in range(count)]
        rows = [
            User(
                customer=self.customer,
                email=address.typed,
                email_identity=address.identity,
                email_verified_at=now,
                name="Ada Lovelace",
                permissions=PERMISSIONS,
                status=UserStatus.ACTIVE,
                created_at=now,
            )
            for address in addresses
        ]
        return User.objects.bulk_create(rows, batch_size=5000)

    def returning_users(self, count: int) -> list[User]:
        """Users who have signed in before, from the same browser."""
        found = self.new_users(count)
        name = devices.name_of(USER_AGENT)
        KnownDevice.objects.bulk_create(
            [KnownDevice(user=user, name=name, first_seen_at=user.created_at) for user in found]
        )
        return found

    def sign_in(self, whom: Sequence[User]) -> Iterator[SignedIn]:
        """A session for each, without a request: signing in is measured elsewhere."""
        rows = [self._session(user, next(self._numbers)) for user in whom]
        Session.objects.bulk_create(rows, batch_size=5000)
        for row in rows:
            yield SignedIn(row.user, row, self.mint(row))

    def mint(self, session: Session) -> str:
        """Another access token of this session."""
        now = timezone.now().replace(microsecond=0)
        pair = minting.pair(
            customer=self.state,
            user=users.of(session.user),
            refresh=new_sessions.issue(customer=self.state, session_id=session.id, now=now),
            proof=Proof(
                int(session.auth_time.timestamp()), (ONE_TIME_CODE,)
            ),  # a newer one would be looked up at every call
            delivery=session.delivery,
            payload_key=b"",
        )
        return pair.access

    def _session(self, user: User, number: int) -> Session:
        now = timezone.now().replace(microsecond=0)
        return Session(
            id=new_id(),
            customer_id=self.customer.id,
            user=user,
            ip=address(number),
            user_agent=USER_AGENT,
            created_at=now,
            last_activity_at=now,
            expires_at=now + timedelta(days=7),
            auth_time=now,
            amr=ONE_TIME_CODE,
        )

    def _key(self, scope: Scope) -> str:
        _, text = api_keys.create(customer=self.customer, name="Bench", scopes=[scope.value], context=_context())
        return text


def address(number: int) -> str:
    """An address for each number."""
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def _be_generous(customer: Customer) -> None:
    """As an operator would, for a customer that sends a lot from everywhere."""
    for name, limit in limits.DEFAULTS.items():
        customers.override_limit(customer=customer, name=name, count=GENEROUS, window=limit.window, context=_context())
    quotas = {"daily_code_quota": GENEROUS, "monthly_code_quota": GENEROUS}
    customers.update_policy(customer=customer, changes=quotas, context=_context())


def _context() -> RequestContext:
    return RequestContext.system(now=timezone.now())
