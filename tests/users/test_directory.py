"""Users are found and made within one customer, and simultaneous requests make only one."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.users import directory, emails
from apps.users.models import User
from tests import factories
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = emails.parse("ada@example.com")


def test_a_user_is_found_by_its_own_customer_alone() -> None:
    """C1.5: the same email under two customers is two users."""
    one, other = factories.customer(), factories.customer()
    ada = factories.user(one, "Ada@Example.com")
    assert directory.find(one.id, ADDRESS.identity) == ada
    assert directory.find(other.id, ADDRESS.identity) is None
    assert factories.user(other, "ada@example.com") != ada


def test_an_address_is_taken_in_every_spelling() -> None:
    customer = factories.customer()
    factories.user(customer, "ada@example.com")
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.user(customer, "ADA@example.com")


def test_of_many_that_make_the_same_user_at_once_one_does() -> None:
    customer = factories.customer()

    def make(_: int) -> directory.FoundUser | None:
        with transaction.atomic():
            return directory.find_or_create(customer.id, ADDRESS, may_create=True, now=timezone.now())

    found = [result for result in at_once(32, make) if result]
    assert len(found) == 32
    assert sum(result.is_new for result in found) == 1
    assert {result.user.id for result in found} == {User.objects.get().id}


def test_nobody_is_made_where_that_is_not_allowed() -> None:
    customer = factories.customer()
    with transaction.atomic():
        assert directory.find_or_create(customer.id, ADDRESS, may_create=False, now=timezone.now()) is None
    assert not User.objects.exists()


def test_a_user_made_by_proving_an_address_has_it_verified() -> None:
    now = timezone.now()
    with transaction.atomic():
        found = directory.find_or_create(factories.customer().id, ADDRESS, may_create=True, now=now)
    assert found is not None
    assert (found.user.email_verified_at, found.user.role) == (now, "company_user")


def test_wrong_codes_are_counted_for_one_customers_user_and_none_is_lost() -> None:
    one, other = factories.customer(), factories.customer()
    guessed_at, bystander = factories.user(one), factories.user(other)
    at_once(40, lambda _: directory.count_wrong_code(one.id, ADDRESS.identity))
    guessed_at.refresh_from_db()
    bystander.refresh_from_db()
    assert (guessed_at.wrong_codes, bystander.wrong_codes) == (40, 0)
