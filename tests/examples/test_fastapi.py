"""docs/examples/fastapi: an API that takes Gatehouse's access tokens, offline and by introspection."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from django.utils import timezone

from tests import factories
from tests.examples.serving import PATIENCE, Demo, Example

COMMAND = [sys.executable, "-m", "uvicorn", "main:app", "--port", "{port}"]


@dataclass(frozen=True)
class Api:
    """Calls the example; `reads` and `deletes` give the status."""

    client: httpx.Client

    def ask(self, method: str, path: str, token: str) -> httpx.Response:
        return self.client.request(method, path, headers={"Authorization": f"Bearer {token}"} if token else {})

    def reads(self, token: str) -> int:
        return self.ask("GET", "/notes", token).status_code

    def deletes(self, token: str) -> int:
        return self.ask("DELETE", "/notes/1", token).status_code


def test_fastapi(demo: Demo, run_example: Callable[..., Example]) -> None:
    ada, asked_before = demo.sign_in("ada@example.com"), times_asked_for_keys(demo)
    with httpx.Client(base_url=run_example("fastapi", COMMAND).url, timeout=PATIENCE) as client:
        api = Api(client)
        listed = api.ask("GET", "/notes", ada["access_token"])
        assert (listed.status_code, listed.json()["for"]) == (200, "ada@example.com")
        assert api.deletes(ada["access_token"]) == 204
        _refuses_what_is_no_access_token_of_this_customer(api, ada)
        _asks_how_the_user_is_now_where_it_matters(demo, api)
        _lets_nobody_do_what_is_not_permitted(demo, api)
        _bears_with_a_clock_that_is_a_little_wrong(demo, api)
    assert times_asked_for_keys(demo) - asked_before <= 3, "they are remembered"


def times_asked_for_keys(demo: Demo) -> int:
    """By all examples that use this service."""
    return demo.server.told().count("/customers/demo/.well-known/jwks.json")


def _refuses_what_is_no_access_token_of_this_customer(api: Api, ada: dict[str, Any]) -> None:
    other = factories.customer(algorithm="ES256")
    strangers = factories.session(factories.user(other)).access
    header, payload, signature = ada["access_token"].split(".")
    for token in (
        "",
        "no.token.at-all",
        ada["refresh_token"],
        strangers,
        f"{header}.{payload}.{signature[:-6]}AAAAAA",
        f"eyJhbGciOiJub25lIn0.{payload}.",
    ):
        assert (api.reads(token), api.deletes(token)) == (401, 401), token


def _asks_how_the_user_is_now_where_it_matters(demo: Demo, api: Api) -> None:
    """An offline check knows of no logout: the example says so, and asks where it matters."""
    eve = demo.sign_in("eve@example.com")["access_token"]
    assert (api.reads(eve), api.deletes(eve)) == (200, 204)
    assert demo.client().with_token("POST", "/api/auth/logout", token=eve).status == 200
    assert (api.reads(eve), api.deletes(eve)) == (200, 401)


def _lets_nobody_do_what_is_not_permitted(demo: Demo, api: Api) -> None:
    factories.role(demo.customer, "guest")
    guest = factories.user(demo.customer, "guest@example.com", role="guest")
    token = factories.session(guest).access
    assert (api.reads(token), api.deletes(token)) == (403, 403)


def _bears_with_a_clock_that_is_a_little_wrong(demo: Demo, api: Api) -> None:
    user = factories.user(demo.customer, "ahead@example.com")
    for seconds, statuses in ((20, (200, 204)), (300, (401, 401))):
        ahead = timezone.now() + timedelta(seconds=seconds)
        token = factories.session(user, now=ahead).access
        assert (api.reads(token), api.deletes(token)) == statuses, seconds
