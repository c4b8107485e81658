"""Registering a known, an unknown or a closed address: the same bytes for the same work."""

import pytest

from apps.accounts.models import Registration
from apps.customers.models import Customer
from apps.users.models import User
from tests import factories
from tests.accounts.registering import quick, register
from tests.conftest import MakeClient
from tests.races import at_once
from tests.signin.entering import EMAIL, enrol_app, member
from tests.signin.observing import Observed, observed

pytestmark = pytest.mark.django_db(transaction=True)


def nobody(customer: Customer) -> None:
    pass


def proven(customer: Customer) -> None:
    member(customer)


def unproven(customer: Customer) -> None:
    factories.user(customer, EMAIL, status="pending")


def with_an_app(customer: Customer) -> None:
    enrol_app(member(customer))


def deactivated(customer: Customer) -> None:
    member(customer, status="deactivated")


def closed_to_codes(customer: Customer) -> None:
    factories.user(customer, EMAIL, status="pending", wrong_codes=100)


def observe(client_for: MakeClient, prepare: object, **policy: object) -> Observed:
    customer = quick(**policy)
    client = client_for(customer)
    register(client, email="warm@example.com")
    prepare(customer)  # type: ignore[operator]
    register(client, email="warm2@example.com")
    with observed() as seen:
        answer = register(client)
    seen.note(answer)
    return seen


@pytest.mark.parametrize("case", [proven, unproven, with_an_app, deactivated, closed_to_codes])
@pytest.mark.parametrize("demands", [True, False])
def test_the_answer_and_the_work_tell_nothing(client_for: MakeClient, case: object, demands: bool) -> None:
    """Issue, "Must show": the same bytes, Argon2 hashes, statements and round trips."""
    policy = {"demands_verified_email": demands}
    assert observe(client_for, case, **policy) == observe(client_for, nobody, **policy)


def test_it_costs_one_argon2_and_five_statements(client_for: MakeClient) -> None:
    seen = observe(client_for, nobody)
    # The user, made if new, and read; the registration; the event; the mail.
    assert (seen.argon2_hashes, seen.statements, seen.transactions) == (1, 5, 1)


def test_many_at_once_make_one_user(client_for: MakeClient) -> None:
    customer = quick()
    for name in ("codes_per_email", "codes_per_ip", "codes_per_customer"):
        factories.limit(customer, name, 1_000_000)
    client = client_for(customer)
    assert set(at_once(20, lambda _: register(client).status)) == {202}
    assert User.objects.count() == 1
    assert Registration.objects.count() == 20
