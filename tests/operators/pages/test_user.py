"""Users: made, changed, found and erased. tests/operators/pages/test_user_accounts.py closes and opens their accounts."""

import pytest
from django.contrib.auth.models import Permission as Right
from django.contrib.auth.models import User as Operator
from django.test import Client

from apps.audit.models import Event
from apps.users.models import User
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


def test_users_are_changed_at_once(browser: Client, client_for: MakeClient) -> None:
    user = factories.user(factories.customer(), wrong_codes=7)
    factories.permission(user.customer, "invoices.read")
    token, client = factories.session(user).access, client_for(None)
    path = f"/admin/users/user/{user.id}"
    form = {"name": "Ada", "locale": "de", "role": "admin", "permissions": ["invoices.read"]}
    assert save(browser, f"{path}/change/", form).status_code == 302
    me = client.get("/api/auth/me", token=token).document
    assert (me["role"], me["permissions"]) == ("admin", ["invoices.read"])
    browser.post(f"{path}/clear-locks/")
    assert User.objects.get().wrong_codes == 0
    assert save(browser, f"{path}/change/", {**form, "permissions": ["unheard.of"]}).status_code == 200


def test_a_user_is_added_once_per_customer(browser: Client) -> None:
    one, other = factories.customer(), factories.customer()
    form = {"email": "Ada@example.com", "role": "company_user", "status": "active"}
    for customer in (one, other):
        assert browser.post("/admin/users/user/add/", {**form, "customer": customer.id}).status_code == 302
    assert browser.post("/admin/users/user/add/", {**form, "customer": one.id}).status_code == 200
    assert browser.post("/admin/users/user/add/", {**form, "customer": one.id, "email": "nonsense"}).status_code == 200
    assert User.objects.count() == 2


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
    assert save(browser, path, form).status_code == 200  # the form again
    assert save(browser, path, {**form, "role": "auditor", "permissions": ["pictures.read"]}).status_code == 200
    assert User.objects.get().role == "company_user"


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
    assert browser.post(path).status_code == 302  # gone


def test_erasing_takes_a_right_of_its_own(client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    clerk = operator("clerk@example.com", is_superuser=False)
    give(clerk, Right.objects.filter(codename__in=["view_user", "change_user"]))
    browser = sign_in("clerk@example.com")
    path = f"/admin/users/user/{user.id}/erase/"
    browser.post(path)
    assert User.objects.count() == 1
    give(clerk, Right.objects.filter(codename="delete_user", content_type__app_label="users"))
    assert Operator.objects.get(username="clerk@example.com").has_perm("users.delete_user")
    browser.post(path)
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "term", ["chef@Großhandel.example", "chef@xn--grohandel-i1a.example", "CHEF@GROẞHANDEL.example"]
)
def test_a_user_is_found_however_the_domain_is_written(browser: Client, term: str) -> None:
    """C6."""
    customer = factories.customer()
    factories.user(customer, "chef@großhandel.example")
    factories.user(customer, "chef@grosshandel.example")
    found = browser.get("/admin/users/user/", {"q": term}).content.decode()
    assert "chef@großhandel.example" in found
    assert "chef@grosshandel.example" not in found
