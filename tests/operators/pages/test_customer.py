"""Customers are made, changed, suspended and given new secrets."""

import pytest
from django.test import Client

from apps.audit.models import Event
from apps.customers.models import Customer
from tests import factories
from tests.conftest import MakeClient
from tests.operators.pages.customer_form import customer_form

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_customer_is_made_with_secrets_and_changed_at_once(browser: Client, client_for: MakeClient) -> None:
    page = browser.get("/admin/customers/customer/add/")
    assert page.status_code == 200
    form = customer_form(name="Shop", slug="shop")
    assert browser.post("/admin/customers/customer/add/", form).status_code == 302
    shop = Customer.objects.get(slug="shop")
    assert shop.signing_secrets.count() == 1
    client = client_for(shop)
    assert client.request_otp("ada@example.com").document["expires_in"] == 600
    path = f"/admin/customers/customer/{shop.id}/change/"
    form = customer_form(name="Shop", code_lifetime=120, networks=["203.0.113.0/24"])
    assert browser.post(path, form).status_code == 302
    assert client.request_otp("bob@example.com").error_type == "ip_not_allowed"
    actions = Event.objects.filter(customer_id=shop.id, actor="operator:ops@example.com")
    assert {"customer_created", "policy_changed"} <= set(actions.values_list("action", flat=True))


@pytest.mark.parametrize(
    "wrong",
    [
        {"access_lifetime": 1},
        {"allowed_origins": '["http://evil.example"]'},
        {"allowed_origins": "{"},
        {"colour": "red"},
        {"networks": ["192.0.2.1/24"]},
        {"networks": ["nonsense"]},
    ],
)
def test_a_bad_policy_is_refused_whole(browser: Client, wrong: dict[str, object]) -> None:
    customer = factories.customer(name="Before")
    answer = browser.post(f"/admin/customers/customer/{customer.id}/change/", customer_form(name="After", **wrong))
    assert answer.status_code == 200  # the form again, with its faults
    customer.refresh_from_db()
    assert customer.name == "Before"


def test_dangerous_actions_ask_first_and_are_recorded(browser: Client, client_for: MakeClient) -> None:
    one, other = factories.customer(), factories.customer()
    token = factories.session(factories.user(one)).access
    path, client = f"/admin/customers/customer/{one.id}", client_for(None)

    def act(name: str) -> None:
        assert browser.get(f"{path}/{name}/").status_code == 200  # asks; changes nothing
        assert client.get("/api/auth/me", token=token).status == before
        assert browser.post(f"{path}/{name}/").status_code == 302

    before = 200
    act("suspend")
    assert client.get("/api/auth/me", token=token).error_type == "customer_suspended"
    before = 403
    act("reactivate")
    before = 200
    act("rotate")
    assert client.get("/api/auth/me", token=token).status == 200
    act("emergency")
    assert client.get("/api/auth/me", token=token).status == 401
    assert one.signing_secrets.count() == 3
    assert other.signing_secrets.count() == 1
    recorded = Event.objects.filter(actor="operator:ops@example.com", customer_id=one.id)
    assert {"customer_suspended", "customer_reactivated", "secrets_rotated"} <= set(
        recorded.values_list("action", flat=True)
    )
