"""The allowlist on a customer's page: rows added and removed, an address tried, and nobody locked out unasked."""

from typing import Any

import pytest
from django.test import Client

from apps.audit.models import Event
from apps.core.context import RequestContext
from apps.customers import lifecycle
from apps.customers.models import AllowedNetwork, Customer
from tests import factories, races
from tests.conftest import MakeClient
from tests.operators.pages.customer_form import add_network, page_of, remove_network
from tests.operators.saving import confirm

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer() -> Customer:
    return factories.customer(name="Shop")


def acting() -> RequestContext:
    return factories.context("system")


def allow(customer: Customer, *networks: str) -> None:
    lifecycle.replace_allowlist(customer=customer, networks=dict.fromkeys(networks, ""), context=acting())


def networks_of(customer: Customer) -> list[tuple[str, str]]:
    return list(AllowedNetwork.objects.filter(customer=customer).values_list("network", "note"))


def tried(browser: Client, customer: Customer, address: str) -> Any:
    return browser.get(page_of(customer, "allowlist"), {"address": address}).context


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("10.0.0.1", "10.0.0.1/32"),
        (" 203.0.113.0/24 ", "203.0.113.0/24"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("2001:0DB8:0::/32", "2001:db8::/32"),
        ("2001:db8::7", "2001:db8::7/128"),
    ],
)
def test_a_network_is_stored_in_its_one_spelling(
    browser: Client, customer: Customer, written: str, stored: str
) -> None:
    assert add_network(browser, customer, written, "office").status_code == 302
    assert networks_of(customer) == [(stored, "office")]


def test_a_second_spelling_of_a_network_changes_its_note_and_adds_nothing(browser: Client, customer: Customer) -> None:
    """C5: no input yields a 500."""
    allow(customer, "10.0.0.0/8")
    assert add_network(browser, customer, "::ffff:10.0.0.0/104", "office").status_code == 302
    assert networks_of(customer) == [("10.0.0.0/8", "office")]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("203.0.113.7/24", "203.0.113.0/24"),
        ("2001:db8::7/32", "2001:db8::/32"),
        ("::ffff:203.0.113.7/120", "203.0.113.0/24"),
    ],
)
def test_host_bits_are_refused_and_the_network_is_offered(
    browser: Client, customer: Customer, written: str, meant: str
) -> None:
    answer = add_network(browser, customer, written, "office")
    assert answer.status_code == 200
    assert networks_of(customer) == []
    assert answer.context["add"].suggestion == meant
    assert f'name="network" value="{meant}"' in answer.content.decode()
    assert add_network(browser, customer, meant, "office").status_code == 302
    assert networks_of(customer) == [(meant, "office")]


@pytest.mark.parametrize(
    "written", ["", "nonsense", "10.0.0.0/33", "10.0.0", "\0", "1e3", "10.0.0.0/8 11.0.0.0/8", "%", "x" * 99]
)
def test_what_is_no_network_is_refused_without_a_suggestion(browser: Client, customer: Customer, written: str) -> None:
    answer = add_network(browser, customer, written)
    assert answer.status_code in (200, 400)
    assert answer.status_code == 400 or not answer.context["add"].suggestion
    assert networks_of(customer) == []


def test_a_network_counts_from_the_next_request_on(browser: Client, customer: Customer, client_for: MakeClient) -> None:
    """C1.6"""
    inside, outside = client_for(customer, ip="10.1.2.3"), client_for(customer, ip="192.0.2.7")
    assert add_network(browser, customer, "::ffff:10.0.0.0/104").status_code == 302
    assert outside.verify_otp("ada@example.com", "123456").error_type == "ip_not_allowed"
    assert inside.verify_otp("ada@example.com", "123456").error_type == "invalid_otp"
    assert remove_network(browser, customer, "10.0.0.0/8").status_code == 302
    assert outside.verify_otp("ada@example.com", "123456").error_type == "invalid_otp"


def test_each_change_is_an_event_with_the_whole_list_before_and_after(browser: Client, customer: Customer) -> None:
    allow(customer, "10.0.0.0/8", "11.0.0.0/8")
    remove_network(browser, customer, "11.0.0.0/8")
    event = Event.objects.filter(action="allowlist_changed").latest("at")
    assert event.actor == "operator:ops@example.com"
    assert event.details["changes"]["networks"] == {"before": ["10.0.0.0/8", "11.0.0.0/8"], "after": ["10.0.0.0/8"]}
    count = Event.objects.filter(action="allowlist_changed").count()
    assert remove_network(browser, customer, "11.0.0.0/8").status_code == 302, "gone already"
    assert add_network(browser, customer, "10.0.0.0/8").status_code == 302, "there already"
    assert Event.objects.filter(action="allowlist_changed").count() == count


def test_what_somebody_else_has_added_since_the_page_was_opened_stays(browser: Client, customer: Customer) -> None:
    allow(customer, "10.0.0.0/8")
    browser.get(page_of(customer, "allowlist"))
    allow(customer, "10.0.0.0/8", "11.0.0.0/8")
    assert add_network(browser, customer, "10.0.0.0/8", "office").status_code == 302
    assert networks_of(customer) == [("10.0.0.0/8", "office"), ("11.0.0.0/8", "")]


def test_an_address_is_tried_as_a_request_would_be(browser: Client, customer: Customer, client_for: MakeClient) -> None:
    assert tried(browser, customer, "203.0.113.9")["answer"]["any"]
    allow(customer, "203.0.113.0/24", "203.0.0.0/16", "2001:db8::/32")
    for address, row in (
        ("203.0.113.9", "203.0.113.0/24"),
        ("203.0.1.1", "203.0.0.0/16"),
        ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("2001:DB8::1", "2001:db8::/32"),
        ("198.51.100.1", ""),
        ("2001:db9::1", ""),
    ):
        answer = tried(browser, customer, address)["answer"]
        assert (answer["row"], answer["is_in"]) == (row, bool(row)), address
        refused = client_for(customer, ip=address).verify_otp("a@example.com", "123456").error_type == "ip_not_allowed"
        assert refused is not answer["is_in"], address
    for nothing in ("", "nonsense", "203.0.113.0/24", "\u0661"):
        assert tried(browser, customer, nothing)["answer"] is None
        assert tried(browser, customer, nothing)["asked"].errors


def test_mine_is_the_address_that_the_server_sees(browser: Client, customer: Customer) -> None:
    """And not what a header claims (C1.6)."""
    page = browser.get(page_of(customer, "allowlist"), headers={"x-forwarded-for": "198.51.100.9"})
    assert page.context["mine"] == "192.0.2.1"
    assert 'name="network" value="192.0.2.1"' in page.content.decode()
    allow(customer, "192.0.2.0/24")
    assert browser.get(page_of(customer, "allowlist")).context["mine_is_in"]


def test_who_called_lately_is_not_locked_out_unasked(
    browser: Client, customer: Customer, client_for: MakeClient
) -> None:
    for ip in ("198.51.100.7", "198.51.100.7", "203.0.113.9"):
        client_for(customer, ip=ip).verify_otp("ada@example.com", "123456")
    asked = add_network(browser, customer, "203.0.113.0/24", "office")
    assert asked.status_code == 200
    assert [(each.label, each.count) for each in asked.context["numbers"]] == [("198.51.100.7", 2)]
    assert networks_of(customer) == []
    assert add_network(browser, customer, "203.0.113.0/24", "office", confirmed="yes").status_code == 200, (
        "no yes to it"
    )
    assert networks_of(customer) == []
    assert confirm(browser, page_of(customer, "allowlist"), asked).status_code == 302
    assert networks_of(customer) == [("203.0.113.0/24", "office")]
    assert add_network(browser, customer, "10.0.0.0/8").status_code == 302, "more networks lock nobody out"
    assert remove_network(browser, customer, "203.0.113.0/24").status_code == 200, "it would shut out the rest"


def test_a_yes_is_for_the_list_that_was_read(browser: Client, customer: Customer, client_for: MakeClient) -> None:
    client_for(customer, ip="198.51.100.7").verify_otp("ada@example.com", "123456")
    asked = add_network(browser, customer, "203.0.113.0/24")
    allow(customer, "198.51.100.0/24", "192.0.2.0/24")
    remove = remove_network(browser, customer, "198.51.100.0/24")
    assert remove.status_code == 200
    stale = {"remove": "198.51.100.0/24", "confirmed": dict(asked.context["hidden"])["confirmed"]}
    assert browser.post(page_of(customer, "allowlist"), stale).status_code == 200
    assert ("198.51.100.0/24", "") in networks_of(customer)


@pytest.mark.race
def test_simultaneous_changes_leave_what_all_of_them_wanted(browser: Client, customer: Customer) -> None:
    cookies = browser.cookies

    def act(number: int) -> int:
        tab = Client(REMOTE_ADDR="192.0.2.1")
        tab.cookies = cookies
        return int(add_network(tab, customer, f"10.0.{number}.0/24").status_code)

    assert set(races.at_once(8, act, threads=4)) == {302}
    assert len(networks_of(customer)) == 8
