"""Gatehouse, as the jobs measure it."""

import importlib
from collections.abc import Iterable, Sequence
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


class Gatehouse(SignsIn):
    name = "ours"
    title = "Gatehouse"

    def __init__(self, engines: Engines) -> None:
        super().__init__(engines)
        self._environment = installation.environment(engines, self.folder)

    def application(self, *, workers: int = 1) -> Application:
        _ = self.world  # its tables are there from now on
        return granian("config.wsgi:application", environment=self._environment, workers=workers)

    @cached_property
    def world(self) -> "World":
        installation.enter(self._environment)
        return importlib.import_module("benchmarks.gatehouse.world").World()

    def who_am_i(self) -> Requests:
        """A hundred users' tokens, again and again: each is known to the process after its first request."""
        return self._me("me", self.world.sign_in(self.world.new_users(WARM_USERS)))

    def with_new_tokens(self, count: int) -> Requests:
        """Each with a token that the process has never seen, of users that it knows."""
        known = list(self.world.sign_in(self.world.new_users(WARM_USERS)))
        tokens = (self.world.mint(known[number % WARM_USERS].session) for number in range(count))
        return self._requests("me-new-tokens", map(_me, tokens), once=True)

    def of_new_users(self, count: int) -> Requests:
        """Each of a user and session that the process has never seen."""
        tokens = (one.access for one in self.world.sign_in(self.world.new_users(count)))
        return self._requests("me-new-users", map(_me, tokens), once=True)

    def phases(self) -> Sequence[Phase]:
        service_key = self._environment["SERVICE_ENCRYPTION_KEY"]
        module = importlib.import_module("benchmarks.gatehouse.code_phases")
        phases: Sequence[Phase] = module.CodePhases(self.world, self.folder, service_key=service_key).phases()
        return phases

    def _me(self, name: str, signed_in: Iterable["SignedIn"]) -> Requests:
        return self._requests(name, (_me(one.access) for one in signed_in))

    def _requests(self, name: str, requests: Iterable[bytes], *, once: bool = False) -> Requests:
        return load.write(self.folder / f"{name}.requests", requests, once=once)


def _me(token: str) -> bytes:
    headers = {**installation.BY_PROXY, "Authorization": f"Bearer {token}"}
    return load.request("GET", "/api/auth/me", headers=headers)
