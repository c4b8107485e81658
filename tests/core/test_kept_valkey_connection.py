"""A thread keeps its connection to Valkey. Whatever happens in it, nobody ever reads the answer to another command."""

import os
import select
import signal
import socket
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import redis

from apps.core import valkey
from apps.core.valkey import ValkeyUnavailable
from tests.engines import OwnValkey

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 60


class Interrupted(BaseException):
    """As a deadline or a signal ends work, wherever it is."""


def echo(text: str) -> str:
    answer: bytes = valkey._execute("ECHO", text)
    return answer.decode()


def patient_echo(text: str) -> str:
    """Asks anew if the answer was late: then it is nobody's."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return echo(text)
        except redis.TimeoutError:
            assert time.monotonic() < deadline


def connections_of_this_thread() -> Any:
    return valkey._of_this_thread.connection


def test_who_is_interrupted_before_reading_leaves_no_answer_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer comes when the next command has been sent already: no look before that could find it."""
    echo("first")
    with monkeypatch.context() as patch:
        patch.setattr(connections_of_this_thread(), "read_response", _interrupt)
        with pytest.raises(Interrupted):
            valkey._execute("BLPOP", "nothing", 0.3)
    assert echo("second") == "second"


def _interrupt(*_: object, **__: object) -> None:
    raise Interrupted


def test_nor_does_who_is_interrupted_while_waiting() -> None:
    def give_up(*_: object) -> None:
        raise Interrupted

    echo("first")
    before = signal.signal(signal.SIGALRM, give_up)
    try:
        with pytest.raises(Interrupted):
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            valkey._execute("BLPOP", "nothing", 0.4)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert echo("second") == "second"


def test_an_answer_that_nobody_has_read_is_not_the_next_ones() -> None:
    echo("first")
    connections_of_this_thread().send_command("ECHO", "unread")
    assert select.select([connections_of_this_thread()._sock], [], [], PATIENCE_SECONDS)[0]
    assert echo("second") == "second"


def test_an_error_is_the_answer_to_its_own_command() -> None:
    for _ in range(3):
        with pytest.raises(Exception, match="unknown command"):
            valkey._execute("NOSUCHCOMMAND")
        assert echo("fine") == "fine"


def test_many_threads_with_timeouts_read_their_own_answers(settings: Any, own_valkey: OwnValkey) -> None:
    options = {**settings.CACHES["default"].get("OPTIONS", {}), "SOCKET_TIMEOUT": 0.05}
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": own_valkey.url, "OPTIONS": options}}

    def work(number: int) -> list[bool]:
        own = []
        for turn in range(6):
            with suppress(ValkeyUnavailable), valkey.reachable():
                valkey._execute("BLPOP", f"nothing-{number}", 0.06)  # answered just after the time is over
            own.append(patient_echo(f"{number} {turn}") == f"{number} {turn}")
        return own

    with ThreadPoolExecutor(8) as pool:
        assert all(all(each) for each in pool.map(work, range(8)))


def test_who_is_cut_off_by_the_server_connects_anew() -> None:
    number: int = valkey._execute("CLIENT", "ID")
    assert valkey.client().client_kill_filter(_id=str(number)) == 1
    assert echo("second") == "second"


def test_a_child_has_a_connection_of_its_own() -> None:
    echo("parent")
    mine = connections_of_this_thread()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        ok = echo("child") == "child" and connections_of_this_thread() is not mine
        os._exit(0 if ok else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert echo("parent again") == "parent again"
    assert connections_of_this_thread() is mine


class Name:
    """A name that leads to one of several servers, as DNS or a load balancer does it."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def lead_to(self, server: OwnValkey) -> None:
        self.place.unlink(missing_ok=True)
        self.place.symlink_to(server.socket)


@pytest.fixture
def name(tmp_path_factory: pytest.TempPathFactory, settings: Any, own_valkey: OwnValkey) -> Iterator[Name]:
    found = Name(own_valkey.socket.parent / "named.sock")
    found.lead_to(own_valkey)
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": f"unix://{found.place}?db=0"}}
    yield found


def test_a_primary_that_became_a_replica_is_left_for_the_new_one(name: Name, own_valkey: OwnValkey) -> None:
    """It goes on to answer, so that no connection ends: only a new one leads to the new primary."""
    folder = own_valkey.socket.parent / "other"
    folder.mkdir()
    other = OwnValkey(folder, persistent=False)
    other.start()
    try:
        assert valkey.is_first("gatehouse:a", within=60)
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            valkey._execute("REPLICAOF", "127.0.0.1", nobody.getsockname()[1])
            name.lead_to(other)
            with pytest.raises(ValkeyUnavailable):
                valkey.is_first("gatehouse:b", within=60)
            assert valkey.is_first("gatehouse:c", within=60)
    finally:
        other.kill()
