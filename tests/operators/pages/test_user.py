"""Users, roles and permissions in the operators' admin."""

import pytest
from django.contrib.auth.models import Permission as Right
from django.contrib.auth.models import User as Operator
from django.test import Client

from apps.audit.models import Event
from apps.users.models import Permission, Role, User
from tests import factories
from tests.conftest import MakeClient
from tests.operators.test_pages import operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser() -> Client:
    operator()
    return sign_in()


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
    assert browser.post(path, {"permissions": ["invoices.read"], "description": "Audits"}).status_code == 302
    profile = {"name": "", "locale": "", "role": "auditor"}
    assert browser.post(f"/admin/users/user/{user.id}/change/", profile).status_code == 302
    me = client_for(None).get("/api/auth/me", token=token).document
    assert (me["role"], me["permissions"]) == ("auditor", ["invoices.read"])
    recorded = Event.objects.order_by("id").values_list("action", "actor")
    made = [
        (action, "operator:ops@example.com")
        for action in ("permission_changed", "role_changed", "role_changed", "user_changed")
    ]
    assert [fact for fact in recorded if fact in made] == made


def test_a_user_is_offered_its_own_customers_roles_and_permissions_alone(browser: Client) -> None:
    """C1.5"""
    one, other = factories.customer(), factories.customer()
    factories.role(one, "auditor", "invoices.read")
    factories.role(other, "curator", "pictures.read")
    user = factories.user(one)
    path = f"/admin/users/user/{user.id}/change/"
    page = shown(browser, path)
    assert "auditor" in page
    assert "invoices.read" in page
    assert "curator" not in page
    assert "pictures.read" not in page
    form = {"name": "", "locale": "", "role": "curator"}
    assert browser.post(path, form).status_code == 200  # the form again
    assert browser.post(path, {**form, "role": "auditor", "permissions": ["pictures.read"]}).status_code == 200
    assert User.objects.get().role == "company_user"


def test_name_and_customer_of_a_role_cannot_be_changed(browser: Client) -> None:
    row = factories.role(factories.customer(), "auditor")
    other = factories.customer()
    browser.post(f"/admin/users/role/{row.id}/change/", {"name": "root", "customer": other.id, "description": "x"})
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


def test_an_operator_erases_a_user_after_being_asked(browser: Client, client_for: MakeClient) -> None:
    user = factories.user(factories.customer(), role="admin")
    factories.user(user.customer, "bob@example.com")
    token = factories.session(user).access
    path = f"/admin/users/user/{user.id}/erase/"
    assert "cannot be undone" in shown(browser, path)
    assert User.objects.count() == 2
    assert browser.post(path).status_code == 302
    assert User.objects.get().email == "bob@example.com"
    assert client_for(None).get("/api/auth/me", token=token).status == 401
    event = Event.objects.get(action="user_erased")
    assert (event.user_id, event.actor) == (user.id, "operator:ops@example.com")
    assert browser.post(path).status_code == 302  # nothing there any more


def test_erasing_takes_a_right_of_its_own(client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    clerk = operator("clerk@example.com", is_superuser=False)
    clerk.user_permissions.set(Right.objects.filter(codename__in=["view_user", "change_user"]))
    browser = sign_in("clerk@example.com")
    path = f"/admin/users/user/{user.id}/erase/"
    browser.post(path)
    assert User.objects.count() == 1
    clerk.user_permissions.add(Right.objects.get(codename="delete_user", content_type__app_label="users"))
    assert Operator.objects.get(username="clerk@example.com").has_perm("users.delete_user")
    browser.post(path)
    assert not User.objects.exists()


def test_who_may_only_look_sees_the_pages(browser: Client) -> None:
    row = factories.role(factories.customer(), "auditor", "invoices.read")
    user = factories.user(row.customer, role="auditor", permissions=["invoices.read"])
    clerk = operator("clerk@example.com", is_superuser=False)
    clerk.user_permissions.set(
        Right.objects.filter(
            codename__in=["view_user", "view_role", "view_permission"], content_type__app_label="users"
        )
    )
    looking = sign_in("clerk@example.com")
    for path in (f"user/{user.id}", f"role/{row.id}", f"permission/{Permission.objects.get().id}"):
        assert "invoices.read" in shown(looking, f"/admin/users/{path}/change/")
        assert looking.post(f"/admin/users/{path}/change/", {"description": "x"}).status_code == 403
    for name in ("user", "role", "permission"):
        shown(browser, f"/admin/users/{name}/")


@pytest.mark.parametrize(
    "term", ["Großhandel", "grohandel-i1a", "chef@xn--grohandel-i1a.example", "CHEF@GROẞHANDEL.example"]
)
def test_a_user_is_found_however_the_domain_is_written(browser: Client, term: str) -> None:
    """C6."""
    customer = factories.customer()
    factories.user(customer, "chef@großhandel.example")
    factories.user(customer, "chef@grosshandel.example")
    found = browser.get("/admin/users/user/", {"q": term}).content.decode()
    assert "chef@großhandel.example" in found
    assert "chef@grosshandel.example" not in found
