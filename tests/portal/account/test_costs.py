"""What the pages of the account cost: SQL statements, and round trips to Valkey. No session or factor more makes them dearer."""

import pytest
from django.utils import timezone

from apps.factors.models import Passkey
from apps.users.models import User
from tests import factories, roundtrips
from tests.portal.account.visiting import Visitor, visitor
from tests.signin.entering import enrol_app, member

pytestmark = pytest.mark.django_db(transaction=True)


def furnished(times: int) -> User:
    user = member(factories.customer(slug=f"acme-{times}", remember_device_days=30))
    enrol_app(user)
    for number in range(times):
        factories.session(user)
        Passkey.objects.create(
            customer=user.customer,
            user=user,
            name="Key",
            credential_id=str(number),
            public_key=b"x",
            created_at=timezone.now(),
        )
    return user


def cost_of(ada: Visitor, page: str) -> tuple[int, int]:
    ada.get(page)  # what a process remembers from then on
    with roundtrips.counted() as cost:
        assert ada.get(page).status == 200
    return len(cost.statements), cost.round_trips


@pytest.mark.parametrize(
    ("page", "statements"),
    [("", 11), ("sessions", 2), ("passkeys", 2), ("devices", 4), ("name", 1), ("email", 1), ("recovery-codes", 3)],
)
def test_a_page_costs_the_same_however_much_there_is(page: str, statements: int) -> None:
    costs = {cost_of(visitor(furnished(times)), page) for times in (1, 5)}
    assert costs == {(statements, 0)}
