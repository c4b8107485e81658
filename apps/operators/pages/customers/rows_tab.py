"""The newest users and events of a customer, as far as the operator's own lists hold them, and where all of them are."""

from typing import Any

from apps.audit import sentences
from apps.audit.models import Event
from apps.operators.pages.audit.event_names import EventNames
from apps.operators.pages.customers.visit import Visit, list_of
from apps.operators.questions import address_of
from apps.users.models import User

MOST = 25
OUTCOMES = {"failure": "warning", "denied": "danger"}


def users(visit: Visit) -> dict[str, Any]:
    newest, colours = visit.rows(User).order_by("-id")[:MOST], visit.admin_of(User).state.label
    rows = [{"user": user, "url": address_of(user), "state": colours[user.status]} for user in newest]
    return {"users": rows, "everything": list_of("users_user", customer__id__exact=visit.customer.id)}


def events(visit: Visit) -> dict[str, Any]:
    newest = list(visit.rows(Event).order_by("-at", "-id")[:MOST])
    names = EventNames(visit.request, visit.page.admin_site, newest)
    rows = [
        {
            "event": event,
            "url": address_of(event),
            "sentence": sentences.as_html(event, names),
            "state": OUTCOMES.get(event.outcome, ""),
        }
        for event in newest
    ]
    return {"events": rows, "everything": list_of("audit_event", customer_id=visit.customer.id)}
