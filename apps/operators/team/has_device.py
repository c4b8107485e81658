"""Whether an operator has a second factor: asked by many in a request, and looked up with the operator."""

from django.contrib.auth.models import AnonymousUser, User
from django_otp import user_has_device

KEPT = "_has_device"  # at the operator, whom each request reads anew (operator_lookup)


def has_device(operator: User | AnonymousUser) -> bool:
    """Not to be asked after the request itself has added or removed a factor."""
    if not hasattr(operator, KEPT):
        setattr(operator, KEPT, user_has_device(operator))
    return bool(getattr(operator, KEPT))
