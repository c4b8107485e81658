"""Forgetting the password of a known, an unknown or a closed address: the same bytes for the same work."""

import pytest

from apps.customers.models import DEFAULT_CUSTOMER_ID, Customer
from apps.mail.models import Message, MessageState
from apps.signin.models import ResetToken
from tests import factories
from tests.conftest import MakeClient
from tests.signin.entering import EMAIL, enrol_app, generous, member
from tests.signin.observing import Observed, observed
from tests.signin.recovering import forgot, mailed_token, reset

pytestmark = pytest.mark.django_db(transaction=True)


def nobody(customer: Customer) -> None:
    pass


def known(customer: Customer) -> None:
    member(customer)


def deactivated(customer: Customer) -> None:
    member(customer, status="deactivated")


def with_an_app(customer: Customer) -> None:
    enrol_app(member(customer))


def unproven(customer: Customer) -> None:
    factories.user(customer, EMAIL, status="pending")


def observe(client_for: MakeClient, prepare: object) -> Observed:
    customer = generous()
    client = client_for(customer)
    forgot(client, "warm@example.com")
    prepare(customer)  # type: ignore[operator]
    forgot(client, "warm@example.com")
    with observed() as seen:
        answer = forgot(client)
    seen.note(answer)
    return seen


@pytest.mark.parametrize("case", [known, deactivated, with_an_app, unproven])
def test_asking_tells_nothing(client_for: MakeClient, case: object) -> None:
    """Issue, "Must show": the same bytes, Argon2 hashes, statements and round trips."""
    assert observe(client_for, case) == observe(client_for, nobody)


def test_asking_costs_four_statements_in_one_transaction(client_for: MakeClient) -> None:
    seen = observe(client_for, known)
    assert (seen.argon2_hashes, seen.statements, seen.transactions) == (0, 4, 1)


@pytest.mark.parametrize("prepare", [nobody, deactivated])
def test_nobody_is_written_to_who_may_not_reset(client_for: MakeClient, prepare: object) -> None:
    customer = factories.customer()
    prepare(customer)  # type: ignore[operator]
    forgot(client_for(customer))
    assert Message.objects.get().state == MessageState.SUPPRESSED
    assert ResetToken.objects.get().user is None


def test_the_default_customers_users_reset_theirs_too(client_for: MakeClient) -> None:
    member(Customer.objects.get(id=DEFAULT_CUSTOMER_ID))
    client = client_for(None)
    forgot(client)
    assert reset(client, mailed_token()).status == 200
