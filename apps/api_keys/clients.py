"""Which customer is asking: the key, its customer, and whether that customer lets this address in."""

from dataclasses import dataclass
from datetime import datetime

from apps.api_keys import keys, lifecycle, state
from apps.api_keys.errors import ApiKeyRequired, InvalidApiKey
from apps.api_keys.state import ApiKeyState
from apps.audit import actions, refusals, steps
from apps.audit.models import Severity
from apps.audit.refusals import NewRefusal
from apps.core import actors, ciphers, valkey
from apps.core.context import RequestContext
from apps.core.errors import PermissionDenied
from apps.customers import allowlist
from apps.customers import state as customers
from apps.customers.errors import IpNotAllowed
from apps.customers.models import DEFAULT_CUSTOMER_ID
from apps.customers.state import CustomerState

MOST_REMEMBERED = 10_000
MISTYPED_KEY, UNKNOWN_KEY, WRONG_KEY = "mistyped_api_key", "unknown_api_key", "wrong_api_key"  # why a key is refused
REVOKED_KEY, EXPIRED_KEY = "revoked_api_key", "expired_api_key"

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
    def key_id(self) -> str:
        return self.api_key.key_id if self.api_key else ""

    @property
    def sandbox_key_id(self) -> str:
        return self.api_key.sandbox_key_id if self.api_key else ""


def identify_client(*, text: str | None, key_required: bool, context: RequestContext) -> ApiClient:
    """Who asks with this key. Raises ApiKeyRequired, InvalidApiKey, CustomerSuspended or IpNotAllowed."""
    if text is None:
        return _default(key_required=key_required, context=context)
    with refusals.recorded(steps.CALL, context):
        key, customer = _known(text)
    with refusals.recorded(steps.CALL, context.with_key(key.key_id), customer_id=customer.id):
        _require_right(key, text, context.now)
        customers.require_active(customer)
        _check_address(key, customer, context)
    _note_use(key, context.now)
    return ApiClient(customer, key)


def require_scope(client: ApiClient, scope: str) -> None:
    """Raises PermissionDenied when a key is used for what it is not for. Without a key only sign-in is open anyway."""
    if client.api_key is not None and scope not in client.api_key.scopes:
        raise PermissionDenied


def _default(*, key_required: bool, context: RequestContext) -> ApiClient:
    with refusals.recorded(steps.CALL, context, customer_id=DEFAULT_CUSTOMER_ID):
        if key_required:
            raise ApiKeyRequired
        customer = customers.read(DEFAULT_CUSTOMER_ID)
        customers.require_active(customer)
        allowlist.check(customer, context.ip)
    return ApiClient(customer, None)


def _known(text: str) -> tuple[ApiKeyState, CustomerState]:
    """The key of this id and its customer; nothing is proven yet. Raises InvalidApiKey. A mistyped key costs no look-up."""
    parsed = keys.parse(text)
    if parsed is None:
        raise InvalidApiKey(rule=MISTYPED_KEY)
    found = state.read(parsed.key_id)
    if found is None:
        raise InvalidApiKey(rule=UNKNOWN_KEY)
    return found


def _require_right(key: ApiKeyState, text: str, now: datetime) -> None:
    """Raises InvalidApiKey: one answer for all failures."""
    if not ciphers.equal(ciphers.digest(text.encode()), key.digest):
        raise InvalidApiKey(rule=WRONG_KEY)
    require_working(key, now)


def require_working(key: ApiKeyState, now: datetime) -> None:
    """Raises InvalidApiKey for a key that was revoked or has expired."""
    if not key.works(now):
        raise InvalidApiKey(rule=REVOKED_KEY if key.revoked else EXPIRED_KEY)


def _check_address(key: ApiKeyState, customer: CustomerState, context: RequestContext) -> None:
    try:
        allowlist.check(customer, context.ip)
    except IpNotAllowed as error:
        used = NewRefusal(
            rule=error.refused_by,
            step=steps.CALL,
            action=actions.ADDRESS_REFUSED,
            severity=Severity.MEDIUM,
            customer_id=customer.id,
            context=context.with_key(key.key_id).by(actors.api_key(key.key_id)),
        )
        refusals.note(error, used)
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
