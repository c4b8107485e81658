"""Debian's PgBouncer in front of this test's PostgreSQL, in transaction mode. Without it such tests are skipped, and CI does not let them be.

Each transaction goes to another server connection than the last (`server_round_robin`): what wrongly outlives one is not found again.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.db import connection

from config import databases, environment
from config.embedded import engine
from tests.ports import free_port

HOW = "no PgBouncer was found (Debian: apt install pgbouncer)"
SERVERS = 4
CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}{password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {servers}
min_pool_size = {servers}
server_round_robin = 1
max_client_conn = 200
query_wait_timeout = {patience}
server_login_retry = 1
"""


def executable() -> str:
    """Where it is. Skips the test, or fails it under CI, when it is nowhere."""
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None and os.environ.get("CI"):
        pytest.fail(HOW)
    if found is None:
        pytest.skip(HOW)
    return found


class Pooler:
    """`url(name)` leads to that database through it."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.leads_to = os.environ["DATABASE_URL"]  # another server takes effect with the next start
        self.patience = 20  # seconds, for which it lets a client wait for a server
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        path = self._folder / "pgbouncer.ini"
        direct = urlsplit(self.leads_to)
        password = f" password={direct.password}" if direct.password else ""
        host = parse_qs(direct.query).get("host", [direct.hostname or "127.0.0.1"])[0]
        path.write_text(
            CONFIGURATION.format(
                host=host,
                port=direct.port or 5432,
                user=direct.username,
                password=password,
                listen_port=self.port,
                servers=SERVERS,
                patience=self.patience,
            ),
            encoding="utf-8",
        )
        self._folder.chmod(0o755)
        as_nobody = ["-u", "nobody"] if os.geteuid() == 0 else []  # it refuses to run as root
        self._process = subprocess.Popen(
            [executable(), "-q", *as_nobody, str(path)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=engine.end_with_parent(15),
        )
        deadline = time.monotonic() + 90
        while not self._listens():
            assert self._process.poll() is None and time.monotonic() < deadline, "PgBouncer did not start"
            time.sleep(0.02)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def url(self, name: str) -> str:
        return f"postgresql://gatehouse@127.0.0.1:{self.port}/{name}"

    @contextmanager
    def between(self) -> Iterator[None]:
        """This process's connections go through it, as with DATABASE_POOLED=true."""
        usual, patient = connection.settings_dict, settings.UNHURRIED_DATABASE
        pooled = databases.bounded(environment.load(), self.url(usual["NAME"]), is_pooled=True)
        connection.close()
        connection.settings_dict = {**usual, **pooled}
        settings.UNHURRIED_DATABASE = None
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict, settings.UNHURRIED_DATABASE = usual, patient


@pytest.fixture
def pooler() -> Iterator[Pooler]:
    """A running one."""
    executable()
    with tempfile.TemporaryDirectory(prefix="gh-pool-") as folder:
        made = Pooler(Path(folder))
        made.start()
        try:
            yield made
        finally:
            made.stop()
