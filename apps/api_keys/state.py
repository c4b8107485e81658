"""An API key as it is now: its customer, its scopes, its end."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Func, TextField, Value

from apps.api_keys.models import ApiKey, Environment
from apps.core.state import reading
from apps.core.state.kinds import Document, Kind, Rows
from apps.core.state.subjects import Subject
from apps.core.times import unix_time
from apps.customers import state as customers
from apps.customers.models import Customer
from apps.customers.state import CustomerState


@dataclass(frozen=True)
class ApiKeyState:
    """A key as it is at this moment. Holds its digest, never the key."""

    id: UUID
    key_id: str
    customer_id: UUID
    environment: str
    scopes: tuple[str, ...]
    expires_at: float | None  # unix time
    revoked: bool
    digest: bytes = field(repr=False)

    def works(self, now: datetime) -> bool:
        return not self.revoked and (self.expires_at is None or now.timestamp() < self.expires_at)

    @property
    def sandbox_key_id(self) -> str:
        """The key's id if what it sends must stay in the sandbox, else empty."""
        return self.key_id if self.environment == Environment.TEST else ""


def subject(customer_id: UUID, key_id: str) -> Subject:
    """What a change of the key announces."""
    return Subject("api_key", customer_id, key_id)


def _rows(key_id: str) -> Rows:
    columns = ("id", "key_id", "customer_id", "environment", "scopes", "expires_at", "revoked_at")
    in_hex = Func("digest", Value("hex"), function="encode", output_field=TextField())
    found: Rows = ApiKey.objects.filter(key_id=key_id).values(*columns, in_hex=in_hex)
    return found


def _parse(_: str, row: Document) -> ApiKeyState:
    return ApiKeyState(
        id=UUID(row["id"]),
        key_id=row["key_id"],
        customer_id=UUID(row["customer_id"]),
        environment=row["environment"],
        scopes=tuple(row["scopes"]),
        expires_at=unix_time(row["expires_at"]),
        revoked=row["revoked_at"] is not None,
        digest=bytes.fromhex(row["in_hex"]),
    )


BY_KEY_ID: Kind[str, ApiKeyState] = Kind(
    "API key", _rows, _parse, lambda key_id, found: subject(found.customer_id, key_id)
)
CUSTOMER_BY_KEY_ID: Kind[str, CustomerState] = Kind(
    "customer by API key",
    lambda key_id: customers.rows(Customer.objects.filter(api_keys__key_id=key_id)),
    customers.parse,
    lambda _, found: customers.subject(found.id),
)


def read(key_id: str) -> tuple[ApiKeyState, CustomerState] | None:
    """The key of this id and its customer, or None: from memory, or both by one query."""
    key, customer = BY_KEY_ID.at(key_id), CUSTOMER_BY_KEY_ID.at(key_id)
    found = reading.read(key, customer)
    mine, its = found[key], found[customer]
    return (mine, its) if mine and its else None
