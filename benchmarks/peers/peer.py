"""What all peers have in common: an environment of their own, a database with users, and sign-in in steps that are checked."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import load
from benchmarks.bare.startproject import SECRET_KEY
from benchmarks.load import Requests
from benchmarks.peers.installing import Installed, run
from benchmarks.peers.people import PEOPLE, email
from benchmarks.servers import Application, environment_of
from benchmarks.subject import NotKept, Phase, SignsIn

SOURCES = Path(__file__).resolve().parent
WHO_ASK = 100  # users that ask who they are
LONGEST_SIGN_IN_SECONDS = 60
UNMEASURED = {"PGOPTIONS": "-c synchronous_commit=off"}  # spares thousands of fsyncs


class Peer(SignsIn):
    """One product, built as its own documentation has one build it.

    `package`: its name in the lock. `what`: what goes out by mail and comes in again.
    """

    package: str
    what: str = "code"
    asked_status: int = 200  # of the answer to a request for a code

    @classmethod
    def source(cls) -> Path:
        return SOURCES / cls.name

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """The product's own, from its lock."""

    @classmethod
    @abstractmethod
    def installed(cls) -> Installed:
        """Where its packages are, and how they get there."""

    @abstractmethod
    def served(self) -> Application:
        """How it is served."""

    @abstractmethod
    def preparation(self) -> Sequence[str]:
        """The command that makes tables and as many users as its last argument says."""

    @abstractmethod
    def asking(self, address: str) -> bytes:
        """Asks for a code, to be sent to this address."""

    @abstractmethod
    def redeeming(self) -> Iterable[bytes]:
        """Redeems each code that waits in the database. `asked`: to whom the last ones were sent."""

    @abstractmethod
    def questions(self) -> Iterable[bytes]:
        """Who am I, for each user that is signed in."""

    @abstractmethod
    def signed_in(self) -> int:
        """How many sign-ins its database knows of."""

    def application(self) -> Application:
        _ = self.prepared
        return self.served()

    @cached_property
    def prepared(self) -> bool:
        """Its tables and users, made once for all jobs."""
        served = self.served()
        run([*self.preparation(), str(PEOPLE)], served.folder, {**environment_of(served), **UNMEASURED})
        return True

    def who_am_i(self) -> Requests:
        """Of users who have signed in as users do."""
        self.sign_some_in()
        return load.write(self.folder / "me.requests", islice(self.questions(), WHO_ASK))

    def sign_some_in(self) -> None:
        for phase in self.phases():
            load.send(self.url, phase.prepare(WHO_ASK, None), seconds=LONGEST_SIGN_IN_SECONDS)
            phase.check(WHO_ASK)

    def phases(self) -> Sequence[Phase]:
        return (
            Phase(f"{self.what} out", self._ask, self._check_asked),
            Phase(f"{self.what} in", self._redeem, self._check_signed_in),
        )

    def _ask(self, count: int, _answers: Path | None) -> Requests:
        self.asked = [email(number) for number in islice(self._numbers, count)]
        return self.once("ask", [self.asking(one) for one in self.asked], count, expected=self.asked_status)

    def _check_asked(self, count: int) -> None:
        self.expect(count, len(list(self.redeeming())), "codes wait")

    def _redeem(self, count: int, _answers: Path | None) -> Requests:
        self.before = self.signed_in()
        return self.once("redeem", list(self.redeeming()), count)

    def _check_signed_in(self, count: int) -> None:
        self.expect(count, self.signed_in() - self.before, "users have signed in")

    def once(self, name: str, requests: list[bytes], count: int, *, expected: int = 200) -> Requests:
        """Prepared requests, each good for one call."""
        self.expect(count, len(requests), f"requests to {name} can be made")
        return load.write(self.folder / f"{name}.requests", requests, expected=expected, once=True)

    def expect(self, count: int, found: int, what: str) -> None:
        """An answer alone proves nothing: what it says must be in the database."""
        if found != count:
            raise NotKept(f"{self.title}: {found} {what}, not {count}")

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What its database answers."""
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(statement.encode()).fetchall()

    def number(self, statement: str) -> int:
        return int(self.rows(statement)[0][0])

    @cached_property
    def database_url(self) -> str:
        return self.engines.fresh_database(self.name)

    @cached_property
    def variables(self) -> dict[str, str]:
        return {"DATABASE_URL": self.database_url, "SECRET": SECRET_KEY}

    @cached_property
    def _numbers(self) -> Iterator[int]:
        return iter(range(PEOPLE))
