"""Roles and permissions that customers name for themselves."""

import pytest
from django.contrib.auth.models import Permission as Right
from django.test import Client

from apps.audit.models import Event
from apps.users.models import Permission, Role
from tests import factories
from tests.conftest import MakeClient
from tests.operators.limiting import give
from tests.operators.saving import save
from tests.operators.signing_in import operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def shown(browser: Client, path: str) -> str:
    answer = browser.get(path, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_operator_makes_a_permission_and_a_role_that_gives_it(browser: Client, client_for: MakeClient) -> None:
    customer = factories.customer()
    user = factories.user(customer)
    token = factories.session(user).access
    facts = {"customer": customer.id, "description": ""}
    assert browser.post("/admin/users/permission/add/", {**facts, "name": "invoices.read"}).status_code == 302
    assert browser.post("/admin/users/role/add/", {**facts, "name": "auditor"}).status_code == 302
    path = f"/admin/users/role/{Role.objects.get().id}/change/"
    assert "invoices.read" in shown(browser, path)
    assert save(browser, path, {"permissions": ["invoices.read"], "description": "Audits"}).status_code == 302
    profile = {"name": "", "locale": "", "role": "auditor"}
    assert save(browser, f"/admin/users/user/{user.id}/change/", profile).status_code == 302
    me = client_for(None).get("/api/auth/me", token=token).document
    assert (me["role"], me["permissions"]) == ("auditor", ["invoices.read"])
    recorded = Event.objects.order_by("id").values_list("action", "actor")
    made = [
        (action, "operator:ops@example.com")
        for action in ("permission_changed", "role_changed", "role_changed", "user_changed")
    ]
    assert [fact for fact in recorded if fact in made] == made


def test_name_and_customer_of_a_role_cannot_be_changed(browser: Client) -> None:
    row = factories.role(factories.customer(), "auditor")
    other = factories.customer()
    save(browser, f"/admin/users/role/{row.id}/change/", {"name": "root", "customer": other.id, "description": "x"})
    row.refresh_from_db()
    assert (row.name, row.customer_id == other.id, row.description) == ("auditor", False, "x")


@pytest.mark.parametrize("kind", ["role", "permission"])
def test_what_is_in_use_is_kept_and_the_operator_reads_why(browser: Client, kind: str) -> None:
    customer = factories.customer()
    row = factories.role(customer, "auditor", "invoices.read")
    user = factories.user(customer, role="auditor")
    target = row if kind == "role" else Permission.objects.get()
    path = f"/admin/users/{kind}/{target.id}/delete/"
    answer = browser.post(path, {"post": "yes"}, follow=True)
    assert "first." in answer.content.decode()
    assert type(target).objects.filter(id=target.id).exists()
    user.delete()
    row.permissions = []
    row.save()
    assert browser.post(path, {"post": "yes"}).status_code == 302
    assert not type(target).objects.filter(id=target.id).exists()


def test_a_name_that_is_taken_or_wrong_is_no_server_error(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from apps.users import roles

    customer = factories.customer()
    factories.role(customer, "auditor")
    for name in ("auditor", "Not A Name", ""):
        form = {"customer": customer.id, "name": name, "description": ""}
        assert browser.post("/admin/users/role/add/", form).status_code == 200  # the form again
    monkeypatch.setattr(roles, "MOST", 1)
    answer = browser.post(
        "/admin/users/role/add/", {"customer": customer.id, "name": "x", "description": ""}, follow=True
    )
    assert "There are 1 roles already." in answer.content.decode()
    assert Role.objects.count() == 1


def test_who_may_only_look_sees_the_pages(browser: Client) -> None:
    row = factories.role(factories.customer(), "auditor", "invoices.read")
    user = factories.user(row.customer, role="auditor", permissions=["invoices.read"])
    clerk = operator("clerk@example.com", is_superuser=False)
    give(
        clerk,
        Right.objects.filter(
            codename__in=["view_user", "view_role", "view_permission"], content_type__app_label="users"
        ),
    )
    looking = sign_in("clerk@example.com")
    for path in (f"user/{user.id}", f"role/{row.id}", f"permission/{Permission.objects.get().id}"):
        assert "invoices.read" in shown(looking, f"/admin/users/{path}/change/")
        assert looking.post(f"/admin/users/{path}/change/", {"description": "x"}).status_code == 403
    for name in ("user", "role", "permission"):
        shown(browser, f"/admin/users/{name}/")
