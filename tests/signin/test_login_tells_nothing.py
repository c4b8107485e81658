"""Issue, "Must show": known and unknown addresses get the same bytes for the same work, whatever is wrong."""

from datetime import timedelta

import pytest
from django.contrib.auth import hashers
from django.utils import timezone

from apps.customers.models import Customer
from apps.signin import passwords
from apps.signin.models import Password
from tests import factories
from tests.conftest import MakeClient
from tests.signin.entering import EMAIL, enrol_app, login, member
from tests.signin.observing import Observed, observed

pytestmark = pytest.mark.django_db(transaction=True)


def unknown(customer: Customer) -> None:
    pass


def wrong(customer: Customer) -> None:
    member(customer)


def of_one_with_an_app(customer: Customer) -> None:
    enrol_app(member(customer))


def without_password(customer: Customer) -> None:
    factories.user(customer, EMAIL)


def deactivated(customer: Customer) -> None:
    member(customer, status="deactivated")


def about_to_lock(customer: Customer) -> None:
    member(customer)
    Password.objects.update(wrong_in_a_row=4)


def locked(customer: Customer) -> None:
    member(customer)
    Password.objects.update(locked_until=timezone.now() + timedelta(minutes=10))


def imported(customer: Customer) -> None:
    user = factories.user(customer, EMAIL)
    encoded = hashers.PBKDF2PasswordHasher().encode("something", "saltsaltsalt", iterations=1000)
    passwords.put(user, encoded, by_mail=False, now=timezone.now())


def owner(customer: Customer) -> None:
    member(customer, is_owner=True)


CASES = [unknown, of_one_with_an_app, without_password, deactivated, about_to_lock, locked, imported]


def observe(client_for: MakeClient, prepare: object, *, with_key: bool = True) -> Observed:
    customer = factories.customer()
    login(client_for(customer), email="warm@example.com")
    client = client_for(customer if with_key else None)
    login(client, email="warm@example.com")  # fills what processes and Valkey remember
    prepare(customer)  # type: ignore[operator]
    login(client, email="warm@example.com")
    with observed() as seen:
        answer = login(client, "not the password")
    seen.note(answer)
    return seen


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_password_tells_nothing(client_for: MakeClient, case: object) -> None:
    assert observe(client_for, case) == observe(client_for, wrong)


@pytest.mark.parametrize("case", [unknown, wrong])
def test_without_a_key_it_tells_nothing_of_who_owns_a_customer(client_for: MakeClient, case: object) -> None:
    assert observe(client_for, case, with_key=False) == observe(client_for, owner, with_key=False)


def test_a_failed_login_costs_one_argon2_and_three_statements(client_for: MakeClient) -> None:
    seen = observe(client_for, wrong)
    # The user with its password; the count; the event.
    assert (seen.argon2_hashes, seen.statements, seen.transactions) == (1, 3, 1)
    # API key, customer, replay, tries of the network, tries for the address.
    assert seen.round_trips == 5
