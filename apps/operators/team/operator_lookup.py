"""The operator who asks, with all that each request must know of them: role, customers, and whether there is a second factor."""

from functools import cache

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import BooleanField, F, Field, QuerySet
from django.db.models.expressions import RawSQL

from apps.core.lookups import RowLookup
from apps.operators.models import OperatorRole
from apps.operators.team import has_device

ROLE, IS_LIMITED, CUSTOMERS = "_role", "_is_limited", "_customers"


def find(operator_id: int) -> User | None:
    """Read anew by each request in one statement, so that what is taken away counts at once."""
    operator = _lookup().first(operator_id)
    if operator is not None:
        _attach_role(operator)
    return operator


def _attach_role(operator: User) -> None:
    """As if Django had read it. Without a role there is no row."""
    facts = vars(operator)
    role, is_limited, customers = (facts.pop(name) for name in (ROLE, IS_LIMITED, CUSTOMERS))
    row = None
    if role is not None:
        row = OperatorRole(operator=operator, role=role, is_limited=is_limited)
        row._state.adding, row._state.db = False, operator._state.db
        row.customer_ids = frozenset(customers)
    operator._state.fields_cache["team_role"] = row


@cache
def _lookup() -> RowLookup[int, User]:
    return RowLookup(lambda operator_id: _rows().filter(pk=operator_id))


def _rows() -> "QuerySet[User]":
    """The sub-selects are written by hand: Django offers none of them without its PostgreSQL app."""
    name = connection.ops.quote_name
    operator = name(User._meta.db_table)
    limits = name(OperatorRole.customers.through._meta.db_table)
    customers = f"ARRAY(SELECT l.customer_id FROM {limits} l WHERE l.operatorrole_id = {operator}.id)"  # noqa: S608
    return User.objects.annotate(
        **{
            has_device.KEPT: RawSQL(has_device.condition(f"{operator}.id"), (), BooleanField()),  # noqa: S611
            ROLE: F("team_role__role"),
            IS_LIMITED: F("team_role__is_limited"),
            CUSTOMERS: RawSQL(customers, (), Field()),  # noqa: S611
        }
    )
