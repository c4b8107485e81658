"""The permissions that a customer knows, by name. What they mean is up to its apps; roles and users hold them."""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.audit import actions, before_and_after, events
from apps.core.context import RequestContext
from apps.core.errors import NotFound, ValidationFailed, refused_by_field
from apps.users.errors import PermissionInUse
from apps.users.models import Permission, Role, User

MOST = 500  # per customer
# A token names the permissions of the role and of the user. It must fit into 8 KiB, and a cookie into 4 (contract 3.8, 3.9).
LONGEST_OF_ROLE = 1536  # bytes, as JSON
LONGEST_OF_USER = 512


def create(*, customer_id: UUID, name: str, description: str = "", context: RequestContext) -> Permission:
    """A name that roles and users may hold from now on. Raises ValidationFailed."""
    row = Permission(customer_id=customer_id, name=name, description=description)
    register(row, context=context)
    return row


def register(row: Permission, *, context: RequestContext) -> None:
    """Save a new name. Raises ValidationFailed."""
    if Permission.objects.of(row.customer_id).count() >= MOST:
        raise ValidationFailed(fields={"name": [_("There are %d permissions already.") % MOST]})
    with transaction.atomic():
        save_new(row)
        _record(row, "created", context)


def describe(row: Permission, *, description: str, context: RequestContext) -> None:
    """Say what it is for. Raises ValidationFailed."""
    row.description = description
    clean(row)
    with transaction.atomic():
        before = Permission.objects.of(row.customer_id).select_for_update().filter(id=row.id).first()
        if before is None:
            raise NotFound
        row.save(update_fields=["description"])
        _record(row, "changed", context, changes=before_and_after.of_rows(before, row, ("description",)))


def delete(row: Permission, *, context: RequestContext) -> None:
    """Forget the name. Raises PermissionInUse while a role or a user holds it."""
    with transaction.atomic():
        Permission.objects.select_for_update().filter(id=row.id).first()  # so that nobody can be given it meanwhile
        if is_held(row.customer_id, row.name):
            raise PermissionInUse
        _record(row, "deleted", context)
        row.delete()


def is_held(customer_id: UUID, name: str) -> bool:
    """Whether a role or a user of this customer holds the permission."""
    held = {"customer_id": customer_id, "permissions__contains": [name]}
    return Role.objects.filter(**held).exists() or User.objects.filter(**held).exists()


def known(customer_id: UUID, names: object, *, longest: int) -> list[str]:
    """The names, sorted and each once. None of them can be deleted until the caller's transaction ends.

    Raises ValidationFailed if the customer does not know one, or if they are longer than `longest` bytes of JSON.
    """
    wanted = _names(names)
    storable = [name for name in wanted if name.isprintable()]  # PostgreSQL would fail on a NUL
    rows = Permission.objects.of(customer_id).filter(name__in=storable).order_by("name")
    found = set(rows.select_for_update(no_key=True).values_list("name", flat=True))
    if unknown := sorted(wanted - found):
        raise _refused(_("There is no such permission: %s.") % ", ".join(map(repr, unknown)))
    if len(json.dumps(sorted(wanted))) > longest:
        raise _refused(_("These are too many: tokens would become too long."))
    return sorted(wanted)


def clean(row: Permission | Role) -> None:
    """Raises ValidationFailed."""
    with refused_by_field():
        row.full_clean(exclude=["customer", "permissions"])


def save_new(row: Permission | Role) -> None:
    """Insert a row whose name must be new to its customer. Raises ValidationFailed."""
    taken = ValidationFailed(fields={"name": [_("There is one of this name already.")]})
    clean(row)
    if type(row).objects.of(row.customer_id).filter(name=row.name).exists():
        raise taken
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise taken from error


def _names(names: object) -> set[str]:
    if not isinstance(names, Iterable) or isinstance(names, str | dict):
        raise _refused(_("Give a list of names."))
    wanted = list(names)
    if not all(isinstance(name, str) for name in wanted):
        raise _refused(_("Give a list of names."))
    return set(wanted)


def _refused(why: str) -> ValidationFailed:
    return ValidationFailed(fields={"permissions": [why]})


def _record(row: Permission, what: str, context: RequestContext, **facts: Any) -> None:
    events.record(
        action=actions.PERMISSION_CHANGED,
        customer_id=row.customer_id,
        context=context,
        details={"permission": row.name, "what": what, **facts},
    )
