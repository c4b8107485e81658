"""A customer as it is now: status, policy, limits, allowlist and which secrets verify. It holds no secret."""

from collections.abc import Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject, Now

from apps.core import client_address
from apps.core.errors import NotFound
from apps.core.rate_limits import Limit
from apps.core.state import reading
from apps.core.state.kinds import Document, Kind, Rows
from apps.core.state.subjects import Subject
from apps.core.times import unix_time
from apps.customers import limits, policy
from apps.customers.errors import CustomerSuspended
from apps.customers.models import AllowedNetwork, Customer, CustomerStatus, LimitOverride, SigningSecret
from apps.customers.policy import Policy
from apps.mail import sender
from apps.mail.content import Branding
from apps.mail.quotas import Quota

COLUMNS = ("slug", "name", "status", "has_fixed_codes", "owner_is_proven", *policy.NAMES)


@dataclass(frozen=True, kw_only=True)
class CustomerState(Policy):
    """A customer as it is at this moment, with its policy."""

    id: UUID
    slug: str
    name: str
    status: str
    has_fixed_codes: bool
    owner_is_proven: bool
    limits: Mapping[str, tuple[int, int]]  # exceptions to limits.DEFAULTS: name → (count, window)
    networks: tuple[str, ...]
    secrets: Mapping[str, float | None]  # kid → until when it verifies (unix time); None: current

    def limit(self, name: str) -> Limit:
        """The limit of this name as this customer has it."""
        default = limits.DEFAULTS[name]
        count, window = self.limits.get(name, (default.count, default.window))
        return Limit(name, count, window)

    def verifies(self, kid: str, now: datetime) -> bool:
        """Whether tokens signed by this version of its secrets still count."""
        if kid not in self.secrets:
            return False
        until = self.secrets[kid]
        return until is None or now.timestamp() < until

    @property
    def quota(self) -> Quota:
        return Quota(daily=self.daily_code_quota, monthly=self.monthly_code_quota, of=self.id)

    @property
    def sms_quota(self) -> Quota:
        """In segments, which is what carriers charge for."""
        return Quota(daily=self.daily_sms_quota, monthly=self.monthly_sms_quota, of=self.id)

    @property
    def branding(self) -> Branding:
        """Its own; but ours until the owner has proven an address, since anybody may have made this customer a moment ago."""
        own_domain = urlsplit(settings.PUBLIC_URL).hostname or ""
        if not self.owner_is_proven:
            return Branding(customer_id=self.id, name=sender.own_name(), site_domain=own_domain)
        return Branding(
            customer_id=self.id,
            name=self.name,
            sender_name=self.sender_name,
            reply_to=self.reply_to,
            logo_url=self.logo_url,
            colour=self.colour,
            site_domain=self.site_domain or own_domain,
        )


def subject(customer_id: UUID) -> Subject:
    """What a change of policy, status, limits, networks or secrets announces."""
    return Subject("customer", customer_id)


def rows(customers: "QuerySet[Customer]") -> Rows:
    """These customers as `parse` reads them."""
    verifying = SigningSecret.objects.of(OuterRef("pk")).filter(Q(retires_at=None) | Q(retires_at__gt=Now()))
    exceptions = LimitOverride.objects.of(OuterRef("pk"))
    networks = AllowedNetwork.objects.of(OuterRef("pk"))
    found: Rows = customers.values(
        "id",
        *COLUMNS,
        exceptions=ArraySubquery(exceptions.values_list(JSONObject(name="name", count="count", window="window"))),
        networks=ArraySubquery(networks.values("network")),
        secrets=ArraySubquery(verifying.values_list(JSONObject(kid="id", until="retires_at"))),
    )
    return found


def parse(_: Hashable, row: Document) -> CustomerState:
    """A row as a value."""
    return CustomerState(
        id=UUID(row["id"]),
        limits={each["name"]: (each["count"], each["window"]) for each in row["exceptions"]},
        networks=tuple(row["networks"]),
        secrets={each["kid"]: unix_time(each["until"]) for each in row["secrets"]},
        **{name: _frozen(row[name]) for name in COLUMNS},
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


BY_ID: Kind[UUID, CustomerState] = Kind(
    "customer", lambda key: rows(Customer.objects.filter(id=key)), parse, lambda key, _: subject(key)
)
BY_SLUG: Kind[str, CustomerState] = Kind(
    "customer by slug", lambda key: rows(Customer.objects.filter(slug=key)), parse, lambda _, found: subject(found.id)
)


def read(customer_id: UUID) -> CustomerState:
    """The customer as it is now: from memory, or by one query. Raises NotFound."""
    return _existing(reading.read_one(BY_ID.at(customer_id)))


def read_anew(customer_id: UUID) -> CustomerState:
    """The same, always from PostgreSQL: one query. Raises NotFound."""
    lookup = BY_ID.at(customer_id)
    return _existing(reading.read_anew(lookup)[lookup])


def _existing(customer: CustomerState | None) -> CustomerState:
    if customer is None:
        raise NotFound
    return customer


def find(slug: str) -> CustomerState:
    """The active customer of this slug. Raises NotFound or CustomerSuspended."""
    customer = find_any(slug)
    require_active(customer)
    return customer


def find_any(slug: str) -> CustomerState:
    """The customer of this slug, even if it is suspended. Raises NotFound."""
    return _existing(reading.read_one(BY_SLUG.at(slug)))


def find_linked(name: str) -> CustomerState:
    """The customer that a link in a mail names by slug or id, even if it is suspended. Raises NotFound."""
    with suppress(ValueError, NotFound):
        return read(UUID(name))
    return find_any(name)


def require_active(customer: CustomerState) -> None:
    """Raises CustomerSuspended."""
    if customer.status != CustomerStatus.ACTIVE:
        raise CustomerSuspended


def parse_networks(customer: CustomerState) -> tuple[client_address.Network, ...]:
    """The allowlist as networks."""
    return client_address.parse_networks(customer.networks)
