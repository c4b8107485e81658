"""The allowlist and the limits on a customer's page: changed through the flows, together, all or nothing."""

import pytest
from django.test import Client

from apps.audit.models import Event
from apps.core.context import RequestContext
from apps.customers import lifecycle, limits
from apps.customers.models import AllowedNetwork, Customer, LimitOverride
from tests import factories, races
from tests.conftest import MakeClient
from tests.operators.pages.customer_form import customer_form

pytestmark = pytest.mark.django_db(transaction=True)
CODES = limits.CODES_PER_EMAIL


@pytest.fixture
def customer() -> Customer:
    return factories.customer(name="Shop")


def acting() -> RequestContext:
    return factories.context("system")


def allow(customer: Customer, *networks: str) -> None:
    lifecycle.replace_allowlist(customer=customer, networks=dict.fromkeys(networks, ""), context=acting())


def rows(kind: str, customer: Customer, kept: list[object], *forms: dict[str, object]) -> dict[str, object]:
    """What a page posts of a list: the rows that it was opened with, each as one of the forms, and the rest as new ones."""
    posted: dict[str, object] = {f"{kind}-TOTAL_FORMS": len(forms), f"{kind}-INITIAL_FORMS": len(kept)}
    for number, form in enumerate(forms):
        present = {"id": kept[number].id} if number < len(kept) else {}  # type: ignore[attr-defined]
        facts = {"customer": customer.id, **present, **form}
        posted |= {f"{kind}-{number}-{name}": value for name, value in facts.items()}
    return posted


def save(browser: Client, customer: Customer, *lists: dict[str, object]) -> int:
    form = customer_form(name=customer.name)
    form |= {f"initial-{name}": "[]" for name in ("allowed_origins", "sms_regions")}  # as pages have it of lists
    for posted in lists:
        form |= posted
    path = f"/admin/customers/customer/{customer.id}/change/"
    return browser.post(path, form).status_code


def networks_of(customer: Customer) -> list[tuple[str, str]]:
    return list(AllowedNetwork.objects.filter(customer=customer).values_list("network", "note"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10.0.0.1", "10.0.0.1/32"),
        ("10.0.0.0/8", "::ffff:10.0.0.0/104"),
        ("2001:db8::/32", "2001:0DB8:0::/32"),
        ("10.0.0.1", "10.0.0.1"),
    ],
)
@pytest.mark.parametrize("listed", [False, True])
def test_two_spellings_of_one_network_are_refused_with_the_form_again(
    browser: Client, customer: Customer, one: str, other: str, *, listed: bool
) -> None:
    """C5: no input yields a 500."""
    if listed:
        allow(customer, one)
    kept = list(AllowedNetwork.objects.all())
    before = networks_of(customer)
    posted = rows("allowed_networks", customer, kept, {"network": one}, {"network": other})
    assert save(browser, customer, posted) == 200
    assert networks_of(customer) == before


def test_a_network_counts_from_the_next_request_on(browser: Client, customer: Customer, client_for: MakeClient) -> None:
    """C1.6"""
    inside, outside = client_for(customer, ip="10.1.2.3"), client_for(customer, ip="192.0.2.7")
    assert outside.verify_otp("ada@example.com", "123456").error_type == "invalid_otp"
    assert save(browser, customer, rows("allowed_networks", customer, [], {"network": "::ffff:10.0.0.0/104"})) == 302
    assert networks_of(customer) == [("10.0.0.0/8", "")]
    assert outside.verify_otp("ada@example.com", "123456").error_type == "ip_not_allowed"
    assert inside.verify_otp("ada@example.com", "123456").error_type == "invalid_otp"
    kept = list(AllowedNetwork.objects.all())
    gone = rows("allowed_networks", customer, kept, {"network": "10.0.0.0/8", "DELETE": "on"})
    assert save(browser, customer, gone) == 302
    assert outside.verify_otp("ada@example.com", "123456").error_type == "invalid_otp"


def test_rows_are_changed_added_and_deleted_in_one_go_and_written_down_as_one_list(
    browser: Client, customer: Customer
) -> None:
    allow(customer, "10.0.0.0/8", "11.0.0.0/8", "12.0.0.0/8")
    kept = list(AllowedNetwork.objects.order_by("network"))
    forms = (
        {"network": "10.0.0.0/8", "note": "office"},
        {"network": "11.1.0.0/16"},
        {"network": "12.0.0.0/8", "DELETE": "on"},
        {"network": "13.0.0.0/8", "note": "home"},
    )
    assert save(browser, customer, rows("allowed_networks", customer, kept, *forms)) == 302
    assert networks_of(customer) == [("10.0.0.0/8", "office"), ("11.1.0.0/16", ""), ("13.0.0.0/8", "home")]
    event = Event.objects.filter(action="allowlist_changed").latest("at")
    assert event.actor == "operator:ops@example.com"
    assert event.details == {"networks": ["10.0.0.0/8", "11.1.0.0/16", "13.0.0.0/8"]}


def test_what_somebody_else_has_added_since_the_page_was_opened_stays(browser: Client, customer: Customer) -> None:
    allow(customer, "10.0.0.0/8")
    opened_with = list(AllowedNetwork.objects.all())
    allow(customer, "10.0.0.0/8", "11.0.0.0/8")
    posted = rows("allowed_networks", customer, opened_with, {"network": "10.0.0.0/8", "note": "office"})
    assert save(browser, customer, posted) == 302
    assert networks_of(customer) == [("10.0.0.0/8", "office"), ("11.0.0.0/8", "")]


def test_a_page_saved_without_a_change_is_no_event(browser: Client, customer: Customer) -> None:
    allow(customer, "10.0.0.0/8")
    factories.limit(customer, CODES, 3)
    networks = rows(
        "allowed_networks", customer, list(AllowedNetwork.objects.all()), {"network": "10.0.0.0/8", "note": ""}
    )
    own = rows(
        "limit_overrides", customer, list(LimitOverride.objects.all()), {"name": CODES, "count": 3, "window": 900}
    )
    assert save(browser, customer, networks, own) == 302
    first = [event.details for event in Event.objects.filter(actor="operator:ops@example.com", customer_id=customer.id)]
    assert first == [{"fields": ["daily_code_quota", "monthly_code_quota"]}]  # in which the form is not the factory's
    assert save(browser, customer, networks, own) == 302
    assert Event.objects.filter(actor="operator:ops@example.com", customer_id=customer.id).count() == 1


def test_limits_are_added_changed_and_given_back(browser: Client, customer: Customer, client_for: MakeClient) -> None:
    """C6: all can be changed per customer in the admin."""
    own = rows("limit_overrides", customer, [], {"name": CODES, "count": 3, "window": 600})
    assert save(browser, customer, own) == 302
    assert list(LimitOverride.objects.values_list("name", "count", "window")) == [(CODES, 3, 600)]
    changed = rows(
        "limit_overrides", customer, list(LimitOverride.objects.all()), {"name": CODES, "count": 4, "window": 600}
    )
    assert save(browser, customer, changed) == 302
    assert factories.state_of(customer).limit(CODES).count == 4
    gone = rows(
        "limit_overrides",
        customer,
        list(LimitOverride.objects.all()),
        {"name": CODES, "count": 4, "window": 600, "DELETE": "on"},
    )
    assert save(browser, customer, gone) == 302
    assert factories.state_of(customer).limit(CODES) == limits.DEFAULTS[CODES]
    done = Event.objects.filter(customer_id=customer.id, details__limit=CODES).order_by("at", "id")
    assert [event.details for event in done] == [
        {"limit": CODES, "count": 3, "window": 600},
        {"limit": CODES, "count": 4, "window": 600},
        {"limit": CODES, "restored": True},
    ]


def test_one_limit_twice_is_refused_with_the_form_again(browser: Client, customer: Customer) -> None:
    one = {"name": CODES, "count": 3, "window": 600}
    assert save(browser, customer, rows("limit_overrides", customer, [], one, {**one, "count": 4})) == 200
    assert not LimitOverride.objects.exists()


def test_one_limit_does_not_become_another(browser: Client, customer: Customer) -> None:
    factories.limit(customer, CODES, 3)
    kept = list(LimitOverride.objects.all())
    other = next(name for name in limits.DEFAULTS if name != CODES)
    save(browser, customer, rows("limit_overrides", customer, kept, {"name": other, "count": 7, "window": 900}))
    assert list(LimitOverride.objects.values_list("name", "count")) == [(CODES, 7)]


@pytest.mark.race
def test_simultaneous_changes_of_the_lists_leave_what_one_of_them_wanted(customer: Customer) -> None:
    def act(number: int) -> str:
        return races.outcome(lambda: allow(customer, "10.0.0.0/8", f"10.0.{number}.0/24"))

    assert set(races.at_once(16, act, threads=8)) == {"done"}
    assert AllowedNetwork.objects.count() == 2
    assert set(
        races.at_once(16, lambda n: races.outcome(lambda: factories.limit(customer, CODES, n + 1)), threads=8)
    ) == {"done"}
    assert LimitOverride.objects.count() == 1
