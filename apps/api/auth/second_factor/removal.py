"""What removing any factor needs and answers."""

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.authentication.principal import customer_of, user_of
from apps.core import actors
from apps.core.requests import context_of
from apps.factors.removal import Removal


def removal_of(request: Request) -> Removal:
    """The signed-in user removes a factor of their own."""
    user = user_of(request)
    return Removal(
        user=user,
        customer=customer_of(request),
        context=context_of(request).by(actors.user(user.id)),
    )


def removed() -> Response:
    return Response({"message": _("Removed.")})
