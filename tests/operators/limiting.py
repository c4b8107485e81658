"""Operators with a role, for all customers or for some."""

from collections.abc import Iterable

from django.contrib.auth.models import Permission, User

from apps.customers.models import Customer
from apps.operators.models import OperatorRole, RoleName
from apps.operators.team import roles
from tests.operators.signing_in import operator


def with_role(role: RoleName, *customers: Customer, name: str = "", unlimited: bool = False) -> User:
    """An operator who is limited to these customers, be they none; `unlimited`: who is not."""
    row = operator(name or f"{role}@example.com", is_superuser=False)
    roles.assign(row, role, None if unlimited else list(customers))
    return User.objects.get(pk=row.pk)


def give(row: User, rights: Iterable[Permission], customers: Iterable[Customer] | None = None) -> None:
    """Single rights in the place of a role, for these customers; None: for all."""
    row.user_permissions.add(*rights)
    given, _made = OperatorRole.objects.get_or_create(operator=row, role="", is_limited=customers is not None)
    given.customers.set(customers or ())
