"""How an API key stands now: whose it is, what it may do, until when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.api_keys.models import ApiKey, Environment
from apps.core import snapshots, valkey
from apps.core.snapshots import State


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


def key(key_id: str) -> str:
    """The Valkey key of the snapshot. Before it is read, nobody knows the customer; so its tag is the key id."""
    return valkey.key(key_id, "api-key")


def load(key_id: str) -> State | None:
    row = ApiKey.objects.filter(key_id=key_id).first()
    if row is None:
        return None
    return {
        "id": str(row.id),
        "key_id": row.key_id,
        "customer_id": str(row.customer_id),
        "environment": row.environment,
        "scopes": row.scopes,
        "expires_at": row.expires_at.timestamp() if row.expires_at else None,
        "revoked": row.revoked_at is not None,
        "digest": bytes(row.digest).hex(),
    }


def parse(state: Mapping[str, Any]) -> ApiKeyState:
    return ApiKeyState(
        **{
            **state,
            "id": UUID(state["id"]),
            "customer_id": UUID(state["customer_id"]),
            "scopes": tuple(state["scopes"]),
            "digest": bytes.fromhex(state["digest"]),
        }
    )


def read(key_id: str) -> ApiKeyState | None:
    """The key of this id, or None. One round trip to Valkey, or one query."""
    name = key(key_id)
    state = snapshots.read_through({name: lambda: load(key_id)})[name]
    return parse(state) if state else None
