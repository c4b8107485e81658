"""Whether an operator has a second factor: asked by many in a request, and looked up with the operator."""

from functools import reduce
from operator import or_

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, OuterRef, QuerySet
from django_otp import device_classes, user_has_device

KEPT = "_has_device"  # at the operator, whom each request reads anew


def with_answer(operators: "QuerySet[User]") -> "QuerySet[User]":
    """The same operators, of whom `has_device` knows without asking."""
    kinds = [Exists(each.objects.filter(user=OuterRef("pk"), confirmed=True)) for each in device_classes()]
    return operators.annotate(**{KEPT: reduce(or_, kinds)})


def has_device(operator: User | AnonymousUser) -> bool:
    """Not to be asked after the request itself has added or removed a factor."""
    if not hasattr(operator, KEPT):
        setattr(operator, KEPT, user_has_device(operator))
    return bool(getattr(operator, KEPT))
