"""Whether an operator has a second factor: asked by many in a request, and looked up with the operator (`operator_lookup`)."""

from functools import cache

from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django_otp import device_classes

from apps.core import prepared

KEPT = "_has_device"  # at the operator, whom each request reads anew


def has_device(operator: User | AnonymousUser) -> bool:
    """Not to be asked after the request itself has added or removed a factor."""
    if not hasattr(operator, KEPT):
        setattr(operator, KEPT, operator.pk is not None and _ask(operator.pk))
    return bool(getattr(operator, KEPT))


def condition(operator_id: str) -> str:
    """SQL: whether the operator of this id, an expression, has one of any kind. Django would ask for each kind by itself."""
    kinds = [connection.ops.quote_name(each._meta.db_table) for each in device_classes()]
    return " OR ".join(
        f"EXISTS (SELECT 1 FROM {kind} d WHERE d.user_id = {operator_id} AND d.confirmed)"  # noqa: S608  (our own names)
        for kind in kinds
    )


def _ask(operator_id: int) -> bool:
    with prepared.cursor() as cursor:
        cursor.execute(_statement(), [operator_id])
        return bool(cursor.fetchone()[0])


@cache
def _statement() -> str:
    return f"SELECT {condition('o.id')} FROM (SELECT %s::integer AS id) o"  # noqa: S608  (our own names)
