"""What is measured: an application as it is served, and the requests that it is sent. The peers' applications have this form, too.

Two jobs are asked of those that sign users in. "Who am I": a request of a signed-in user, answered with who it is. "Code out, code
in": a code is asked for and sent by mail, and signs in; every step is measured by itself.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.engines import Engines
from benchmarks.load import Requests
from benchmarks.servers import Application


@dataclass(frozen=True)
class Phase:
    """One step of "code out, code in", such as asking for the code.

    `prepare(count, answers)` makes so many requests, each good for one call (`load.write(..., once=True)`), of users that differ.
    `answers`: the bodies that the phase before was answered with (`load.read`), None for the first. It is not measured: it may read
    codes out of databases and mailboxes. `check(count)`: after the phase, raises NotKept if so many calls have not left what they must.
    """

    name: str
    prepare: Callable[[int, Path | None], Requests]
    check: Callable[[int], None] = lambda _count: None
    is_sign_in: bool = True  # False: comes after it, as refreshing and signing out do


class NotKept(Exception):
    """Calls were answered as they should be, but have not left what they must leave: what was measured counts for nothing."""


class Subject(ABC):
    """One application. `name` is for the command line and for file names, `title` for the table."""

    name: str
    title: str
    url: str = ""  # where it is served; set when it is up

    def __init__(self, engines: Engines) -> None:
        self.engines = engines
        self.folder = engines.folder / self.name  # for whatever it keeps
        self.folder.mkdir(parents=True, exist_ok=True)

    @abstractmethod
    def application(self) -> Application:
        """Set up what it needs (install, migrate, seed), and say how it is served."""

    @abstractmethod
    def who_am_i(self) -> Requests:
        """Requests of signed-in users, which may be sent again and again. Asked for when the application is up."""


class SignsIn(Subject):
    """One that has codes by mail, or what is nearest to it.

    `sign_in`: what its steps together are called in the table. `is_by_code`: they are a sign-in by code, and compare with ours.
    """

    sign_in: str = "code out and in"
    is_by_code: bool = True

    @abstractmethod
    def phases(self) -> Sequence[Phase]:
        """The steps, in their order; asked for once, when the application is up."""
