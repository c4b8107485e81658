"""One engine as a child process: PostgreSQL or Valkey, how each is prepared, started, asked whether it answers, and stopped."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from config.embedded.places import EmbeddedEngineError, Places, make_private

PR_SET_PDEATHSIG = 1  # prctl(2)
START_WITHIN_SECONDS = 30
STOP_WITHIN_SECONDS = 10
POSTGRES_MAJOR = "18"
LOG_TAIL_LINES = 12


def end_with_parent(number: signal.Signals) -> Callable[[], None]:
    """For Popen's preexec_fn: the kernel sends `number` to the child when its parent dies, however (Linux)."""

    def arrange() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)

    return arrange


class Engine(ABC):
    """A child of the keeper. `stop_signal` asks for a clean end."""

    name: str
    stop_signal: signal.Signals

    def __init__(self, places: Places, *, durable: bool) -> None:
        self.places = places
        self.durable = durable
        self.folder = places.engines / self.name
        self.log = places.data_dir / f"{self.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Make the data folder, and clear what a killed predecessor left."""

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def answers(self) -> bool: ...

    def start(self) -> None:
        """Start it and wait until it answers. Raises EmbeddedEngineError with the tail of its log."""
        make_private(self.folder, self.places.owner)
        self.prepare()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: PLW1509  (the keeper has one thread)
                self.command(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=end_with_parent(self.stop_signal),
                **self.as_owner(),
            )
        self._wait_until_it_answers(self.process)

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_WITHIN_SECONDS
        while not self.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise EmbeddedEngineError(f"{self.name} did not start. Its log, {self.log}, ends:\n{self._tail()}")
            time.sleep(0.02)

    def as_owner(self) -> dict[str, object]:
        """Popen arguments that drop root's rights, if we have them."""
        owner = self.places.owner
        return {"user": owner.uid, "group": owner.gid, "extra_groups": []} if owner else {}

    def has_died(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def stop(self) -> None:
        """End it cleanly, or for certain when it does not listen."""
        process = self.process
        if process is None or process.poll() is not None:
            return
        process.send_signal(self.stop_signal)
        try:
            process.wait(timeout=STOP_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])


class Postgres(Engine):
    """PostgreSQL on a unix socket alone. Trust is safe: only the engines' user and root pass the socket's folder."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast shutdown"

    def prepare(self) -> None:
        version = self.folder / "PG_VERSION"
        if not version.exists():
            self._initialise()
        elif version.read_text().strip() != POSTGRES_MAJOR:
            raise EmbeddedEngineError(
                f"{self.folder} was made by PostgreSQL {version.read_text().strip()}; this is {POSTGRES_MAJOR}. "
                "Move the folder away (or remove it, if its data may go), and start again."
            )
        self._clear_remains()

    def _initialise(self) -> None:
        result = subprocess.run(  # noqa: PLW1509
            [
                str(self.places.postgres_bin / "initdb"),
                f"--pgdata={self.folder}",
                "--username=gatehouse",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--no-instructions",
            ],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=end_with_parent(signal.SIGTERM),
            **self.as_owner(),  # type: ignore[call-overload]  # the overloads do not know keyword dictionaries
        )
        if result.returncode:
            raise EmbeddedEngineError(f"initdb failed in {self.folder}:\n{result.stdout}{result.stderr}")

    def _clear_remains(self) -> None:
        """After a kill -9: wait for our own old server to end, and remove lock files, whose PIDs may be others' by now."""
        pid_file = self.folder / "postmaster.pid"
        with suppress(OSError, ValueError, IndexError):
            old = int(pid_file.read_text().splitlines()[0])
            if self._is_ours(old):
                os.kill(old, signal.SIGINT)
                _wait_for_end(old, STOP_WITHIN_SECONDS)
        for remains in (pid_file, self.places.sockets / ".s.PGSQL.5432.lock", self.places.sockets / ".s.PGSQL.5432"):
            remains.unlink(missing_ok=True)

    def _is_ours(self, pid: int) -> bool:
        """Whether the process is a PostgreSQL on our data folder (the keeper's lock rules out a living rival)."""
        try:
            return os.readlink(f"/proc/{pid}/cwd") == str(self.folder.resolve())
        except OSError:
            return False

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.places.sockets),
            "max_connections": "300",
            "shared_buffers": "64MB",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        return [str(self.places.postgres_bin / "postgres"), "-D", str(self.folder), *options]

    def answers(self) -> bool:
        """Create the database if need be; True once it is there."""
        psql = [str(self.places.postgres_bin / "psql"), "-h", str(self.places.sockets), "-U", "gatehouse", "-XAtq"]
        query = "SELECT 1 FROM pg_database WHERE datname = 'gatehouse'"
        found = subprocess.run([*psql, "-d", "postgres", "-c", query], capture_output=True, text=True, check=False)
        if found.returncode:
            return False
        if found.stdout.strip() != "1":
            subprocess.run([*psql, "-d", "postgres", "-c", "CREATE DATABASE gatehouse"], capture_output=True, check=False)
        return found.stdout.strip() == "1"


class Valkey(Engine):
    """Valkey on a unix socket alone."""

    name = "valkey"
    stop_signal = signal.SIGTERM

    def prepare(self) -> None:
        self.places.valkey_socket.unlink(missing_ok=True)

    def command(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self.places.valkey_socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "databases": "16",
            "maxmemory-policy": "noeviction",
            "save": "",
            "appendonly": "yes" if self.durable else "no",
        }
        options = [option for name, value in settings.items() for option in (f"--{name}", value)]
        return [str(self.places.valkey_server), *options]

    def answers(self) -> bool:
        return ping(self.places.valkey_socket)


def ping(path: Path) -> bool:
    """Whether a Valkey answers on this socket (and is not still loading its data)."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _wait_for_end(pid: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    os.kill(pid, signal.SIGQUIT)
