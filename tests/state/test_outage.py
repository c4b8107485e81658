"""PostgreSQL is away: 503, or for a while what was known; normal again within five seconds of its return."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection

from apps.core.state import hold_back
from apps.core.state.lease import duration
from apps.tokens import sessions
from apps.tokens.minting import TokenPair
from apps.tokens.models import EndReason
from demo.client import Answer, Client, over_http
from tests import factories
from tests.running import Server
from tests.state.proxy import Proxy
from tests.state.subject import fresh, name_of, write
from tests.timing import takes_at_most
from tests.worker import environment_of_process, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

WELL_AGAIN_WITHIN_SECONDS = 5
ME, INTROSPECT = "/api/auth/me", "/api/auth/introspect"
Outcome = tuple[int, str | None]
AWAY: Outcome = (503, "temporarily_unavailable")


@contextmanager
def serving(proxy: Proxy, **environment: str) -> Iterator[Server]:
    """A web process that both asks PostgreSQL and listens to it by the proxy."""
    url = proxy.url(environment_of_process()["DATABASE_URL"])
    server = Server(DATABASE_URL=url, **environment)
    try:
        wait_until(server.answers)
        yield server
    finally:
        server.stop()


def let_the_lease_run_out() -> None:
    time.sleep(duration())


def outcome(answer: Answer) -> Outcome:
    return answer.status, answer.error_type


def introspected(server: Server, token: str, *, key: str) -> Outcome | bool:
    """Whether the token counts, or why it is not said."""
    client = Client(send=over_http(f"http://127.0.0.1:{server.port}"), api_key=key)
    answer = client.call("POST", INTROSPECT, f'{{"token": "{token}"}}'.encode())
    return bool(answer.document["active"]) if answer.status == 200 else outcome(answer)


def behind_a_proxy(server: Server, token: str) -> Answer:
    """As a proxy asks about the token."""
    return server.client().call("GET", "/verify?customer=*", headers={"Authorization": f"Bearer {token}"})


def test_nobody_is_let_in_while_it_is_away_and_all_are_soon_after_its_return(proxy: Proxy) -> None:
    """C3.4: no access by a token or by an API key, nor to an app behind a proxy."""
    customer = factories.customer()
    token = factories.session(factories.user(customer)).access
    key = factories.api_key(customer, scopes=["tokens:introspect"])[1]
    with serving(proxy) as server:

        def answers() -> tuple[object, object, object]:
            mine = outcome(server.client().get(ME, token=token))
            return mine, introspected(server, token, key=key), outcome(behind_a_proxy(server, token))

        well = ((200, None), True, (204, None))
        assert answers() == well

        def go_away() -> None:
            proxy.go_away()
            let_the_lease_run_out()
            assert [answers() for _ in range(3)] == [(AWAY, AWAY, AWAY)] * 3
            proxy.come_back()

        assert takes_at_most(WELL_AGAIN_WITHIN_SECONDS, lambda: wait_until(lambda: answers() == well), first=go_away)


def test_with_a_grace_what_was_known_goes_on_counting_and_nothing_else_does(proxy: Proxy) -> None:
    """What had ended before stays ended, and what was never known is not guessed."""
    customer = factories.customer()
    user = factories.user(customer)
    known, unknown, ended = (factories.session(user) for _ in range(3))
    key = factories.api_key(customer, scopes=["tokens:introspect"])[1]
    with serving(proxy, STATE_GRACE_SECONDS="600") as server:

        def count(*pairs: TokenPair) -> list[object]:
            return [introspected(server, pair.access, key=key) for pair in pairs]

        assert count(known, ended) == [True, True]
        whose = {"customer_id": customer.id, "user_id": user.id, "session_id": ended.session_id}
        sessions.end_one(**whose, reason=EndReason.REVOKED, context=factories.context())
        hold_back.wait()
        assert count(known, ended) == [True, False]
        proxy.go_away()
        let_the_lease_run_out()
        for _ in range(3):
            assert count(known, unknown, ended) == [True, AWAY, False]


# --- Not for longer, and not beside PostgreSQL ----------------------------------------------------------------------


@pytest.fixture
def asking_by_it(proxy: Proxy) -> Iterator[Proxy]:
    """This process's queries go by the proxy too."""
    usual = connection.settings_dict
    connection.close()
    connection.settings_dict = {**usual, "HOST": proxy.host}
    yield proxy
    connection.close()
    connection.settings_dict = usual


def take_away(proxy: Proxy) -> None:
    proxy.go_away()
    connection.close()
    let_the_lease_run_out()


def test_the_grace_ends(asking_by_it: Proxy, settings: Any) -> None:
    settings.STATE_GRACE_SECONDS = 600
    customer = fresh()
    assert name_of(customer) == "old"
    take_away(asking_by_it)
    assert name_of(customer) == "old"
    settings.STATE_GRACE_SECONDS = 1
    time.sleep(1)
    with pytest.raises(OperationalError):
        name_of(customer)


def test_once_it_is_back_nothing_counts_that_was_known_before(asking_by_it: Proxy, settings: Any) -> None:
    settings.STATE_GRACE_SECONDS = 600
    customer = fresh()
    assert name_of(customer) == "old"
    take_away(asking_by_it)
    assert name_of(customer) == "old"
    asking_by_it.come_back()
    write(customer, "new, which nobody announces")
    assert name_of(customer) == "new, which nobody announces"
