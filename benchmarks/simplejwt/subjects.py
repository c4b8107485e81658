"""simplejwt, as the jobs measure it."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from itertools import count as numbers
from pathlib import Path

import psycopg

from benchmarks import load
from benchmarks.engines import Engines
from benchmarks.load import Requests
from benchmarks.peers.json_requests import post
from benchmarks.peers.people import MOST_PASSWORDS, PASSWORD, email
from benchmarks.servers import Application, environment_of, granian
from benchmarks.subject import NotKept, Phase, SignsIn, Subject

USERS = 100


class SimpleJwt(Subject):
    way: str

    def application(self) -> Application:
        return granian("benchmarks.bare.wsgi:application", environment=self._environment)

    def who_am_i(self) -> Requests:
        headers = [{"Authorization": f"Bearer {token}"} for token in self.tokens]
        return load.write(
            self.folder / "me.requests", (load.request("GET", "/api/auth/me", headers=one) for one in headers)
        )

    @cached_property
    def tokens(self) -> list[str]:
        """Of each user, who is made if there is none yet."""
        command = [sys.executable, "-m", "benchmarks.simplejwt.prepare", str(USERS)]
        environment = environment_of(self.application())
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()

    @cached_property
    def _environment(self) -> dict[str, str]:
        return {
            "DJANGO_SETTINGS_MODULE": "benchmarks.simplejwt.settings",
            "DATABASE_URL": _database(self.engines),
            "SIMPLEJWT_WAY": self.way,
        }


class Stateless(SimpleJwt):
    name = "simplejwt_stateless"
    title = "simplejwt, stateless: nothing can be revoked"
    way = "stateless"


class WithUser(SimpleJwt):
    name = "simplejwt_user"
    title = "simplejwt with its SQL user"
    way = "user"


class WithBlacklist(SimpleJwt, SignsIn):
    """The one that can revoke. It has no codes: users sign in by password, and each refresh token given out is a row."""

    name = "simplejwt_blacklist"
    title = "simplejwt with its SQL user and its blacklist"
    way = "blacklist"
    sign_in = "signed in by password, whose hash costs most (it has no codes)"
    is_by_code = False

    def phases(self) -> Sequence[Phase]:
        _ = self.tokens  # its users are there from now on
        return (Phase("password in", self._sign_in, self._check),)

    def _sign_in(self, count: int, _answers: Path | None) -> Requests:
        self._before = self._given_out()
        some = [next(self._users) for _ in range(min(count, MOST_PASSWORDS))]
        bodies = [{"username": one, "password": PASSWORD} for one in some]
        return load.write(self.folder / "sign-in.requests", [post("/api/token/", body) for body in bodies], once=True)

    def _check(self, count: int) -> None:
        given = self._given_out() - self._before
        if given != count:
            raise NotKept(f"{self.title}: {count} sign-ins have left {given} refresh tokens.")

    def _given_out(self) -> int:
        with psycopg.connect(_database(self.engines)) as connection:
            row = connection.execute("SELECT count(*) FROM token_blacklist_outstandingtoken").fetchone()
        return int(row[0]) if row else 0

    @cached_property
    def _users(self) -> Iterator[str]:
        return (email(number % USERS) for number in numbers())


@cache
def _database(engines: Engines) -> str:
    """One for all three: their tables and users are the same."""
    return engines.fresh_database("simplejwt")
