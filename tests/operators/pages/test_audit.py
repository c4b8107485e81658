"""Audit events can be read, and only read."""

import pytest
from django.test import Client

from apps.audit.models import Event
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def test_audit_events_cannot_be_changed_by_anybody(browser: Client) -> None:
    factories.customer()
    event = Event.objects.all()[0]
    assert browser.get(f"/admin/audit/event/{event.id}/change/").status_code == 200
    assert browser.post(f"/admin/audit/event/{event.id}/change/", {"action": "x"}).status_code == 403
    assert browser.post(f"/admin/audit/event/{event.id}/delete/", {"post": "yes"}).status_code == 403
    assert browser.get("/admin/audit/event/add/").status_code == 403
