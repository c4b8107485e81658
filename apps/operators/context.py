"""An operator's request, for flows and events: who acts, from where, and when."""

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from apps.core import actors
from apps.core.context import RequestContext
from apps.core.requests import context_for_others


def context_of_operator(request: HttpRequest) -> RequestContext:
    """The request of an operator, which is about somebody else."""
    return context_for_others(request).by(actors.operator(request.user.get_username()))


def operator_of(request: HttpRequest) -> User:
    """Who is signed in to the admin. Raises PermissionDenied if nobody is."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
