"""Adding a customer asks for a name, and one page leads from there to the first sign-in. It is found again at any time."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from apps.api_keys.models import ApiKey
from apps.audit.models import Event
from apps.customers.models import AllowedNetwork, Customer
from tests import factories, races
from tests.accounts.test_customer_deletion import delete
from tests.conftest import MakeClient
from tests.operators.limiting import give
from tests.operators.pages.customer_form import add_network
from tests.operators.saving import confirm
from tests.operators.signing_in import operator, signed_in
from tests.operators.test_shown_once import KEY
from tests.otp.reading import newest_code
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)
ADD = "/admin/customers/customer/add/"


def started(customer: Customer) -> str:
    return f"/admin/customers/customer/{customer.id}/getting-started/"


def steps(browser: Client, customer: Customer) -> dict[str, bool]:
    """Which steps are done."""
    context = browser.get(started(customer)).context
    return {step.name: bool(step.done) for step in (*context["steps_to_take"], *context["steps_seen"])}


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Acme", "acme"),
        ("Müller & Söhne GmbH", "muller-sohne-gmbh"),
        ("Taken", "taken-2"),
        ("Gone", "gone-2"),
        ("_under_ score-", "under-score"),
        ("x" * 200, "x" * 59),
    ],
)
def test_a_name_is_enough(browser: Client, name: str, slug: str) -> None:
    factories.customer(slug="taken")
    delete(factories.customer(slug="gone"))
    answer = browser.post(ADD, {"name": name, "slug": ""})
    customer = Customer.objects.get(name=name)
    assert customer.slug == slug
    assert answer.headers["Location"] == started(customer)
    assert customer.signing_secrets.count() == 1
    assert Event.objects.of(customer.id).get().action == "customer_created"


def test_the_short_name_can_be_chosen_and_a_wrong_one_is_said_at_its_field(browser: Client) -> None:
    factories.customer(slug="taken")
    delete(factories.customer(slug="gone"))
    for wrong in ("taken", "Gone!", "-x", "gone"):
        assert "slug" in browser.post(ADD, {"name": "Acme", "slug": wrong}).context["adminform"].form.errors
        assert not Customer.objects.filter(name="Acme").exists(), wrong
    assert "slug" in browser.post(ADD, {"name": "漢字", "slug": ""}).context["adminform"].form.errors
    browser.post(ADD, {"name": "漢字", "slug": "kanji"})
    assert Customer.objects.get(slug="kanji").name == "漢字"


def test_the_form_asks_for_nothing_else(browser: Client) -> None:
    form = browser.get(ADD).context["adminform"].form
    assert set(form.fields) == {"name", "slug"}


def test_from_the_name_to_the_first_sign_in(browser: Client, client_for: MakeClient) -> None:
    browser.post(ADD, {"name": "Acme", "slug": ""})
    acme = Customer.objects.get(slug="acme")
    undone = dict.fromkeys(("key", "network", "brand", "asked", "signed_in"), False)
    assert steps(browser, acme) == {"customer": True, **undone}

    shown = browser.post(started(acme), {"step": "key"})
    page = browser.get(shown.headers["Location"]).content.decode()
    assert KEY.search(page)
    assert "curl" in page
    assert started(acme) in page, "and on from there"
    assert steps(browser, acme)["key"]

    browser.post(started(acme), {"step": "network", "network": "192.0.2.7"})
    assert steps(browser, acme)["network"]
    assert AllowedNetwork.objects.of(acme.id).get().network == "192.0.2.7/32"

    watching = browser.get(started(acme))
    assert "data-under-way" in watching.content.decode()
    client = client_for(acme)
    client.request_otp("ada@example.com")
    assert steps(browser, acme) == {**undone, "customer": True, "key": True, "network": True, "asked": True}
    client.verify_otp("ada@example.com", newest_code())
    assert steps(browser, acme)["signed_in"]
    ended = browser.get(started(acme)).content.decode()
    assert "it works" in ended
    assert "data-under-way" not in ended


def test_it_is_found_again_from_the_customers_page(browser: Client) -> None:
    customer = factories.customer()
    assert started(customer) in browser.get(f"/admin/customers/customer/{customer.id}/change/").content.decode()


def test_pressing_twice_makes_one_key(browser: Client) -> None:
    customer = factories.customer()
    browser.post(started(customer), {"step": "key"})
    again = browser.post(started(customer), {"step": "key"})
    assert again.headers["Location"] == started(customer)
    assert ApiKey.objects.of(customer.id).count() == 1


def test_a_network_is_added_to_those_that_are_there_and_a_wrong_one_is_refused(browser: Client) -> None:
    customer = factories.customer()
    for network in ("203.0.113.0/24", "203.0.113.7/24", "", "nonsense", "2001:db8::/32", "203.0.113.0/24"):
        browser.post(started(customer), {"step": "network", "network": network})
    found = AllowedNetwork.objects.of(customer.id).order_by("network").values_list("network", flat=True)
    assert list(found) == ["2001:db8::/32", "203.0.113.0/24"]


def test_each_step_takes_the_permission_that_its_own_page_takes() -> None:
    customer = factories.customer()
    viewer = operator("viewer@example.com", is_superuser=False)
    give(viewer, Permission.objects.filter(codename="view_customer"))
    browser = signed_in(viewer)
    page = browser.get(started(customer))
    assert page.status_code == 200
    assert not re.search(r'name="step"', page.content.decode())
    assert browser.post(started(customer), {"step": "key"}).status_code == 403
    assert browser.post(started(customer), {"step": "network", "network": "192.0.2.1"}).status_code == 403
    assert not ApiKey.objects.exists()
    assert not AllowedNetwork.objects.exists()


def test_the_page_costs_a_fixed_number_of_queries(browser: Client) -> None:
    few, many = factories.customer(), factories.customer()
    for number in range(20):
        factories.session(factories.user(many, f"user{number}@example.com"))
        factories.api_key(many)
    costs = []
    for customer in (few, many):
        browser.get(started(customer))
        with counted() as cost:
            browser.get(started(customer))
        costs.append(len(cost.statements))
    assert costs[0] == costs[1]


def test_a_first_network_locks_nobody_out_unasked(browser: Client, client_for: MakeClient) -> None:
    """As on the allowlist's own tab: the two are one form, and one question."""
    customer = factories.customer()
    client_for(customer, ip="198.51.100.7").verify_otp("ada@example.com", "123456")
    form = {"step": "network", "network": "203.0.113.0/24", "note": "office"}
    asked = browser.post(started(customer), form)
    assert [each.label for each in asked.context["numbers"]] == ["198.51.100.7"]
    assert browser.post(started(customer), {**form, "confirmed": "yes"}).status_code == 200, "no yes to it"
    assert not AllowedNetwork.objects.exists()
    answered = confirm(browser, started(customer), asked)
    assert answered.headers["Location"] == started(customer)
    assert AllowedNetwork.objects.get().network == "203.0.113.0/24"
    assert AllowedNetwork.objects.get().note == "office"


def test_a_network_with_host_bits_is_refused_beside_what_was_typed(browser: Client) -> None:
    page = browser.post(started(factories.customer()), {"step": "network", "network": "203.0.113.7/24", "note": "x"})
    assert page.status_code == 200
    assert page.context["network_form"].errors["network"]
    assert 'value="203.0.113.7/24"' in page.content.decode()


@pytest.mark.race
def test_first_steps_and_the_allowlist_at_once_leave_what_both_wanted(browser: Client) -> None:
    customer, cookies = factories.customer(), browser.cookies

    def act(number: int) -> int:
        tab = Client(REMOTE_ADDR="192.0.2.1")
        tab.cookies = cookies
        network = f"10.0.{number}.0/24"
        if number % 2:
            return int(add_network(tab, customer, network).status_code)
        return int(tab.post(started(customer), {"step": "network", "network": network}).status_code)

    assert set(races.at_once(8, act, threads=4)) == {302}
    assert AllowedNetwork.objects.of(customer.id).count() == 8
