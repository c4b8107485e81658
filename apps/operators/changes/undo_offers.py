"""The way back, in the message that says what was done."""

from itertools import islice

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from apps.audit.models import Event
from apps.operators.changes import undo_requests
from apps.operators.context import context_of_operator
from apps.operators.team import scope


def said(request: HttpRequest, text: str) -> str:
    """The text, with a link that undoes what this request did, if the operator may undo it.

    The link leads to the question of the change's event, or to one question for several, which asks for a second factor where
    the change would.
    """
    address, label = _way_back(request)
    return format_html('{} <a class="underline" href="{}">{}</a>', text, address, label) if address else text


def _way_back(request: HttpRequest) -> tuple[str, str]:
    context = context_of_operator(request)
    if not request.user.has_perm("audit.view_event"):
        return "", ""
    done = undo_requests.changes_of(scope.of(request).narrow(Event.objects.all()), context.request_id, context.actor)
    found = list(islice((each for each in done if request.user.has_perm(each.permission)), 2))
    if not found:
        return "", ""
    if len(found) == 1:
        return reverse("admin:audit_event_undo", args=[found[0].event.pk]), _("Undo")
    return reverse("admin:audit_event_undo_request", args=[context.request_id]), _("Undo all")
