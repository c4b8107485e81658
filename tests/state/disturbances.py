"""What goes wrong meanwhile. Each is a context in which something is revoked, and every process is asked."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from django.db import OperationalError, connection

from apps.core.state.listener import APPLICATION_NAME
from tests.copies import copy_of_valkey
from tests.engines import OwnValkey
from tests.running import Server

Hook = Callable[[], None]  # called right before the change, or right after its answer
STOPPED_SECONDS = 2.0
BURNERS = 6


class World:
    """Three web processes, a PostgreSQL and a Valkey of their own."""

    def __init__(self, servers: list[Server], valkey: OwnValkey) -> None:
        self.servers = servers
        self.valkey = valkey


Disturbance = Callable[[World], AbstractContextManager[Hook]]


def nothing() -> None:
    """Nothing happens."""


@contextlib.contextmanager
def undisturbed(_world: World) -> Iterator[Hook]:
    """No worker and no beat runs here, as under every other disturbance."""
    yield nothing


@contextlib.contextmanager
def valkey_paused(world: World) -> Iterator[Hook]:
    process = world.valkey._process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    yield nothing
    process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def valkey_killed(world: World) -> Iterator[Hook]:
    world.valkey.kill()
    yield nothing
    world.valkey.start()


@contextlib.contextmanager
def valkey_flushed(world: World) -> Iterator[Hook]:
    yield world.valkey.flush


@contextlib.contextmanager
def valkey_from_an_old_copy(_world: World) -> Iterator[Hook]:
    yield copy_of_valkey()


@contextlib.contextmanager
def listeners_cut(_world: World) -> Iterator[Hook]:
    yield cut_listeners


def cut_listeners() -> None:
    with connection.cursor() as cursor:
        statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
        cursor.execute(statement, [APPLICATION_NAME])


@contextlib.contextmanager
def a_process_stopped(world: World) -> Iterator[Hook]:
    """For two seconds; it answers the requests of that time when it goes on, from what it remembers then."""
    pids = family(random.choice(world.servers).process.pid)
    going_on = threading.Timer(STOPPED_SECONDS, lambda: signal_all(pids, signal.SIGCONT))

    def stop() -> None:
        if not going_on.is_alive() and going_on.ident is None:
            signal_all(pids, signal.SIGSTOP)
            going_on.start()

    yield stop
    if going_on.ident is not None:
        going_on.join()


def signal_all(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        os.kill(pid, number)


def family(pid: int) -> list[int]:
    """The process and its children, theirs too."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return [pid, *(each for child in children for each in family(int(child)))]


@contextlib.contextmanager
def postgresql_restarted(_world: World) -> Iterator[Hook]:
    """Its postmaster ends every process and starts anew, as after a crash: no announcement survives."""
    yield restart_postgresql


def restart_postgresql() -> None:
    with contextlib.closing(connection.copy()) as another, another.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
        os.kill(pid, signal.SIGKILL)
        wait_for_the_end()
    wait_for_postgresql()


def wait_for_the_end() -> None:
    """Until then a new connection would be one of those that are ended."""
    deadline = time.monotonic() + 90
    with contextlib.suppress(OperationalError), connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT 1")
            time.sleep(0.01)
    connection.close()


def wait_for_postgresql() -> None:
    deadline = time.monotonic() + 90
    while True:
        try:
            connection.ensure_connection()
        except OperationalError:
            assert time.monotonic() < deadline, "PostgreSQL did not come back"
            time.sleep(0.02)
        else:
            return


@contextlib.contextmanager
def machine_saturated(_world: World) -> Iterator[Hook]:
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(BURNERS)]
    yield nothing
    for burner in burners:
        burner.kill()
        burner.wait()


DISTURBANCES: tuple[Disturbance, ...] = (
    *(undisturbed, valkey_paused, valkey_killed, valkey_flushed, valkey_from_an_old_copy),
    *(listeners_cut, a_process_stopped, postgresql_restarted, machine_saturated),
)
