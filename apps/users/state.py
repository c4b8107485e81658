"""How a user stands now: status, role, permissions, profile. All that an authenticated request may ask of its user.

A user's row and its customer's roles are two snapshots, since a change of a role must not touch the snapshots of all who have it.
A standing is made of both. Its permissions are those that count now: none before the user is active.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from apps.core import sealed, snapshots, valkey
from apps.core.snapshots import State
from apps.users import roles
from apps.users.models import User, UserStatus
from apps.users.roles import RoleTable


@dataclass(frozen=True)
class UserState:
    """A user as it is at this moment. The phone number stays sealed until it is asked for."""

    id: UUID
    customer_id: UUID
    email: str
    name: str
    locale: str
    role: str
    permissions: tuple[str, ...]  # of an active user, those of the role and those given to the user, sorted; else none
    status: str
    email_verified: bool
    created_at: datetime
    sealed_phone: str = field(repr=False)

    @property
    def is_active(self) -> bool:
        """Whether all is done that the customer demands: only then do role and permissions count here."""
        return self.status == UserStatus.ACTIVE

    @property
    def may_sign_in(self) -> bool:
        """A pending user has a session too, so that it can do what is still demanded; a deactivated one has none."""
        return self.status != UserStatus.DEACTIVATED

    def phone(self) -> str:
        """The phone number, decrypted; empty if there is none."""
        if not self.sealed_phone:
            return ""
        return sealed.read(User(id=self.id, phone=self.sealed_phone), "phone").decode()


def key(customer_id: UUID, user_id: UUID) -> str:
    """The Valkey key of the snapshot."""
    return valkey.key(customer_id, "user", str(user_id))


def load(customer_id: UUID, user_id: UUID) -> State | None:
    """The state from PostgreSQL; None for no such user of this customer."""
    user = User.objects.of(customer_id).filter(id=user_id).first()
    return state_of(user) if user else None


def state_of(user: User) -> State:
    """A row as a state."""
    return {
        "id": str(user.id),
        "customer_id": str(user.customer_id),
        **{name: getattr(user, name) for name in ("email", "name", "locale", "role", "permissions", "status")},
        "email_verified": user.email_verified_at is not None,
        "created_at": user.created_at.timestamp(),
        "sealed_phone": user.phone,
    }


def parse(state: Mapping[str, Any], table: RoleTable) -> UserState:
    """A state as a value, with what its role gives by the customer's table."""
    is_active = state["status"] == UserStatus.ACTIVE
    return UserState(
        **{
            **state,
            "id": UUID(state["id"]),
            "customer_id": UUID(state["customer_id"]),
            "permissions": table.effective(state["role"], state["permissions"]) if is_active else (),
            "created_at": datetime.fromtimestamp(state["created_at"], UTC),
        }
    )


def read(customer_id: UUID, user_id: UUID) -> UserState | None:
    """How the user stands, None for none such: one round trip to Valkey, or two queries."""
    mine, table = key(customer_id, user_id), roles.key(customer_id)
    found = snapshots.read_through({mine: lambda: load(customer_id, user_id), table: lambda: roles.load(customer_id)})
    state = found[mine]
    return parse(state, roles.parse(found[table])) if state else None


def of(user: User) -> UserState:
    """A row as a standing, with what its role gives now: one round trip to Valkey, or one query."""
    return parse(state_of(user), roles.read(user.customer_id))
