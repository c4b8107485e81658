"""Audit events are the one log of what operators do. Django's own would name users by their address, and keep it for ever."""

import pytest
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from apps.audit import actions
from apps.audit.models import Event
from apps.operators.pages.base import AuditedAdmin, LookOnly
from apps.users.models import User as EndUser
from tests import factories
from tests.accounts.test_own_data import tables_with
from tests.operators.pages.customer_form import customer_form
from tests.operators.signing_in import operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL, FRESH = "ada@example.com", "another horse battery staple"
PROFILE = {"name": "Ada", "locale": "", "role": "company_user"}


@pytest.fixture
def browser() -> Client:
    operator()
    return sign_in()


def test_after_a_change_and_an_erasure_by_operators_the_address_is_nowhere(browser: Client) -> None:
    """C4: erases the user."""
    page = f"/admin/users/user/{factories.user(factories.customer(), EMAIL).id}"
    for name, form in (("change", PROFILE), ("deactivate", {}), ("reactivate", {}), ("erase", {})):
        assert browser.post(f"{page}/{name}/", form).status_code == 302
    assert not EndUser.objects.exists()
    assert tables_with(EMAIL) == set()


def test_nothing_that_operators_add_change_or_delete_is_in_a_second_log(browser: Client) -> None:
    customer = factories.customer()
    passwords = {"password1": FRESH, "password2": FRESH, "usable_password": "true"}
    posts = {
        "users/user/add": {**PROFILE, "customer": customer.id, "email": EMAIL, "status": "active"},
        "users/permission/add": {"customer": customer.id, "name": "invoices.read", "description": ""},
        f"customers/customer/{customer.id}/change": customer_form(name="After", networks=["203.0.113.0/24"]),
        "auth/group/add": {"name": "Clerks"},
        "auth/user/add": {"username": "new@example.com", **passwords},
    }
    for path, form in posts.items():
        assert (path, browser.post(f"/admin/{path}/", form).status_code) == (path, 302)
    user, fresh, group = EndUser.objects.get(), User.objects.get(username="new@example.com"), Group.objects.get()
    factories.role(customer, "auditor")
    more = {
        f"users/user/{user.id}/change": {**PROFILE, "name": "Eve"},
        f"auth/user/{fresh.id}/password": passwords,
        f"auth/group/{group.id}/change": {"name": "Others"},
        f"auth/group/{group.id}/delete": {"post": "yes"},
        "auth/user": {"action": "delete_selected", "_selected_action": [fresh.id], "post": "yes"},
    }
    for path, form in more.items():
        assert (path, browser.post(f"/admin/{path}/", form).status_code) == (path, 302)
    done = Event.objects.filter(actor="operator:ops@example.com").values_list("action", flat=True)
    assert {"user_created", "user_changed", "policy_changed", "allowlist_changed", "permission_changed"} <= set(done)
    assert {"group_added", "group_changed", "group_deleted", "operator_added", "operator_changed"} <= set(done)
    assert "operator_deleted" in done
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
        browser.post(f"/admin/users/user/{user.id}/clear-wrong-codes/")
    page = f"/admin/users/user/{one.id}"
    assert f"{page}/history/" in browser.get(f"{page}/change/").content.decode()
    shown = browser.get(f"{page}/history/", follow=True)
    assert shown.status_code == 200
    assert [event.user_id for event in shown.context["cl"].result_list] == [one.id]


def test_the_history_of_a_customer_is_its_audit_events(browser: Client) -> None:
    one, _other = factories.customer(), factories.customer()
    page = f"/admin/customers/customer/{one.id}"
    assert f"{page}/history/" in browser.get(f"{page}/change/").content.decode()
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
    clerk.user_permissions.set(Permission.objects.filter(codename="view_user", content_type__app_label="users"))
    browser, page = sign_in("clerk@example.com"), f"/admin/users/user/{user.id}"
    answer = browser.get(f"{page}/change/")
    assert answer.status_code == 200
    assert "/history/" not in answer.content.decode()
    assert browser.get(f"{page}/history/", follow=True).status_code == 403


def test_the_migration_deletes_what_is_in_the_second_log_and_can_be_undone() -> None:
    boss, user = operator(), factories.user(factories.customer(), EMAIL)
    LogEntry.objects.create(
        user=boss,
        content_type=ContentType.objects.get_for_model(EndUser),
        object_id=str(user.id),
        object_repr=EMAIL,
        action_flag=CHANGE,
    )
    events = Event.objects.count()
    MigrationExecutor(connection).migrate([("audit", "0002_append_only")])
    assert LogEntry.objects.count() == 1
    forward = MigrationExecutor(connection)
    forward.migrate(forward.loader.graph.leaf_nodes())
    assert not LogEntry.objects.exists()
    assert Event.objects.count() == events
