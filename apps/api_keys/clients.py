"""Which customer is asking: the key, its customer, and whether that customer lets this address in."""

from dataclasses import dataclass
from datetime import datetime

from apps.api_keys import keys, lifecycle, state
from apps.api_keys.errors import ApiKeyRequired, InvalidApiKey
from apps.api_keys.state import ApiKeyState
from apps.audit import actions, events
from apps.audit.models import Outcome, Severity
from apps.core import actors, ciphers, valkey
from apps.core.context import RequestContext
from apps.core.errors import PermissionDenied
from apps.customers import allowlist
from apps.customers import state as customers
from apps.customers.errors import IpNotAllowed
from apps.customers.models import DEFAULT_CUSTOMER_ID
from apps.customers.state import CustomerState

MOST_REMEMBERED = 10_000

_noted: dict[str, float] = {}  # key id → when this process last wrote that it was used (unix time)


@dataclass(frozen=True)
class ApiClient:
    """The customer a request belongs to, and the key that says so (None: the default customer).

    `by_page`: no key is needed, since it comes from one of the customer's own pages.
    """

    customer: CustomerState
    api_key: ApiKeyState | None
    by_page: bool = False

    @property
    def is_authenticated(self) -> bool:
        """For DRF: an API key authenticates no user."""
        return False

    @property
    def names_customer(self) -> bool:
        """Whether the request itself says whose it is. If not, it may be of an owner who means another customer (contract 1.4)."""
        return self.api_key is not None or self.by_page

    @property
    def sandbox_key_id(self) -> str:
        return self.api_key.sandbox_key_id if self.api_key else ""


def identify_client(*, text: str | None, key_required: bool, context: RequestContext) -> ApiClient:
    """Who asks with this key. Raises ApiKeyRequired, InvalidApiKey, CustomerSuspended or IpNotAllowed."""
    if text is None:
        return _default(key_required=key_required, context=context)
    key, customer = _verified(text, context.now)
    customers.require_active(customer)
    _check_address(key, customer, context)
    _note_use(key, context.now)
    return ApiClient(customer, key)


def require_scope(client: ApiClient, scope: str) -> None:
    """Raises PermissionDenied when a key is used for what it is not for. Without a key only sign-in is open anyway."""
    if client.api_key is not None and scope not in client.api_key.scopes:
        raise PermissionDenied


def _default(*, key_required: bool, context: RequestContext) -> ApiClient:
    if key_required:
        raise ApiKeyRequired
    customer = customers.read(DEFAULT_CUSTOMER_ID)
    customers.require_active(customer)
    allowlist.check(customer, context.ip)
    return ApiClient(customer, None)


def _verified(text: str, now: datetime) -> tuple[ApiKeyState, CustomerState]:
    """The key and its customer, if the key is ours and works. One answer for all failures; a mistyped key costs no look-up."""
    parsed = keys.parse(text)
    found = state.read(parsed.key_id) if parsed else None
    if found is None:
        raise InvalidApiKey
    key, customer = found
    if not ciphers.equal(ciphers.digest(text.encode()), key.digest) or not key.works(now):
        raise InvalidApiKey
    return key, customer


def _check_address(key: ApiKeyState, customer: CustomerState, context: RequestContext) -> None:
    try:
        allowlist.check(customer, context.ip)
    except IpNotAllowed:
        if valkey.is_first_this_minute(key.key_id, "reported", actions.ADDRESS_REFUSED, context.ip or "unknown"):
            events.record(
                action=actions.ADDRESS_REFUSED,
                outcome=Outcome.DENIED,
                severity=Severity.MEDIUM,
                customer_id=customer.id,
                context=context.by(actors.api_key(key.key_id)),
            )
        raise


def _note_use(key: ApiKeyState, now: datetime) -> None:
    """Write down that the key is used, at most once a minute among all processes. This process's memory saves most round trips."""
    if now.timestamp() - _noted.get(key.key_id, 0.0) < valkey.ONCE_A_MINUTE:
        return
    if len(_noted) > MOST_REMEMBERED:
        _noted.clear()
    _noted[key.key_id] = now.timestamp()
    if valkey.is_first_this_minute(key.key_id, "api-key", "used"):
        lifecycle.touch(key.key_id, now=now)
