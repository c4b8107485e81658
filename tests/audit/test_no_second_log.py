"""Audit events are the one log of what operators do. Django's own would name users by their address, and keep it for ever."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client

from apps.audit import actions
from apps.audit.models import Event
from apps.operators.pages.base import AuditedAdmin, LookOnly
from apps.users.models import User as EndUser
from tests import factories
from tests.accounts.test_own_data import tables_with
from tests.operators import saving
from tests.operators.limiting import give
from tests.operators.pages.customer_form import add_network, save
from tests.operators.signing_in import AS_AUDITOR, operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "ada@example.com"
PROFILE = {"name": "Ada", "locale": "", "role": "company_user"}


@pytest.fixture
def browser() -> Client:
    operator()
    return sign_in()


def send(browser: Client, path: str, form: dict[str, Any]) -> int:
    return int((saving.save if path.endswith("change/") else Client.post)(browser, path, form).status_code)


def test_after_a_change_and_an_erasure_by_operators_the_address_is_nowhere(browser: Client) -> None:
    """C4: erases the user."""
    page = f"/admin/users/user/{factories.user(factories.customer(), EMAIL).id}"
    for name, form in (("change", PROFILE), ("deactivate", {}), ("reactivate", {}), ("erase", {})):
        assert send(browser, f"{page}/{name}/", form) == 302
    assert not EndUser.objects.exists()
    assert tables_with(EMAIL) == set()


def test_nothing_that_operators_add_change_or_delete_is_in_a_second_log(browser: Client) -> None:
    customer = factories.customer()
    posts = {
        "users/user/add": {**PROFILE, "customer": customer.id, "email": EMAIL, "status": "active"},
        "users/permission/add": {"customer": customer.id, "name": "invoices.read", "description": ""},
        "auth/user/add": {"email": "new@example.com", **AS_AUDITOR},
    }
    for path, form in posts.items():
        assert (path, send(browser, f"/admin/{path}/", form)) == (path, 302)
    assert save(browser, customer, name="After").status_code == 302
    assert add_network(browser, customer, "203.0.113.0/24").status_code == 302
    user, fresh = EndUser.objects.get(), User.objects.get(username="new@example.com")
    factories.role(customer, "auditor")
    more = {
        f"users/user/{user.id}/change": {**PROFILE, "name": "Eve"},
        f"auth/user/{fresh.id}/invite-again": {},
        "auth/user": {"action": "delete_selected", "_selected_action": [fresh.id], "post": "yes"},
    }
    for path, form in more.items():
        assert (path, send(browser, f"/admin/{path}/", form)) == (path, 302)
    done = Event.objects.filter(actor="operator:ops@example.com").values_list("action", flat=True)
    assert {"user_created", "user_changed", "policy_changed", "allowlist_changed", "permission_changed"} <= set(done)
    assert {"operator_added", "operator_invited", "operator_deleted"} <= set(done)
    assert not LogEntry.objects.exists()


def test_every_page_of_the_admin_names_its_events() -> None:
    """C8: every operator action. Recorded by the page, or by the flows that it calls; or there is nothing to do."""
    for model, page in admin.site._registry.items():
        assert isinstance(page, AuditedAdmin), model
        if not (isinstance(page, LookOnly) or page.flows_record):
            assert set(page.recorded_as) <= actions.ALL, model


def test_the_history_of_a_user_is_its_audit_events(browser: Client) -> None:
    one, other = factories.user(factories.customer()), factories.user(factories.customer())
    for user in (one, other):
        browser.post(f"/admin/users/user/{user.id}/clear-locks/")
    page = f"/admin/users/user/{one.id}"
    assert f"{page}/history/" in browser.get(f"{page}/change/").content.decode()
    shown = browser.get(f"{page}/history/", follow=True)
    assert shown.status_code == 200
    assert [event.user_id for event in shown.context["cl"].result_list] == [one.id]


def test_the_history_of_a_customer_is_its_audit_events(browser: Client) -> None:
    one, _other = factories.customer(), factories.customer()
    page = f"/admin/customers/customer/{one.id}"
    assert f"{page}/audit/" in browser.get(f"{page}/change/").content.decode()
    assert f"/admin/audit/event/?customer_id={one.id}" in browser.get(f"{page}/audit/").content.decode()
    shown = browser.get(f"{page}/history/", follow=True).context["cl"].result_list
    assert [(event.action, event.customer_id) for event in shown] == [("customer_created", one.id)]


def test_any_other_history_leads_to_all_events(browser: Client) -> None:
    row = factories.role(factories.customer(), "auditor")
    page = f"/admin/users/role/{row.id}"
    assert f"{page}/history/" not in browser.get(f"{page}/change/").content.decode()
    assert browser.get(f"{page}/history/").headers["Location"] == "/admin/audit/event/"
    assert browser.get("/admin/users/user/nonsense/history/", follow=True).status_code == 200


def test_who_may_not_see_events_is_offered_no_history() -> None:
    user = factories.user(factories.customer())
    clerk = operator("clerk@example.com", is_superuser=False)
    give(clerk, Permission.objects.filter(codename="view_user", content_type__app_label="users"))
    browser, page = sign_in("clerk@example.com"), f"/admin/users/user/{user.id}"
    answer = browser.get(f"{page}/change/")
    assert answer.status_code == 200
    assert "/history/" not in answer.content.decode()
    assert browser.get(f"{page}/history/", follow=True).status_code == 403
