"""One administrator is always left. No page, form, list or command can take the last one away."""

from typing import Any

from django.contrib.auth.hashers import is_password_usable
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.signals import pre_delete, pre_save

from apps.operators.errors import LastAdministrator

DECIDING = {"is_active", "is_staff", "is_superuser", "password"}


def connect() -> None:
    """Listen, once per process."""
    pre_save.connect(_about_to_save, sender=User, dispatch_uid="operators.last_administrator.save")
    pre_delete.connect(_about_to_delete, sender=User, dispatch_uid="operators.last_administrator.delete")


def _about_to_save(instance: User, update_fields: frozenset[str] | None = None, **_: Any) -> None:
    decides = update_fields is None or not DECIDING.isdisjoint(update_fields)
    if decides and not (instance._state.adding or _is_administrator(instance)):
        _require_another(instance)


def _about_to_delete(instance: User, **_: Any) -> None:
    _require_another(instance)


def lock_all() -> set[int]:
    """Lock all administrators until the caller's transaction ends, in one order. Returns their ids."""
    possible = User.objects.select_for_update().filter(is_active=True, is_staff=True, is_superuser=True)
    return {found.pk for found in possible.order_by("pk") if _is_administrator(found)}


def _require_another(operator: User) -> None:
    """Raises LastAdministrator. Of two who remove each other, one can."""
    with transaction.atomic():
        left = lock_all()
    if left == {operator.pk}:
        raise LastAdministrator


def _is_administrator(operator: User) -> bool:
    """Whether this operator may do everything, and can sign in to do it."""
    return all((operator.is_active, operator.is_staff, operator.is_superuser, is_password_usable(operator.password)))
