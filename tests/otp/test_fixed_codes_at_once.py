"""Two operators change the fixed codes of a customer at once: none is lost, and the customer knows whether it lists any."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.customers.models import Customer
from apps.otp import fixed_codes
from apps.otp.models import FixedCode
from tests import factories, meanwhile, races

pytestmark = pytest.mark.django_db(transaction=True)


def add(customer: Customer, email: str, code: str = "1234") -> FixedCode:
    return fixed_codes.add(
        customer=customer,
        email=email,
        code=code,
        valid_until=timezone.now() + timedelta(days=1),
        context=factories.context("system"),
    )


def remove(row: FixedCode) -> None:
    fixed_codes.remove(row, context=factories.context("system"))


def knows_of_codes(customer: Customer) -> bool:
    return Customer.objects.values_list("has_fixed_codes", flat=True).get(id=customer.id)


def test_one_is_added_while_the_last_one_is_removed() -> None:
    """C1.7: what is listed counts. Without a lock the removal would look before the other change and write after it."""
    customer = factories.customer()
    last = add(customer, "ada@example.com")
    with meanwhile.uncommitted(lambda: add(customer, "bob@example.com")):
        remove(last)
    assert FixedCode.objects.filter(customer=customer).count() == 1
    assert knows_of_codes(customer)


def test_the_last_one_is_removed_while_one_is_added() -> None:
    customer = factories.customer()
    last = add(customer, "ada@example.com")
    with meanwhile.uncommitted(lambda: remove(last)):
        add(customer, "bob@example.com")
    assert knows_of_codes(customer)


@pytest.mark.race
def test_the_same_address_added_many_times_at_once_is_listed_once() -> None:
    customer, other = factories.customer(), factories.customer()
    add(other, "ada@example.com")
    outcomes = races.at_once(8, lambda number: races.outcome(lambda: add(customer, "ada@example.com", f"code{number}")))
    assert set(outcomes) == {"done"}
    assert FixedCode.objects.filter(customer=customer).count() == 1
    assert FixedCode.objects.filter(customer=other).count() == 1
