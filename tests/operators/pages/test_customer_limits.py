"""The limits of a customer in one form: what is empty is the default, and each that changes is an event of its own."""

import pytest
from django.test import Client

from apps.audit.detail_words import WORDS
from apps.audit.models import Event
from apps.customers import limits
from apps.customers.models import Customer, LimitOverride
from tests import factories, races
from tests.operators.pages.customer_form import opened, path_of, save_limits, shown_form
from tests.operators.signing_in import operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
CODES, LOCK = limits.CODES_PER_EMAIL, limits.WRONG_CODES_IN_A_ROW


@pytest.fixture
def customer() -> Customer:
    return factories.customer(name="Shop")


def own(customer: Customer) -> list[tuple[str, int, int]]:
    return list(LimitOverride.objects.of(customer.id).order_by("name").values_list("name", "count", "window"))


def test_every_limit_has_a_title() -> None:
    assert set(limits.DEFAULTS) <= set(WORDS)


def test_limits_are_set_changed_and_given_back(browser: Client, customer: Customer) -> None:
    """C6: all can be changed per customer in the admin."""
    assert save_limits(browser, customer, **{f"{CODES}_count": 3, f"{CODES}_window": "10 min"}).status_code == 302
    assert own(customer) == [(CODES, 3, 600)]
    assert save_limits(browser, customer, **{f"{CODES}_count": 4}).status_code == 302
    assert factories.state_of(customer).limit(CODES).count == 4
    assert save_limits(browser, customer, **{f"{CODES}_count": "", f"{CODES}_window": ""}).status_code == 302
    assert factories.state_of(customer).limit(CODES) == limits.DEFAULTS[CODES]
    assert own(customer) == []
    done = Event.objects.filter(customer_id=customer.id, details__limit=CODES).order_by("at", "id")
    assert [{**event.details, "changes": sorted(event.details["changes"])} for event in done] == [
        {"limit": CODES, "count": 3, "window": 600, "changes": ["count", "window"]},
        {"limit": CODES, "count": 4, "window": 600, "changes": ["count"]},
        {"limit": CODES, "restored": True, "changes": ["count", "window"]},
    ]


def test_half_of_a_limit_leaves_the_other_half_as_it_is_by_default(browser: Client, customer: Customer) -> None:
    assert save_limits(browser, customer, **{f"{CODES}_window": "1 h"}).status_code == 302
    assert own(customer) == [(CODES, limits.DEFAULTS[CODES].count, 3600)]


def test_the_lockout_has_no_window(browser: Client, customer: Customer) -> None:
    assert save_limits(browser, customer, **{f"{LOCK}_count": 10, f"{LOCK}_window": "1 h"}).status_code == 302
    assert own(customer) == [(LOCK, 10, 0)]


@pytest.mark.parametrize(
    "wrong", [{"count": "0"}, {"count": "-1"}, {"count": "x"}, {"window": "0"}, {"window": "32 d"}]
)
def test_no_limit_is_switched_off(browser: Client, customer: Customer, wrong: dict[str, str]) -> None:
    answer = save_limits(browser, customer, **{f"{CODES}_{name}": value for name, value in wrong.items()})
    assert answer.status_code == 200
    assert shown_form(answer, "limits").errors
    assert own(customer) == []


def test_a_form_saved_as_it_is_changes_nothing(browser: Client, customer: Customer) -> None:
    factories.limit(customer, CODES, 3)
    assert save_limits(browser, customer).status_code == 302
    assert not Event.objects.filter(actor="operator:ops@example.com", customer_id=customer.id).exists()


def test_a_stale_form_is_refused_with_what_changed(browser: Client, customer: Customer) -> None:
    stale = opened(browser, customer, "limits")
    factories.limit(customer, CODES, 3)
    refused = browser.post(path_of(customer, "limits"), {**stale, f"{LOCK}_count": 10})
    assert refused.status_code == 200
    assert f"{CODES}_count" in shown_form(refused, "limits").errors
    assert own(customer) == [(CODES, 3, limits.DEFAULTS[CODES].window)]


def test_who_may_only_look_sets_none(customer: Customer) -> None:
    operator("viewer@example.com", is_superuser=False)
    viewer = sign_in("viewer@example.com")
    assert viewer.post(path_of(customer, "limits"), {f"{CODES}_count": 9}).status_code == 403
    assert own(customer) == []


@pytest.mark.race
def test_simultaneous_changes_of_a_limit_leave_one(customer: Customer) -> None:
    def act(number: int) -> str:
        return races.outcome(lambda: factories.limit(customer, CODES, number + 1))

    assert set(races.at_once(16, act, threads=8)) == {"done"}
    assert LimitOverride.objects.count() == 1
