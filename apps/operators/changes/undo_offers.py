"""The way back, in the message that says what was done."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from apps.audit.models import Event
from apps.operators.changes import undo
from apps.operators.context import context_of_operator

MOST_LOOKED_AT = 10  # events of one request


def said(request: HttpRequest, text: str) -> str:
    """The text, with a link that undoes what this request did: if that was one thing, and the operator may undo it.

    The link leads to the question of the change's event, which asks for a second factor where the change would.
    """
    found = _undoable(request)
    if found is None or not request.user.has_perms(["audit.view_event", found.permission]):
        return text
    address = reverse("admin:audit_event_undo", args=[found.event.pk])
    return format_html('{} <a class="underline" href="{}">{}</a>', text, address, _("Undo"))


def _undoable(request: HttpRequest) -> undo.Undo | None:
    context = context_of_operator(request)
    if not context.request_id:
        return None
    done = Event.objects.filter(request_id=context.request_id, actor=context.actor)
    found = [each for event in done[:MOST_LOOKED_AT] if (each := undo.of(event))]
    return found[0] if len(found) == 1 else None
