"""A change bites on the next request in *every* process: two real servers, each with a memory and connections of its own."""

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from apps.core import valkey
from apps.core.state import hold_back
from apps.customers import lifecycle as customers
from apps.tokens import emergency_rotation
from apps.users import lifecycle as users
from demo.client import Client, over_http
from tests import factories
from tests.worker import environment_of_process, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
WHO = "operator:ops"


class Server:
    """granian, serving this test's database. `environment`: what shall differ from the test's."""

    def __init__(self, **environment: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        options = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1", "--no-ws"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "granian", *options, "config.wsgi:application"],
            env=environment_of_process(**environment),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def client(self) -> Client:
        return Client(send=over_http(f"http://127.0.0.1:{self.port}"))

    def answers(self) -> bool:
        try:
            return self.client().call("GET", "/healthz").status == 200
        except OSError:
            return False

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=15)


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
