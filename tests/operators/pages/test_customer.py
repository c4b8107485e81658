"""Customers are made, changed, suspended and given new secrets."""

import pytest
from django.test import Client

from apps.audit.models import Event
from apps.customers.models import Customer
from tests import factories
from tests.conftest import MakeClient
from tests.operators.pages.customer_form import add_network, page_of, save, shown_form, slug_of
from tests.operators.saving import opened

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_customer_is_made_with_secrets_and_changed_at_once(browser: Client, client_for: MakeClient) -> None:
    add = "/admin/customers/customer/add/"
    assert browser.post(add, {"name": "Shop", "slug": "shop", **opened(browser, add)}).status_code == 302
    shop = Customer.objects.get(slug="shop")
    assert shop.signing_secrets.count() == 1
    client = client_for(shop)
    assert client.request_otp("ada@example.com").document["expires_in"] == 600
    assert save(browser, shop, code_lifetime="2 min").status_code == 302
    assert client.request_otp("cyd@example.com").document["expires_in"] == 120
    asked = add_network(browser, shop, "203.0.113.0/24")
    add_network(browser, shop, "203.0.113.0/24", confirmed=asked.context["hidden"][-1][1])
    assert client.request_otp("bob@example.com").error_type == "ip_not_allowed"
    actions = Event.objects.filter(customer_id=shop.id, actor="operator:ops@example.com")
    assert {"customer_created", "policy_changed", "allowlist_changed"} <= set(actions.values_list("action", flat=True))


@pytest.mark.parametrize(
    ("wrong", "also"),
    [
        ({"access_lifetime": "1 s"}, {"sessions_per_user": 3}),
        ({"access_lifetime": "soon"}, {"sessions_per_user": 3}),
        ({"allowed_origins": "http://evil.example"}, {}),
        ({"allowed_origins": "[{"}, {}),
        ({"colour": "red"}, {"name": "After"}),
        ({"largest_file_bytes": "6 GiB"}, {"total_file_bytes": "1 MiB"}),
    ],
)
def test_a_bad_form_is_refused_whole_and_keeps_what_was_typed(
    browser: Client, wrong: dict[str, object], also: dict[str, object]
) -> None:
    customer = factories.customer(name="Before")
    before = Customer.objects.values().get(id=customer.id)
    answer = save(browser, customer, **wrong, **also)
    assert answer.status_code == 200  # the tab again, with the form's faults
    assert Customer.objects.values().get(id=customer.id) == before
    (name, typed), *_ = wrong.items()
    form = shown_form(answer, slug_of(name))
    assert name in form.errors
    assert form[name].value() == typed
    assert [each.small.slug for each in answer.context["forms"] if each.form.errors] == [slug_of(name)]


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


def test_why_it_was_suspended_stands_on_every_tab_and_holds_no_address(browser: Client) -> None:
    customer = factories.customer()
    suspend = page_of(customer, "suspend")
    assert browser.post(suspend, {"reason": "asked by eve@example.com"}).status_code == 200
    assert Customer.objects.get(id=customer.id).status == "active"
    assert browser.post(suspend, {"reason": "<b>has not paid</b>"}).status_code == 302
    overview = browser.get(page_of(customer)).content.decode()
    assert "&lt;b&gt;has not paid&lt;/b&gt;" in overview
    assert "by ops@example.com" in overview
    assert page_of(customer, "reactivate") in overview
    assert page_of(customer, "reactivate") in browser.get(page_of(customer, "policy")).content.decode()


def test_the_tab_of_secrets_leads_to_both_forms_of_rotation(browser: Client) -> None:
    customer = factories.customer()
    page = browser.get(page_of(customer, "secrets")).content.decode()
    for name in ("rotate", "emergency"):
        assert f'href="{page_of(customer, name)}"' in page
    secret = customer.signing_secrets.get()
    assert secret.fingerprint in page
    assert secret.access_secret not in page
