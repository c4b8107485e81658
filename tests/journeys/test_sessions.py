"""Two devices of one user, two server processes, and a Valkey that comes and goes: sessions stay as they were."""

from collections.abc import Iterator
from typing import Any

import pytest

from apps.tokens.models import RefreshToken
from demo.client import Client
from tests import factories
from tests.running import Server
from tests.worker import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
CHROME_ON_A_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"


@pytest.fixture
def two(settings: Any, valkey_away: Any) -> Iterator[tuple[Client, Client]]:
    """Two servers on this test's own Valkey, which can be killed."""
    settings.REDIS_URL = valkey_away.url  # what servers started from here are told
    servers = [Server(), Server()]
    try:
        for server in servers:
            wait_until(server.answers)
        yield servers[0].client(), servers[1].client()
    finally:
        for server in servers:
            server.stop()


def test_a_logout_stands_in_every_process_whatever_becomes_of_valkey(
    two: tuple[Client, Client], valkey_away: Any
) -> None:
    """C3.4: Valkey killed in mid-run, back with its old data, and flushed; the other customer's user never notices."""
    here, there = two
    user = factories.user(factories.customer())
    kept, ended, stranger = (
        factories.session(user),
        factories.session(user),
        factories.session(factories.user(factories.customer())),
    )

    def as_it_should_be() -> None:
        for client in two:
            assert client.get("/api/auth/me", token=kept.access).status == 200
            assert client.get("/api/auth/me", token=ended.access).error_type == "token_revoked"
            assert client.get("/api/auth/me", token=stranger.access).status == 200
            assert client.refresh(ended.refresh).error_type == "session_ended"

    for client in two:
        assert client.get("/api/auth/me", token=ended.access).status == 200  # both remember that it is alive
    valkey_away.kill()
    answer = here.post("/api/auth/logout", {}, token=ended.access)
    assert answer.document == {"message": "Logged out successfully"}
    assert there.get("/api/auth/me", token=ended.access).error_type == "token_revoked"
    as_it_should_be()

    valkey_away.start()
    as_it_should_be()
    valkey_away.flush()
    as_it_should_be()


def test_two_devices_and_two_servers(two: tuple[Client, Client]) -> None:
    """C3.6 and C3.4: what one server rotates or ends, the other knows with its next request."""
    here, there = two
    user = factories.user(factories.customer(refresh_grace=60))
    laptop = factories.session(user, ip="198.51.100.4", user_agent=CHROME_ON_A_MAC)
    phone = factories.session(user)

    listed = there.get("/api/auth/sessions", token=phone.access).document["results"]
    assert {(row["device"], row["current"]) for row in listed} == {("Chrome on macOS", False), ("Unknown device", True)}

    fresh = here.refresh(laptop.refresh).document
    assert there.refresh(laptop.refresh).document == fresh  # a lost answer: the same successor, byte for byte
    assert RefreshToken.objects.filter(session_id=laptop.session_id).count() == 2

    assert here.delete(f"/api/auth/sessions/{laptop.session_id}", token=phone.access).status == 200
    for token in (laptop.access, fresh["access_token"]):
        assert there.get("/api/auth/me", token=token).error_type == "session_ended"
    assert there.refresh(fresh["refresh_token"]).error_type == "session_ended"
    assert there.get("/api/auth/me", token=phone.access).status == 200
