"""A look-up whose SQL is compiled once finds what the queryset finds."""

from uuid import UUID

import pytest
from django.utils import timezone

from apps.core.ids import new_id
from apps.core.lookups import RowLookup
from apps.users import directory
from apps.users.models import User
from tests import factories
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)
ADA = "ada@example.com"


def test_the_row_is_the_one_that_a_queryset_gives_in_every_column() -> None:
    customer, now = factories.customer(), timezone.now()
    made = factories.user(customer, ADA, permissions=["a.b"], name="Ä", last_sign_in_at=now, wrong_codes=3, phone="x")
    found, queried = directory.find(customer.id, ADA), User.objects.get()
    assert found == queried == made
    for column in User._meta.concrete_fields:
        ours, theirs = getattr(found, column.attname), getattr(queried, column.attname)
        assert (ours, type(ours)) == (theirs, type(theirs)), column.attname
    assert found and not found.get_deferred_fields() and not found._state.adding


def test_each_key_has_its_own_row_or_none() -> None:
    """C1.5: compiled for one customer's address, it finds another's as well, and no other row."""
    customers = factories.customer(), factories.customer()
    mine, theirs = (factories.user(customer, ADA) for customer in customers)
    assert directory.find(customers[0].id, ADA) == mine
    assert directory.find(customers[1].id, ADA) == theirs
    assert directory.find(new_id(), ADA) is None
    assert directory.find(customers[0].id, "' OR true --") is None


def test_it_is_one_statement() -> None:
    customer = factories.customer()
    with counted() as cost:
        directory.find(customer.id, ADA)
    assert len(cost.statements) == 1


def test_a_query_that_leaves_out_a_part_of_its_key_is_refused() -> None:
    careless: RowLookup[tuple[UUID, str], User] = RowLookup(lambda key: User.objects.filter(email_identity=key[1]))
    with pytest.raises(ValueError, match="every part of its key"):
        careless.first((new_id(), ADA))
