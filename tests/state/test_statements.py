"""The query of a kind is compiled once, for every key: making its text takes longer than asking PostgreSQL."""

from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from apps.core.state import reading
from apps.core.state.kinds import Kind
from apps.core.state.statements import compiled
from apps.customers.models import Customer
from apps.tokens import state as tokens
from apps.tokens.models import Session
from tests import factories
from tests.remembering import forget_everything
from tests.state.subject import parse, subject

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_is_compiled_once_and_finds_each_by_its_own_key() -> None:
    asked: list[object] = []

    def rows(key: object) -> object:
        asked.append(key)
        return Customer.objects.filter(id=key, status="active").values("id", "name")

    kind: Kind[UUID, object] = Kind("compiled once", rows, parse, lambda key, _: subject(key))
    one, other = factories.customer(name="One"), factories.customer(name="Other")
    for customer in (one, other, one):
        forget_everything()
        found = reading.read_one(kind.at(customer.id))
        assert found is not None
        assert found.name == customer.name  # type: ignore[attr-defined]
    assert reading.read_one(kind.at(uuid4())) is None
    assert len(asked) == 1
    assert not {one.id, other.id} & set(asked)


def test_a_key_of_several_parts_keeps_them_apart() -> None:
    """C1.5: a session of one customer is none of another's, although the statement is the same."""
    mine, theirs = factories.customer(), factories.customer()
    session = Session.objects.get(id=factories.session(factories.user(mine)).session_id)
    for key, there in (((mine.id, session.id), True), ((theirs.id, session.id), False), ((session.id, mine.id), False)):
        forget_everything()
        assert (reading.read_one(tokens.BY_ID.at(key)) is not None) is there


@pytest.mark.parametrize("slug", ["'; DROP TABLE customers_customer; --", "%s", "%", "\\", "", "a" * 500, "ß\u202e"])
def test_a_text_in_a_key_is_a_parameter_and_nothing_else(slug: str) -> None:
    from apps.customers import state

    factories.customer()
    assert reading.read_one(state.BY_SLUG.at(slug)) is None
    assert Customer.objects.count() == 2


def test_a_query_that_does_not_depend_on_its_key_as_it_is_is_refused() -> None:
    """It would be compiled with the stand-in for the key, and give the same for all."""
    key = uuid4()
    with pytest.raises(ValueError, match="every part"):
        compiled(lambda _: Customer.objects.filter(created_at__lt=timezone.now()).values("id"), key)
    with pytest.raises(ValueError, match="every part"):
        compiled(lambda pair: Customer.objects.filter(id=pair[0]).values("id"), (key, key))
    with pytest.raises(ValueError, match="every part"):
        compiled(lambda name: Customer.objects.filter(slug=name[:5]).values("id"), "name")
