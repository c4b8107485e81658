"""What the steps of the hosted sign-in cost: SQL statements, and round trips to Valkey."""

import pytest

from tests import factories, roundtrips
from tests.portal.visiting import FROM_OUR_PAGE, Visitor, asked_by
from tests.signin.entering import EMAIL, PASSWORD, enrol_app, generous, member

pytestmark = pytest.mark.django_db(transaction=True)


def cost_of(visitor: Visitor, place: str, **query: str) -> tuple[int, int]:
    visitor.open(place, **query)  # what a process remembers from then on
    with roundtrips.counted() as cost:
        visitor.browser.get(place, query)
    return len(cost.statements), cost.round_trips


def test_a_page_that_somebody_sees_first_costs_next_to_nothing() -> None:
    """Of the customer a process remembers everything; a passkey's challenge is kept in Valkey."""
    customer = generous()
    home, visitor = f"/sign-in/{customer.slug}", Visitor(customer)
    assert cost_of(visitor, home) == (0, 1)
    assert cost_of(visitor, f"{home}/password") == (0, 0)
    assert cost_of(visitor, f"{home}/register") == (0, 0)
    client, _secret = factories.oauth_client(customer)
    assert cost_of(visitor, home, **asked_by(client)) == (1, 1)


def test_who_goes_straight_through_costs_a_grant() -> None:
    customer = generous()
    client, _secret = factories.oauth_client(customer)
    visitor = Visitor(customer).enter_code(EMAIL)
    assert cost_of(visitor, f"/sign-in/{customer.slug}", **asked_by(client)) == (6, 0)


def test_a_remembered_device_costs_a_few_statements_and_no_round_trip() -> None:
    customer = generous(remember_device_days=30)
    app = enrol_app(member(customer))
    visitor = Visitor(customer).open().press("Use my password", email=EMAIL).press("Sign in", password=PASSWORD)
    visitor.press("Sign in", code=app.now(), remember="1")
    place = f"/sign-in/{customer.slug}/password"
    with roundtrips.counted() as cost:
        visitor.browser.post(place, {"email": EMAIL, "password": PASSWORD}, headers=FROM_OUR_PAGE)
    asked = [text for text in cost.statements if "remembereddevice" in text.lower()]
    assert len(asked) == 2  # looked up, and noted as used
