"""Roles and the permissions that they give: built-in ones, and those of a customer. A change counts from the next request on.

The built-in roles exist for every customer without a row. A row of their name gives them permissions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import OuterRef
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from apps.audit import actions, before_and_after, events
from apps.core.context import RequestContext
from apps.core.errors import ValidationFailed
from apps.core.state import reading
from apps.core.state.announcements import announce
from apps.core.state.kinds import Document, Kind, Rows
from apps.core.state.subjects import Subject
from apps.customers.models import Customer
from apps.users import permission_names
from apps.users.errors import RoleInUse
from apps.users.models import BuiltInRole, Role, User

MOST = 100  # of one customer: its table of roles is read with every request


@dataclass(frozen=True)
class RoleTable:
    """The roles of one customer, and the permissions of each."""

    permissions: Mapping[str, tuple[str, ...]]

    def effective(self, role: str, own: Iterable[str]) -> tuple[str, ...]:
        """The permissions of a user with this role and `own` ones: sorted, each once."""
        return tuple(sorted({*self.permissions.get(role, ()), *own}))


NO_ROLES = RoleTable({})


def subject(customer_id: UUID) -> Subject:
    """What a change of any of its roles announces."""
    return Subject("roles", customer_id)


def _rows(customer_id: UUID) -> Rows:
    """One row of the customer, with or without roles: that there are none is remembered too."""
    given = JSONObject(name="name", permissions="permissions")
    table = ArraySubquery(Role.objects.of(OuterRef("pk")).values_list(given))
    return Customer.objects.filter(id=customer_id).values(table=table)


def _parse(_: UUID, row: Document) -> RoleTable:
    return RoleTable({role["name"]: tuple(role["permissions"]) for role in row["table"]})


BY_CUSTOMER: Kind[UUID, RoleTable] = Kind("roles", _rows, _parse, lambda key, _: subject(key))


def read(customer_id: UUID) -> RoleTable:
    """The customer's roles as they are now: from memory, or by one query."""
    return reading.read_one(BY_CUSTOMER.at(customer_id)) or NO_ROLES


def names_of(customer_id: UUID) -> list[str]:
    """The roles that this customer's users can have: the built-in ones first."""
    mine = Role.objects.of(customer_id).values_list("name", flat=True)
    return list(dict.fromkeys([*BuiltInRole.values, *mine]))


def create(
    *,
    customer_id: UUID,
    name: str,
    permissions: Iterable[str] = (),
    description: str = "",
    context: RequestContext,
) -> Role:
    """Make a role for this customer. Raises ValidationFailed."""
    role = Role(customer_id=customer_id, name=name, permissions=permissions, description=description)
    register(role, context=context)
    return role


def register(role: Role, *, context: RequestContext) -> None:
    """Save a new role. Raises ValidationFailed."""
    if Role.objects.of(role.customer_id).count() >= MOST:
        raise ValidationFailed(fields={"name": [_("There are %d roles already.") % MOST]})
    with transaction.atomic():
        role.permissions = _known(role.customer_id, role.permissions)
        permission_names.save_new(role)
        _announce(role, "created", context)


def change(
    role: Role,
    *,
    permissions: Iterable[str] | None = None,
    description: str | None = None,
    context: RequestContext,
) -> None:
    """Give the role exactly these permissions, or another description. Raises ValidationFailed."""
    with transaction.atomic():
        before = Role.objects.of(role.customer_id).select_for_update().filter(id=role.id).first() or role
        if permissions is not None:
            role.permissions = _known(role.customer_id, permissions)
        if description is not None:
            role.description = description
        permission_names.clean(role)
        role.save(update_fields=["permissions", "description"])
        changed = before_and_after.of_rows(before, role, ("permissions", "description"))
        _announce(role, "changed", context, changes=changed)


def delete(role: Role, *, context: RequestContext) -> None:
    """Delete the role. A built-in role itself stays, and only loses its permissions. Raises RoleInUse while users have it."""
    with transaction.atomic():
        Role.objects.select_for_update().filter(id=role.id).first()  # so that nobody can be given it meanwhile
        if is_in_use(role):
            raise RoleInUse
        _announce(role, "deleted", context)
        role.delete()


def is_in_use(role: Role) -> bool:
    """Whether users have this role, and could not without its row."""
    return role.name not in BuiltInRole.values and User.objects.of(role.customer_id).filter(role=role.name).exists()


def require_known(customer_id: UUID, name: object) -> None:
    """Raises ValidationFailed unless the customer has this role. It cannot be deleted until the caller's transaction ends."""
    if name in BuiltInRole.values:
        return
    unknown = ValidationFailed(fields={"role": [_("There is no such role.")]})
    if not isinstance(name, str) or not name.isprintable():  # PostgreSQL would fail on a NUL
        raise unknown
    if Role.objects.of(customer_id).select_for_update(no_key=True).filter(name=name).first() is None:
        raise unknown


def _known(customer_id: UUID, names: Iterable[str]) -> list[str]:
    return permission_names.known(customer_id, names, longest=permission_names.LONGEST_OF_ROLE)


def _announce(role: Role, what: str, context: RequestContext, **facts: Any) -> None:
    """Write down what was done, and let every process see it once it is committed."""
    events.record(
        action=actions.ROLE_CHANGED,
        customer_id=role.customer_id,
        context=context,
        details={"role": role.name, "what": what, "permissions": list(role.permissions), **facts},
    )
    announce(subject(role.customer_id))
