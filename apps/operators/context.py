"""An operator's request, for flows and events: who acts, from where, and when."""

from django.http import HttpRequest

from apps.core import actors
from apps.core.context import RequestContext
from apps.core.requests import context_for_others


def context_of_operator(request: HttpRequest) -> RequestContext:
    """The request of an operator, which is about somebody else."""
    return context_for_others(request).by(actors.operator(request.user.get_username()))
