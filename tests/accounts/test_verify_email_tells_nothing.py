"""A wrong code for proving an address: the same bytes and work for known and unknown addresses."""

import pytest

from apps.customers.models import Customer
from tests import factories
from tests.accounts.registering import quick, register, verify
from tests.conftest import MakeClient
from tests.signin.entering import EMAIL, PASSWORD, member
from tests.signin.observing import Observed, observed

pytestmark = pytest.mark.django_db(transaction=True)


def unknown(customer: Customer) -> None:
    pass


def known(customer: Customer) -> None:
    member(customer)


def unproven(customer: Customer) -> None:
    factories.user(customer, EMAIL, status="pending")


def deactivated(customer: Customer) -> None:
    member(customer, status="deactivated")


def closed_to_codes(customer: Customer) -> None:
    member(customer, wrong_codes=100)


def observe(
    client_for: MakeClient, prepare: object, *, registers: bool = False, asks: bool = False, **fields: str
) -> Observed:
    customer = quick()
    client = client_for(customer)
    register(client, email="warm@example.com")
    prepare(customer)  # type: ignore[operator]
    if registers:
        register(client)
    if asks:
        client.request_otp(EMAIL, purpose="verify_email")
    verify(client, "000000", "warm@example.com", **fields)  # fills what processes and Valkey remember
    with observed() as seen:
        answer = verify(client, "wrong0", **fields)
    seen.note(answer)
    return seen


@pytest.mark.parametrize("fields", [{}, {"password": PASSWORD}], ids=["code alone", "and a password"])
@pytest.mark.parametrize("case", [known, unproven, deactivated, closed_to_codes])
def test_a_wrong_code_tells_nothing(client_for: MakeClient, case: object, fields: dict[str, str]) -> None:
    """Issue, "Must show": the same bytes, Argon2 hashes, statements and round trips."""
    assert observe(client_for, case, **fields) == observe(client_for, unknown, **fields)


@pytest.mark.parametrize("case", [known, unproven, deactivated, closed_to_codes])
def test_nor_when_a_code_was_asked_for(client_for: MakeClient, case: object) -> None:
    assert observe(client_for, case, asks=True) == observe(client_for, unknown, asks=True)


@pytest.mark.parametrize("case", [known, unproven])
def test_nor_when_the_address_was_registered(client_for: MakeClient, case: object) -> None:
    assert observe(client_for, case, registers=True) == observe(client_for, unknown, registers=True)


def test_it_costs_no_argon2_and_two_statements(client_for: MakeClient) -> None:
    seen = observe(client_for, known, password=PASSWORD)
    assert (seen.status, seen.argon2_hashes) == (400, 0)
    assert (seen.statements, seen.transactions) == (2, 1), "the count and the event"
