"""Gatehouse, as the jobs measure it."""

import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from benchmarks import load
from benchmarks.engines import Engines
from benchmarks.gatehouse import installation
from benchmarks.load import Requests
from benchmarks.servers import Application, granian
from benchmarks.subject import Phase, SignsIn

if TYPE_CHECKING:  # it needs Django's settings, which are there when the installation is
    from benchmarks.gatehouse.world import SignedIn, World

WARM_USERS = 100
NO_CONTENT = 204


class Gatehouse(SignsIn):
    name = "ours"
    title = "Gatehouse"

    def __init__(self, engines: Engines, environment: Mapping[str, str] | None = None) -> None:
        super().__init__(engines)
        self.environment = environment or installation.environment(engines, self.folder)

    def application(self, *, workers: int = 1, python: str = sys.executable) -> Application:
        _ = self.world  # its tables are there from now on
        return granian("config.wsgi:application", environment=self.environment, python=python, workers=workers)

    @cached_property
    def world(self) -> "World":
        installation.enter(self.environment)
        made: World = importlib.import_module("benchmarks.gatehouse.world").World()
        self.engines.copied_database(installation.DATABASE, installation.EMPTY)
        return made

    def who_am_i(self) -> Requests:
        """A hundred users' tokens, again and again: each is known to the process after its first request."""
        return self._requests("me", map(_me, self._known_tokens))

    def introspection(self) -> Requests:
        """The same users' tokens, asked about by a server of the customer."""
        key = {"X-OTP-API-Key": self.world.introspection_key}
        return self._requests("introspect", (_introspect(token, key) for token in self._known_tokens))

    def forward_auth(self) -> Requests:
        """The same users' tokens, asked about by a proxy."""
        requests = (_get(f"/verify?customer={installation.SLUG}", token) for token in self._known_tokens)
        return load.write(self.folder / "verify.requests", requests, expected=NO_CONTENT)

    def with_new_tokens(self, count: int) -> Requests:
        """Each with a token that the process has never seen, of users that it knows."""
        tokens = (self.world.mint(self._known[number % WARM_USERS].session) for number in range(count))
        return self._requests("me-new-tokens", map(_me, tokens), once=True)

    def of_new_users(self, count: int) -> Requests:
        """Each of a user and session that the process has never seen."""
        tokens = (one.access for one in self.world.sign_in(self.world.new_users(count)))
        return self._requests("me-new-users", map(_me, tokens), once=True)

    def phases(self) -> Sequence[Phase]:
        return self._phases

    @cached_property
    def _phases(self) -> Sequence[Phase]:
        """Made once: they count the calls of the whole run."""
        service_key = self.environment["SERVICE_ENCRYPTION_KEY"]
        module = importlib.import_module("benchmarks.gatehouse.code_phases")
        phases: Sequence[Phase] = module.CodePhases(self.world, self.folder, service_key=service_key).phases()
        return phases

    @cached_property
    def _known(self) -> "list[SignedIn]":
        return list(self.world.sign_in(self.world.new_users(WARM_USERS)))

    @property
    def _known_tokens(self) -> Iterator[str]:
        return (one.access for one in self._known)

    def _requests(self, name: str, requests: Iterable[bytes], *, once: bool = False) -> Requests:
        return load.write(self.folder / f"{name}.requests", requests, once=once)


def _me(token: str) -> bytes:
    return _get("/api/auth/me", token)


def _get(path: str, token: str) -> bytes:
    return load.request("GET", path, headers={**installation.BY_PROXY, "Authorization": f"Bearer {token}"})


def _introspect(token: str, key: Mapping[str, str]) -> bytes:
    headers = {**installation.BY_PROXY, "Content-Type": "application/x-www-form-urlencoded", **key}
    return load.request("POST", "/api/auth/introspect", headers=headers, body=f"token={token}".encode())
