"""An operator's request, for flows and events: who acts, from where, and when."""

from typing import Any, NamedTuple

from django.http import HttpRequest
from django.utils import timezone

from apps.audit import events
from apps.core.requests import caller_for_others


def actor_of(request: HttpRequest) -> str:
    """How events name the operator."""
    return events.operator(request.user.get_username())


def who(request: HttpRequest) -> dict[str, Any]:
    """The arguments that every flow takes about who acts, from where, and when."""
    return {"actor": actor_of(request), "caller": caller_for_others(request), "now": timezone.now()}


class Recorded(NamedTuple):
    """What events call an addition, a change and a deletion: names from `actions`."""

    added: str
    changed: str
    deleted: str
