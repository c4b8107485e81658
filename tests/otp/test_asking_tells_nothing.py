"""Asking for a code of any purpose: no Argon2, and the same bytes and work for known and unknown addresses."""

import pytest

from apps.customers.models import Customer
from apps.otp.purposes import MAILS
from tests import factories
from tests.conftest import MakeClient
from tests.signin.entering import EMAIL, enrol_app, member
from tests.signin.observing import Observed, observed

pytestmark = pytest.mark.django_db(transaction=True)


def unknown(customer: Customer) -> None:
    pass


def known(customer: Customer) -> None:
    member(customer)


def unproven(customer: Customer) -> None:
    factories.user(customer, EMAIL, status="pending")


def with_an_app(customer: Customer) -> None:
    enrol_app(member(customer))


def administrator(customer: Customer) -> None:
    member(customer, role="admin")


def deactivated(customer: Customer) -> None:
    member(customer, status="deactivated")


def closed_to_codes(customer: Customer) -> None:
    member(customer, wrong_codes=100)


def observe(client_for: MakeClient, prepare: object, purpose: str) -> Observed:
    customer = factories.customer()
    client = client_for(customer)
    client.request_otp("warm@example.com", purpose=purpose)  # fills what processes and Valkey remember
    prepare(customer)  # type: ignore[operator]
    client.request_otp("warm2@example.com", purpose=purpose)
    with observed() as seen:
        answer = client.request_otp(EMAIL, purpose=purpose)
    seen.note(answer)
    return seen


@pytest.mark.parametrize("purpose", sorted(MAILS))
@pytest.mark.parametrize("case", [known, unproven, with_an_app, administrator, deactivated, closed_to_codes])
def test_asking_for_a_code_tells_nothing(client_for: MakeClient, case: object, purpose: str) -> None:
    """Issue, "Must show": the same bytes, Argon2 hashes, statements and round trips."""
    assert observe(client_for, case, purpose) == observe(client_for, unknown, purpose)


@pytest.mark.parametrize("purpose", sorted(MAILS))
@pytest.mark.parametrize("case", [unknown, known])
def test_it_costs_no_argon2(client_for: MakeClient, case: object, purpose: str) -> None:
    """Anybody may ask for any address: expensive work would be a way to overload the service."""
    seen = observe(client_for, case, purpose)
    assert (seen.status, seen.argon2_hashes, seen.statements, seen.transactions) == (200, 0, 2, 0)
