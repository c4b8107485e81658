"""A change bites on the next request in *every* process: two real servers, each with a memory and connections of its own."""

from collections.abc import Iterator

import pytest

from apps.core import valkey
from apps.core.state import hold_back
from apps.customers import lifecycle as customers
from apps.tokens import emergency_rotation
from apps.users import lifecycle as users
from demo.client import Client
from tests import factories
from tests.running import Server
from tests.worker import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
WHO = "operator:ops"


@pytest.fixture
def two() -> Iterator[tuple[Client, Client]]:
    servers = [Server(), Server()]
    try:
        for server in servers:
            wait_until(server.answers)
        yield servers[0].client(), servers[1].client()
    finally:
        for server in servers:
            server.stop()


def test_every_change_bites_in_every_process(two: tuple[Client, Client]) -> None:
    """C3.4: on the first request after the call that made it has answered, in every process."""
    here, there = two
    customer = factories.customer()
    user = factories.user(customer)

    def signed_in() -> str:
        token = factories.session(user).access
        for client in two:
            assert client.get("/api/auth/me", token=token).status == 200  # both remember now
        return token

    def type_there(token: str) -> str | None:
        return there.get("/api/auth/me", token=token).error_type

    token = signed_in()
    assert here.post("/api/auth/logout", {}, token=token).status == 200
    assert type_there(token) == "token_revoked"

    token, other = signed_in(), signed_in()
    assert here.delete("/api/auth/sessions", token=token).document["ended"] == 1
    assert type_there(other) == "session_ended"

    users.change(user, changes={"role": "admin"}, context=factories.context(WHO))
    hold_back.wait()  # as the middleware does before it answers
    assert [client.get("/api/auth/me", token=token).document["role"] for client in two] == ["admin", "admin"]

    customers.suspend(customer, context=factories.context(WHO))
    hold_back.wait()
    assert type_there(token) == "customer_suspended"
    customers.reactivate(customer, context=factories.context(WHO))
    hold_back.wait()
    assert type_there(token) is None

    valkey.client().flushdb()
    assert type_there(token) is None
    assert type_there(other) == "session_ended"

    emergency_rotation.rotate_in_emergency(customer, context=factories.context(WHO))
    hold_back.wait()
    assert type_there(token) == "invalid_token"
    fresh = signed_in()
    users.deactivate(user, context=factories.context(WHO))
    hold_back.wait()
    assert type_there(fresh) == "user_inactive"


def test_answers_are_bound_to_the_path_without_its_query(two: tuple[Client, Client]) -> None:
    """C2.2.2: over a real server."""
    client, _ = two
    token = factories.session(factories.user(factories.customer())).access
    for path in ("/api/auth/me?", "/api/auth/me?a=%2Fb&c=d", "/api/auth/sessions?limit=1"):
        answer = client.get(path, token=token)
        assert (answer.status, answer.encrypted) == (200, True)
