"""Forgetting the password of a known, an unknown or a closed address: the same bytes for the same work."""

import pytest

from apps.accounts.models import ResetToken
from apps.customers.models import DEFAULT_CUSTOMER_ID, Customer
from apps.mail.models import Message, MessageState
from tests import factories
from tests.accounts.recovering import forgot, mailed_token, reset
from tests.conftest import MakeClient
from tests.remembering import forget_everything
from tests.signin.entering import EMAIL, enrol_app, generous, member
from tests.signin.observing import Observed, observed

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


def owner(customer: Customer) -> None:
    member(customer, is_owner=True, role="admin")


def owner_of_a_customer_that_nobody_has_used_lately(customer: Customer) -> None:
    owner(customer)
    forget_everything()


def user_of_the_default_customer(_customer: Customer) -> None:
    member(Customer.objects.get(id=DEFAULT_CUSTOMER_ID))


def user_of_another_customer(customer: Customer) -> None:
    member(customer)


def observe_without_a_key(client_for: MakeClient, prepare: object, **policy: object) -> Observed:
    customer = generous(**policy)
    client = client_for(None)
    forgot(client_for(customer), "warm@example.com")
    prepare(customer)  # type: ignore[operator]
    forgot(client, "warm@example.com")
    with observed() as seen:
        answer = forgot(client)
    seen.note(answer)
    return seen


OTHERS = [
    owner_of_a_customer_that_nobody_has_used_lately,
    user_of_the_default_customer,
    user_of_another_customer,
    nobody,
]


@pytest.mark.parametrize("case", OTHERS)
def test_without_a_key_it_tells_nothing_of_who_owns_a_customer(client_for: MakeClient, case: object) -> None:
    """C5: the same bytes, Argon2 hashes, statements and round trips. The owner's customer costs the most to find."""
    other = observe_without_a_key(client_for, case)  # first: the owner stays
    assert other == observe_without_a_key(client_for, owner)


def test_without_a_key_the_owners_spent_quota_tells_nothing_and_keeps_no_link_back(client_for: MakeClient) -> None:
    """A request without a key is one to the default customer: its quota is used."""
    unknown = observe_without_a_key(client_for, nobody)
    spent = observe_without_a_key(client_for, owner, daily_code_quota=0)
    assert (spent.status, spent) == (200, unknown)
    assert Message.objects.filter(kind="password_reset", recipient=EMAIL, state=MessageState.QUEUED).count() == 1


@pytest.mark.parametrize("case", [owner, user_of_the_default_customer, nobody])
def test_without_a_key_the_default_customers_quota_is_used_up_whoever_is_meant(
    client_for: MakeClient, case: object
) -> None:
    factories.policy(Customer.objects.get(id=DEFAULT_CUSTOMER_ID), daily_code_quota=0)
    case(generous())  # type: ignore[operator]
    assert forgot(client_for(None)).error_type == "quota_exceeded"


def test_asking_costs_three_statements_in_one_transaction(client_for: MakeClient) -> None:
    # The user locked; the link; its mail, counted, with the event.
    seen = observe(client_for, known)
    assert (seen.argon2_hashes, seen.statements, seen.transactions) == (0, 3, 1)


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
