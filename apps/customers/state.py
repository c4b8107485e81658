"""How a customer stands now: status, policy, limits, allowlist and which secrets verify. No secret is in it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from apps.core import client_address, snapshots, valkey
from apps.core.errors import NotFound
from apps.core.rate_limits import Limit
from apps.core.snapshots import State
from apps.customers import limits
from apps.customers.errors import CustomerSuspended
from apps.customers.models import Customer, CustomerStatus
from apps.mail import sender
from apps.mail.content import Branding
from apps.mail.quotas import Quota

POLICY = (
    "slug",
    "name",
    "status",
    "algorithm",
    "access_lifetime",
    "refresh_lifetime",
    "refresh_grace",
    "reauthenticate_after",
    "code_length",
    "code_alphabet",
    "code_lifetime",
    "code_resend_after",
    "creates_users_on_sign_in",
    "allows_registration",
    "demands_verified_email",
    "demands_approval",
    "identity_check_url",
    "second_factor",
    "passkey_domain",
    "sessions_per_user",
    "account_url",
    "daily_sms_quota",
    "monthly_sms_quota",
    "sms_sender",
    "sms_regions",
    "daily_code_quota",
    "monthly_code_quota",
    "enforce_allowlist_on_tokens",
    "allowed_origins",
    "sender_name",
    "reply_to",
    "logo_url",
    "colour",
    "site_domain",
    "default_locale",
    "owner_is_proven",
)


@dataclass(frozen=True)
class CustomerState:
    """A customer as it is at this moment. Durations in seconds."""

    id: UUID
    slug: str
    name: str
    status: str
    algorithm: str
    access_lifetime: int
    refresh_lifetime: int
    refresh_grace: int
    reauthenticate_after: int
    code_length: int
    code_alphabet: str
    code_lifetime: int
    code_resend_after: int
    creates_users_on_sign_in: bool
    allows_registration: bool
    demands_verified_email: bool
    demands_approval: bool
    identity_check_url: str
    second_factor: str
    passkey_domain: str
    sessions_per_user: int
    account_url: str
    daily_sms_quota: int
    monthly_sms_quota: int
    sms_sender: str
    sms_regions: tuple[str, ...]
    daily_code_quota: int
    monthly_code_quota: int
    enforce_allowlist_on_tokens: bool
    allowed_origins: tuple[str, ...]
    sender_name: str
    reply_to: str
    logo_url: str
    colour: str
    site_domain: str
    default_locale: str
    owner_is_proven: bool
    limits: Mapping[str, tuple[int, int]]  # exceptions to limits.DEFAULTS: name → (count, window)
    networks: tuple[str, ...]
    secrets: Mapping[str, float | None]  # kid → until when it verifies (unix time); None: current
    has_fixed_codes: bool

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
        """Its own, but for a customer that anybody may have made a moment ago, with an address that may be anybody's."""
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


def key(customer_id: UUID) -> str:
    """The Valkey key of the snapshot."""
    return valkey.key(customer_id, "customer")


def load(customer_id: UUID) -> State | None:
    """The state from PostgreSQL: what `parse` reads. None for no such customer."""
    customer = Customer.objects.filter(id=customer_id).first()
    if customer is None:
        return None
    verifying = customer.signing_secrets.filter(Q(retires_at=None) | Q(retires_at__gt=timezone.now()))
    return {
        "id": str(customer.id),
        **{name: getattr(customer, name) for name in POLICY},
        "limits": {row.name: (row.count, row.window) for row in customer.limit_overrides.all()},
        "networks": [row.network for row in customer.allowed_networks.all()],
        "secrets": {str(row.id): row.retires_at.timestamp() if row.retires_at else None for row in verifying},
        "has_fixed_codes": customer.has_fixed_codes,
    }


def parse(state: Mapping[str, Any]) -> CustomerState:
    """The state as a value."""
    exceptions = {name: (count, window) for name, (count, window) in state["limits"].items()}
    return CustomerState(
        **{
            **state,
            "id": UUID(state["id"]),
            "limits": exceptions,
            "networks": tuple(state["networks"]),
            "allowed_origins": tuple(state["allowed_origins"]),
            "sms_regions": tuple(state["sms_regions"]),
        }
    )


def read(customer_id: UUID) -> CustomerState:
    """How the customer stands: one round trip to Valkey, or a few queries. Raises NotFound."""
    name = key(customer_id)
    state = snapshots.read_through({name: lambda: load(customer_id)})[name]
    if state is None:
        raise NotFound
    return parse(state)


def read_present(customer_id: UUID) -> CustomerState:
    """The same from PostgreSQL alone, whatever Valkey remembers: always a few queries. Raises NotFound."""
    state = load(customer_id)
    if state is None:
        raise NotFound
    return parse(state)


def find(slug: str) -> CustomerState:
    """The active customer of this slug. Raises NotFound or CustomerSuspended."""
    customer = find_any(slug)
    require_active(customer)
    return customer


def find_any(slug: str) -> CustomerState:
    """The customer of this slug, be it suspended: to say so by its name. Raises NotFound."""
    customer_id = Customer.objects.filter(slug=slug).values_list("id", flat=True).first()
    if customer_id is None:
        raise NotFound
    return read(customer_id)


def find_linked(name: str) -> CustomerState:
    """The customer that a link in a mail names, by its slug or its id, be it suspended. Raises NotFound."""
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
