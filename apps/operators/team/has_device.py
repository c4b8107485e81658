"""Whether an operator has a second factor: asked by many in a request, and looked up with the operator."""

from functools import cache

from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL
from django_otp import device_classes, user_has_device

KEPT = "_has_device"  # at the operator, whom each request reads anew


@cache
def with_role_and_device() -> "QuerySet[User]":
    """All operators: with their role, and `has_device` knows of them without asking.

    Written by hand, since each request of the admin asks for one: Django takes longer to put EXISTS together than PostgreSQL to
    answer.
    """
    operator, kinds = connection.ops.quote_name(User._meta.db_table), [each._meta.db_table for each in device_classes()]
    one_of = (
        f"EXISTS (SELECT 1 FROM {connection.ops.quote_name(kind)} d WHERE d.user_id = {operator}.id AND d.confirmed)"  # noqa: S608  (our own names)
        for kind in kinds
    )
    answer = RawSQL(" OR ".join(one_of), (), BooleanField())  # noqa: S611  (our own names)
    return User.objects.select_related("team_role").annotate(**{KEPT: answer})


def has_device(operator: User | AnonymousUser) -> bool:
    """Not to be asked after the request itself has added or removed a factor."""
    if not hasattr(operator, KEPT):
        setattr(operator, KEPT, user_has_device(operator))
    return bool(getattr(operator, KEPT))
