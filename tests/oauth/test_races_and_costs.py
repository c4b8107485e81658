"""A code is used once however many come at once, and what each call costs."""

import pytest
from django.utils import timezone

from apps.accounts import erasure
from apps.customers.models import Customer
from apps.oauth import clients
from apps.oauth.errors import UnusableRequest
from apps.oauth.models import AuthorizationCode, RegisteredClient
from apps.tokens.models import Session
from apps.users.models import User
from tests import factories, races
from tests.meanwhile import uncommitted
from tests.oauth.exchanging import code_for, exchange, hosted, refresh, signed_in, userinfo
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.race
def test_of_many_at_once_one_gets_tokens_and_the_others_end_them(
    customer: Customer, ada: User, client: RegisteredClient
) -> None:
    """C4 (hosted sign-in): the second use ends what the first gave, even if both come at the same moment."""
    codes = [code_for(client, ada) for _ in range(3)]
    answers = races.at_once(12, lambda number: exchange(client, codes[number % 3]).status)
    assert sorted(answers) == [*3 * [200], *9 * [400]]
    assert AuthorizationCode.objects.filter(used_at__isnull=False).count() == 3
    given = Session.objects.filter(oauth_client_id=client.client_id)
    assert given.count() == 3
    assert not given.alive(timezone.now()).exists()


@pytest.mark.race
def test_erasing_the_user_meanwhile_deadlocks_with_nothing(customer: Customer, client: RegisteredClient) -> None:
    users = [factories.user(customer, f"user{number}@example.com") for number in range(8)]
    codes = [code_for(client, user) for user in users]

    def act(number: int) -> int:
        if number % 2:
            return exchange(client, codes[number // 2]).status
        erasure.erase(customer_id=customer.id, user_id=users[number // 2].id, context=factories.context())
        return 0

    assert set(races.at_once(16, act)) <= {0, 200, 400}
    assert not AuthorizationCode.objects.exists()


def test_no_session_begins_a_moment_after_its_client_was_disabled(ada: User, client: RegisteredClient) -> None:
    """C3.4: disabling ends all sessions, so none may begin that it has not seen."""
    code = code_for(client, ada)
    with uncommitted(lambda: clients.disable(client, context=factories.context())):
        assert exchange(client, code).error_type == "invalid_client"
    assert not Session.objects.filter(oauth_client_id=client.client_id).alive(timezone.now()).exists()


def test_nothing_is_granted_to_a_client_that_is_being_deleted(
    customer: Customer, ada: User, client: RegisteredClient
) -> None:
    where = hosted(ada)
    with uncommitted(lambda: clients.delete(client, context=factories.context())), pytest.raises(UnusableRequest):
        code_for(client, ada, session=where)


def test_what_each_call_costs(ada: User, client: RegisteredClient) -> None:
    """Statements, and round trips to Valkey. A change here should be meant."""
    warm = refresh(client, signed_in(client, ada)["refresh_token"]).document
    assert userinfo(warm["access_token"]).status == 200  # the process knows the session from now on
    code = code_for(client, ada, session=hosted(ada))
    with counted() as of_code:
        assert exchange(client, code).status == 200
    with counted() as of_refresh:
        fresh = refresh(client, warm["refresh_token"])
    with counted() as of_userinfo:
        assert userinfo(fresh.document["access_token"]).status == 200
    costs = [(len(cost.statements), cost.round_trips) for cost in (of_code, of_refresh, of_userinfo)]
    assert costs == [(10, 0), (3, 0), (1, 0)]
