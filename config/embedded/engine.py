"""One engine as a child process, PostgreSQL or Valkey: how it is prepared, started, asked and stopped."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from config.embedded.places import EmbeddedEngineError, Places, make_private
from config.embedded.remains import end_orphans

PR_SET_PDEATHSIG = 1  # prctl(2)
START_WITHIN_SECONDS = 30
STOP_WITHIN_SECONDS = 10
PSQL_WITHIN_SECONDS = 10
POSTGRES_MAJOR = "18"
LOG_TAIL_LINES = 12
INITDB_OPTIONS = (
    "--username=gatehouse",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",  # lower() knows all of Unicode, the same on every machine
    "--builtin-locale=C.UTF-8",
    "--no-sync",
    "--no-instructions",
)


def end_with_parent(number: signal.Signals) -> Callable[[], None]:
    """For Popen's preexec_fn: the kernel sends `number` to the child when its parent dies for any reason (Linux).

    Popen changes the user before it calls this; a change after it would clear the setting (prctl(2)).
    """
    parent = os.getpid()

    def arrange() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
            if os.getppid() != parent:  # it died before the kernel knew
                os._exit(1)

    return arrange


class Engine(ABC):
    """A child of the keeper. `program` is its executable's name; `stop_signal` asks for a clean end."""

    name: str
    program: str
    stop_signal: signal.Signals

    def __init__(self, places: Places, *, durable: bool) -> None:
        self.places = places
        self.durable = durable
        self.folder = places.engines / self.name
        self.log = places.data_dir / f"{self.name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        owner = places.owner  # the engines run as this user when we are root
        self.uid = owner.uid if owner else None
        self.gid = owner.gid if owner else None
        self.groups: list[int] | None = [] if owner else None

    @abstractmethod
    def prepare(self) -> None:
        """Make the data folder, and remove what a killed predecessor has left."""

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def answers(self) -> bool: ...

    def start(self) -> None:
        """Start it and wait until it answers. Raises EmbeddedEngineError with the tail of its log."""
        make_private(self.folder, self.places.owner)
        end_orphans(self.folder, program=self.program, stop_signal=self.stop_signal)
        self.prepare()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  (from our wheel)
                self.command(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=end_with_parent(self.stop_signal),  # noqa: PLW1509  (the keeper has one thread)
                user=self.uid,
                group=self.gid,
                extra_groups=self.groups,
            )
        self._wait_until_it_answers(self.process)

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_WITHIN_SECONDS
        while not self.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise EmbeddedEngineError(f"{self.name} did not start. Its log, {self.log}, ends:\n{self._tail()}")
            time.sleep(0.02)

    def has_died(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def stop(self) -> None:
        """End it cleanly; kill it if it does not react."""
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
    """PostgreSQL on a unix socket only. `trust` is safe: only the engines' user and root can enter the socket's folder."""

    name = "postgres"
    program = "postgres"
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
        # No process works here any more, so these lock files lock nothing; their PIDs may belong to other processes by now.
        for lock in (self.folder / "postmaster.pid", *self.places.sockets.glob(".s.PGSQL.*")):
            lock.unlink(missing_ok=True)

    def _initialise(self) -> None:
        """In a draft folder, so that a kill in between leaves nothing that looks complete."""
        draft = self.folder.with_name("postgres-draft")
        end_orphans(draft, program=self.program, stop_signal=signal.SIGQUIT)
        shutil.rmtree(draft, ignore_errors=True)
        make_private(draft, self.places.owner)
        result = subprocess.run(  # noqa: S603  (from our wheel)
            [str(self.places.postgres_bin / "initdb"), f"--pgdata={draft}", *INITDB_OPTIONS],
            cwd=draft,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=end_with_parent(signal.SIGTERM),
            user=self.uid,
            group=self.gid,
            extra_groups=self.groups,
        )
        if result.returncode:
            raise EmbeddedEngineError(f"initdb failed in {draft}:\n{result.stdout}{result.stderr}")
        self.folder.rmdir()
        draft.rename(self.folder)

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
        found = self._ask("SELECT 1 FROM pg_database WHERE datname = 'gatehouse'")
        if found == "":
            self._ask("CREATE DATABASE gatehouse")
        return found == "1"

    def _ask(self, statement: str) -> str | None:
        """What psql prints, or None when the server does not answer."""
        where = ["--host", str(self.places.sockets), "--username=gatehouse", "--dbname=postgres"]
        psql = [str(self.places.postgres_bin / "psql"), "--no-psqlrc", "--no-password", "-Atq", *where, "-c", statement]
        try:
            answer = subprocess.run(  # noqa: S603  (from our wheel)
                psql, capture_output=True, text=True, check=True, timeout=PSQL_WITHIN_SECONDS
            )
        except subprocess.SubprocessError:
            return None
        return answer.stdout.strip()


class Valkey(Engine):
    """Valkey on a unix socket only."""

    name = "valkey"
    program = "valkey-server"
    stop_signal = signal.SIGTERM

    def prepare(self) -> None:
        self.places.valkey_socket.unlink(missing_ok=True)

    def command(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self.places.valkey_socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "databases": "16" if self.durable else "256",  # parallel test workers have one each
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
