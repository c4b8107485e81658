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
from tests.remembering import forget_everything
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


def imported_cheaply(customer: Customer) -> None:
    """A hash that is checked in no time."""
    hasher = hashers.Argon2PasswordHasher()
    hasher.time_cost, hasher.memory_cost, hasher.parallelism = 1, 8, 1
    user = factories.user(customer, EMAIL)
    passwords.put(user, hasher.encode("something", "saltsaltsaltsalt"), by_mail=False, now=timezone.now())


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


def test_without_a_key_it_tells_nothing_of_a_customer_that_nobody_has_used_lately(client_for: MakeClient) -> None:
    """Known and unknown addresses cost the same, even when the owner's customer is not remembered."""

    def forgotten(customer: Customer) -> None:
        owner(customer)
        forget_everything()

    assert observe(client_for, unknown, with_key=False) == observe(client_for, forgotten, with_key=False)


def test_without_a_key_the_limits_are_the_default_customers(client_for: MakeClient) -> None:
    """Else the number of tries allowed would tell whose address it is."""
    customer = factories.customer()
    member(customer, is_owner=True)
    factories.limit(customer, "tries_per_email_and_ip", 1)
    client = client_for(None)
    types = {
        email: [login(client, "wrong", email=email).error_type for _ in range(3)] for email in (EMAIL, "x@y.example")
    }
    assert types[EMAIL] == types["x@y.example"] == ["invalid_credentials"] * 3


def test_a_cheap_hash_is_checked_beside_one_of_ours(client_for: MakeClient) -> None:
    """Else the time would tell who was imported with it: one Argon2 of ours, and the cheap one."""
    cheap, ours = observe(client_for, imported_cheaply), observe(client_for, wrong)
    assert (cheap.argon2_hashes, ours.argon2_hashes) == (2, 1)
    assert (cheap.document, cheap.statements, cheap.round_trips) == (ours.document, ours.statements, ours.round_trips)


def test_a_failed_login_costs_one_argon2_and_three_statements(client_for: MakeClient) -> None:
    seen = observe(client_for, wrong)
    # The user with its password; the count; the event.
    assert (seen.argon2_hashes, seen.statements, seen.transactions) == (1, 3, 1)
    # Replay, tries of the network with those for the address.
    assert seen.round_trips == 2
