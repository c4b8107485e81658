"""A user as it is now: status, role, permissions, profile. Everything that an authenticated request needs to know of its user.

A user's row and its customer's roles are remembered apart, so that a changed role is one announcement. A state is made from both.
Its permissions are those that count now: none before the user is active.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from sys import intern
from uuid import UUID

from apps.core import sealed
from apps.core.state import reading
from apps.core.state.kinds import Document, Kind, Rows
from apps.core.state.subjects import Subject
from apps.users import roles
from apps.users.models import User, UserStatus
from apps.users.roles import NO_ROLES, RoleTable


@dataclass(frozen=True, slots=True)
class _UserFacts:
    id: UUID
    customer_id: UUID
    email: str
    name: str
    locale: str
    role: str
    permissions: tuple[str, ...]
    status: str
    email_verified: bool
    created_at: datetime
    sealed_phone: str = field(repr=False)


FACTS = tuple(each.name for each in fields(_UserFacts))


class UserState(_UserFacts):
    """A user as it is at this moment. The phone number stays sealed until it is needed.

    `permissions`: of the role and of the user itself, sorted; none unless it is active.
    """

    __slots__ = ()

    @property
    def is_active(self) -> bool:
        """Whether everything is done that the customer demands. Only then role and permissions count."""
        return self.status == UserStatus.ACTIVE

    @property
    def may_sign_in(self) -> bool:
        """A pending user may have a session, to do what is still demanded. A deactivated one may not."""
        return self.status != UserStatus.DEACTIVATED

    def phone(self) -> str:
        """The phone number, decrypted; empty if there is none."""
        if not self.sealed_phone:
            return ""
        return sealed.read(User(id=self.id, phone=self.sealed_phone), "phone").decode()


class UserRow(_UserFacts):
    """The row of a user, as it is remembered. `permissions`: given to the user itself; its role's are remembered apart."""

    __slots__ = ()

    def with_role(self, table: RoleTable | None) -> UserState:
        """The user as it is now, with its customer's roles. `table` is None if the customer has made no roles."""
        given = permissions_now(status=self.status, role=self.role, own=self.permissions, table=table or NO_ROLES)
        return UserState(**{name: getattr(self, name) for name in FACTS} | {"permissions": given})


def permissions_now(*, status: str, role: str, own: Iterable[str], table: RoleTable) -> tuple[str, ...]:
    """Those that count: of the role and of the user itself; none unless it is active."""
    return table.effective(role, own) if status == UserStatus.ACTIVE else ()


def subject(customer_id: UUID, user_id: UUID) -> Subject:
    """What a change of the user announces."""
    return Subject("user", customer_id, str(user_id))


def _rows(key: tuple[UUID, UUID]) -> Rows:
    customer_id, user_id = key
    columns = ("email", "name", "locale", "role", "permissions", "status", "phone", "created_at")
    found: Rows = User.objects.of(customer_id).filter(id=user_id).values(*columns, "email_verified_at")
    return found


def _parse(key: tuple[UUID, UUID], row: Document) -> UserRow:
    """Words that many users share are kept once."""
    customer_id, user_id = key
    return UserRow(
        id=user_id,
        customer_id=customer_id,
        email=row["email"],
        name=row["name"],
        **{name: intern(row[name]) for name in ("locale", "role", "status")},
        permissions=tuple(map(intern, row["permissions"])),
        email_verified=row["email_verified_at"] is not None,
        created_at=datetime.fromisoformat(row["created_at"]),
        sealed_phone=row["phone"],
    )


BY_ID: Kind[tuple[UUID, UUID], UserRow] = Kind("user", _rows, _parse, lambda key, _: subject(*key))


def read(customer_id: UUID, user_id: UUID) -> UserState | None:
    """The user as it is now, None if there is none: from memory, or by one query."""
    mine, table = BY_ID.at((customer_id, user_id)), roles.BY_CUSTOMER.at(customer_id)
    found = reading.read(mine, table)
    row = found[mine]
    return row.with_role(found[table]) if row else None


def of(user: User) -> UserState:
    """A row as it is now, with what its role gives: from memory, or by one query."""
    columns = ("id", "customer_id", "email", "name", "locale", "role", "status", "created_at")
    row = UserRow(
        **{name: getattr(user, name) for name in columns},
        permissions=tuple(user.permissions),
        email_verified=user.email_verified_at is not None,
        sealed_phone=user.phone,
    )
    return row.with_role(roles.read(user.customer_id))
