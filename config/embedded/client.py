"""Joining the keeper of a data folder, or starting it: what settings and tests call."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from config.embedded.places import EmbeddedEngineError, locate

JOIN_WITHIN_SECONDS = 60
STOPPED_WITHIN_SECONDS = 30
CHECKOUT = Path(__file__).resolve().parent.parent.parent

_leases: dict[Path, tuple[socket.socket, "Engines"]] = {}  # held for the life of the process
_keepers: list[subprocess.Popen[bytes]] = []  # started by this process; they outlive it


@dataclass(frozen=True)
class Engines:
    """Where the running engines are, as values of DATABASE_URL and REDIS_URL."""

    database_url: str
    redis_url: str


def ensure(data_dir: Path, *, durable: bool = True) -> Engines:
    """The engines of this folder, started if need be and leased for the life of this process.

    `durable=False` gives up safety against power loss for speed (tests). Raises EmbeddedEngineError.
    """
    places = locate(data_dir)
    held = _leases.get(places.data_dir)
    if held and _still_leased(held[0]):
        return held[1]
    if held:
        _leases.pop(places.data_dir)[0].close()
    deadline = time.monotonic() + JOIN_WITHIN_SECONDS
    keeper: subprocess.Popen[bytes] | None = None
    while time.monotonic() < deadline:
        joined = _join(places.control_socket)
        if joined:
            _leases[places.data_dir] = joined
            return joined[1]
        if keeper is None or keeper.poll() is not None:
            _raise_failure(keeper, places.data_dir)
            keeper = _start_keeper(places.data_dir, durable=durable)
        time.sleep(0.02)
    raise EmbeddedEngineError(f"The embedded engines did not answer in time; see {places.data_dir}/*.log.")


def status(data_dir: Path) -> str:
    """One line for a person: whether the engines of this folder run, and where."""
    joined = _join(locate(data_dir).control_socket)
    if not joined:
        return f"No engines run for {data_dir}."
    joined[0].close()
    return f"Running. {joined[1].database_url}  {joined[1].redis_url}"


def stop(data_dir: Path) -> None:
    """Stop the engines of this folder, leased or not, and wait for their end. Their users lose their connections."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(STOPPED_WITHIN_SECONDS)
        connection.connect(str(locate(data_dir).control_socket))
        os.kill(int(json.loads(connection.makefile().readline())["pid"]), signal.SIGTERM)
        connection.recv(1)  # nothing comes; the kernel closes the socket when the keeper ends, after both engines


def discard(data_dir: Path) -> None:
    """Stop the engines of this folder, and remove it and everything kept for it elsewhere."""
    places = locate(data_dir)
    stop(data_dir)
    held = _leases.pop(places.data_dir, None)
    if held:
        held[0].close()
    for folder in (places.data_dir, places.elsewhere):
        shutil.rmtree(folder, ignore_errors=True)


def _join(control_socket: Path) -> tuple[socket.socket, Engines] | None:
    connection = socket.socket(socket.AF_UNIX)  # close-on-exec: child processes hold no lease of ours
    connection.settimeout(5)
    try:
        connection.connect(str(control_socket))
        answer = connection.makefile().readline()
    except OSError:
        answer = ""
    if not answer:
        connection.close()
        return None
    facts = json.loads(answer)
    connection.settimeout(None)
    return connection, Engines(facts["database_url"], facts["redis_url"])


def _still_leased(connection: socket.socket) -> bool:
    try:
        return bool(connection.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK))
    except BlockingIOError:
        return True
    except OSError:
        return False


def _start_keeper(data_dir: Path, *, durable: bool) -> subprocess.Popen[bytes]:
    """In a session of its own, so that Ctrl-C reaches the engines' users first."""
    command = [sys.executable, "-m", "config.embedded", "keep", str(data_dir), "durable" if durable else "fast"]
    with (data_dir / "keeper.log").open("ab") as log:
        keeper = subprocess.Popen(  # noqa: S603  (ourselves)
            command, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    _keepers.append(keeper)
    return keeper


def _raise_failure(keeper: subprocess.Popen[bytes] | None, data_dir: Path) -> None:
    """A keeper that ended with an error says why; one that lost the race for the lock is no failure."""
    if keeper is not None and keeper.returncode == 1:
        failure = data_dir / "keeper.error"
        detail = failure.read_text() if failure.exists() else (data_dir / "keeper.log").read_text()[-2000:]
        raise EmbeddedEngineError(f"The embedded engines cannot start: {detail}")
