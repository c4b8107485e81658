"""A customer's page has tabs with addresses of their own, for those who may see what is on them."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.audit.models import Event
from apps.customers import lifecycle
from apps.customers.models import Customer
from apps.mail.models import Message
from apps.operators.models import RoleName
from apps.operators.pages.customers.customer_policy import FORMS
from apps.operators.pages.customers.customer_tabs import TABS
from tests import factories
from tests.operators.limiting import give, with_role
from tests.operators.pages.customer_form import opened, page_of, path_of, save
from tests.operators.signing_in import operator, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESSES = ["change", *(slug for slug in TABS if slug != "overview")]


@pytest.fixture
def customer() -> Customer:
    return factories.customer(name="Acme")


@pytest.mark.parametrize("tab", ADDRESSES)
def test_each_tab_is_a_page_that_says_where_one_is(browser: Client, customer: Customer, tab: str) -> None:
    page = browser.get(page_of(customer, tab)).content.decode()
    assert page.count('aria-current="page"') == 1
    assert f'<a href="{page_of(customer, tab)}" aria-current="page">' in page
    for other in ADDRESSES:
        assert f'href="{page_of(customer, other)}"' in page


def viewer(*rights: str) -> Client:
    row = operator("viewer@example.com", is_superuser=False)
    give(row, Permission.objects.filter(codename__in=rights))
    return signed_in(row)


def test_who_may_see_nothing_gets_no_tab_and_no_form(customer: Customer) -> None:
    stranger = viewer("view_user", "change_user")
    for tab in ADDRESSES:
        assert (tab, stranger.get(page_of(customer, tab)).status_code) == (tab, 403)
        assert (tab, stranger.post(page_of(customer, tab), {"network": "10.0.0.0/8"}).status_code) == (tab, 403)
    for slug in FORMS:
        assert stranger.post(path_of(customer, slug)).status_code == 403


def test_a_tab_of_rows_that_one_may_not_see_is_neither_offered_nor_opened(customer: Customer) -> None:
    factories.user(customer, "ada@example.com")
    half = viewer("view_customer", "view_apikey")
    shown = half.get(page_of(customer)).content.decode()
    for tab, status in (("keys", 200), ("users", 403), ("audit", 403)):
        assert half.get(page_of(customer, tab)).status_code == status
        assert (f'href="{page_of(customer, tab)}"' in shown) is (status == 200)
    assert "Living sessions" not in shown


def test_who_may_only_look_can_change_nothing(customer: Customer) -> None:
    """Neither by the forms, which are shown without a button, nor by posting what they would."""
    before = Customer.objects.values().get(id=customer.id)
    looker = viewer("view_customer", "view_apikey", "view_user", "view_event")
    for tab in ADDRESSES:
        page = looker.get(page_of(customer, tab))
        assert page.status_code == 200
        assert 'type="submit">Save' not in page.content.decode()
        assert all(field.disabled for each in page.context["forms"] for field in each.form.fields.values())
    posts = {path_of(customer, slug): {"name": "Mine", "colour": "#000000"} for slug in FORMS}
    posts |= {
        page_of(customer, "allowlist"): {"network": "10.0.0.0/8"},
        page_of(customer, "keys"): {"name": "Mine", "environment": "live", "scopes": ["auth"]},
        page_of(customer, "branding"): {"email": "eve@example.com"},
    }
    for path, form in posts.items():
        assert (path, looker.post(path, form).status_code) == (path, 403)
    assert Customer.objects.values().get(id=customer.id) == before
    assert not customer.allowed_networks.exists()
    assert not customer.api_keys.exists()
    assert not Message.objects.exists()


@pytest.fixture
def limited(customer: Customer) -> Client:
    return signed_in(with_role(RoleName.ADMINISTRATOR, customer))


def test_a_customer_that_is_not_on_the_operators_list_has_no_page_for_it(limited: Client, customer: Customer) -> None:
    other = factories.customer(name="Secretive")
    before = Customer.objects.values().get(id=other.id)
    assert limited.get(page_of(customer)).status_code == 200
    paths = [page_of(other, tab) for tab in ADDRESSES] + [path_of(other, slug) for slug in FORMS]
    for path in paths:
        for answer in (
            limited.get(path),
            limited.post(path, {"name": "Mine", "network": "10.0.0.0/8", "email": "a@b.cd"}),
        ):
            assert (path, answer.status_code) == (path, 302)
            assert answer.headers["Location"] == "/admin/customers/customer/"
    assert Customer.objects.values().get(id=other.id) == before
    assert not other.allowed_networks.exists()
    assert not other.api_keys.exists()
    assert not Message.objects.exists()


def test_a_form_of_one_customer_is_worthless_at_another(browser: Client, customer: Customer) -> None:
    """The version says what was shown: a form that was opened elsewhere, or forged, is stale."""
    other = factories.customer(name="Other", code_lifetime=120)
    form = opened(browser, customer, "codes")
    assert browser.post(path_of(other, "codes"), {**form, "code_length": 4}).status_code == 200
    other.refresh_from_db()
    assert (other.code_length, other.code_lifetime) == (6, 120)


@pytest.mark.parametrize("what", ["nonsense", "01900000-0000-7000-8000-00000000dead", "%00", "..%2F"])
def test_what_names_no_customer_leads_to_the_list(browser: Client, what: str) -> None:
    for tab in ("change", "policy", "branding", "policy/codes"):
        answer = browser.get(f"/admin/customers/customer/{what}/{tab}/")
        assert answer.status_code in (302, 400, 404)


def test_an_unknown_form_is_not_found(browser: Client, customer: Customer) -> None:
    assert browser.get(path_of(customer, "nonsense")).status_code == 404
    assert browser.post(path_of(customer, "nonsense")).status_code in (302, 404)
    assert browser.post(page_of(customer, "policy")).status_code == 405


def test_one_field_is_an_event_with_before_and_after(browser: Client, customer: Customer) -> None:
    assert save(browser, customer, code_lifetime="1 h", code_length=8).status_code == 302
    event = Event.objects.get(action="policy_changed", customer_id=customer.id)
    assert event.actor == "operator:ops@example.com"
    assert event.details["changes"] == {
        "code_length": {"before": 6, "after": 8},
        "code_lifetime": {"before": 600, "after": 3600},
    }
    assert browser.post(f"/admin/audit/event/{event.id}/undo/").status_code == 302
    customer.refresh_from_db()
    assert (customer.code_lifetime, customer.code_length) == (600, 6)


def test_after_saving_one_form_the_page_says_so_and_stands_at_it(browser: Client, customer: Customer) -> None:
    answer = save(browser, customer, code_length=8)
    assert answer.headers["Location"] == f"{page_of(customer, 'policy')}#codes"
    assert "Saved: Codes." in browser.get(page_of(customer, "policy")).content.decode()
    assert browser.get(path_of(customer, "codes")).headers["Location"] == f"{page_of(customer, 'policy')}#codes"


def fill(customer: Customer, number: int) -> None:
    """Many rows of all that the tabs show."""
    for n in range(number):
        user = factories.user(customer, f"user{n}-{number}@example.com")
        factories.session(user)
        factories.api_key(customer)
    networks = {f"10.{n // 250}.{n % 250}.0/24": f"note {n}" for n in range(number * 10)}
    lifecycle.replace_allowlist(customer=customer, networks=networks, context=factories.context())


# Statements of one request, with those of the session and the operator.
QUERIES = {
    "change": 15,
    "policy": 4,
    "secrets": 5,
    "keys": 4,
    "allowlist": 4,
    "branding": 4,
    "users": 4,
    "audit": 5,
    "danger": 3,
}


def test_no_tab_grows_with_what_there_is(browser: Client, customer: Customer) -> None:
    found = {}
    for number in (30, 40):
        fill(customer, number)
        for tab in ADDRESSES:
            browser.get(page_of(customer, tab))
            with CaptureQueriesContext(connection) as captured:
                page = browser.get(page_of(customer, tab))
            assert page.status_code == 200
            assert len(page.content) < 100 * 1024, (tab, len(page.content))
            found.setdefault(tab, []).append(len(captured))
    assert found == {tab: [count, count] for tab, count in QUERIES.items()}
