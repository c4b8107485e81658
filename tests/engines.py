"""A pytest plugin (`-p tests.engines`) that starts the engines before Django's settings are read.

Each run has engines of its own in a temporary folder, so that runs side by side never meet. With DATABASE_URL and REDIS_URL set,
those are used; the role must be a superuser (tests/cleaning.py). Parallel workers share the engines: pytest-django gives each a
database, this gives each a Valkey database.
"""

import fcntl
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from config import embedded
from config.embedded import engine, places

PREFIX = "gatehouse-tests-"
ABANDONED_AFTER_SECONDS = 300  # a run locks its folder long before
VALKEY_TIMEOUT_SECONDS = "5"  # for all processes of the tests: who gets no time to answer for half a second is not away

_folder: Path | None = None


def _start() -> None:
    global _folder  # noqa: PLW0603  (the plugin's one piece of state: what to remove at the end)
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        _remove_abandoned()
        _folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        _folder.chmod(0o755)
        engines = embedded.ensure(_folder, durable=False)
        os.environ["DATABASE_URL"], os.environ["REDIS_URL"] = engines.database_url, engines.redis_url
        os.environ.setdefault("FILES_ROOT", str(_folder / "files"))
    os.environ.setdefault("VALKEY_TIMEOUT_SECONDS", VALKEY_TIMEOUT_SECONDS)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker.startswith("gw"):
        number = int(worker[2:]) + 1
        os.environ["REDIS_URL"] = re.sub(r"\?db=\d+|/\d+$", "", os.environ["REDIS_URL"]) + f"?db={number}"


def _remove_abandoned() -> None:
    """Folders of runs that were killed: their engines ended with them, their files did not."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(FileNotFoundError):  # another run has removed it at this moment
            if folder.stat().st_uid == os.geteuid() and _is_abandoned(folder):
                embedded.discard(folder)


def _is_abandoned(folder: Path) -> bool:
    if time.time() - folder.stat().st_mtime < ABANDONED_AFTER_SECONDS or not (folder / "keeper.lock").exists():
        return False
    with (folder / "keeper.lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def own_places() -> places.Places:
    """Where this run's engines are, for servers that a test starts beside them."""
    global _folder  # noqa: PLW0603  (see above)
    if _folder is None:
        _folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        _folder.chmod(0o755)
    return places.locate(_folder)


_start()


def pytest_unconfigure() -> None:
    if _folder is not None:
        embedded.discard(_folder)


class OwnValkey:
    """A Valkey of one test's own, to kill and restart at will."""

    def __init__(self, folder: Path, *, persistent: bool) -> None:
        self._folder = folder
        self._persistent = persistent
        self._process: subprocess.Popen[bytes] | None = None
        self.socket = folder / "valkey.sock"
        self.url = f"unix://{self.socket}?db=0"

    def start(self) -> None:
        self.socket.unlink(missing_ok=True)
        _, server = places.binaries()
        places_of_its_own = ["--port", "0", "--unixsocket", self.socket, "--dir", self._folder]
        persistence = ["--save", "", "--appendonly", "yes" if self._persistent else "no", "--appendfsync", "always"]
        self._process = subprocess.Popen(
            [server, *places_of_its_own, *persistence],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=engine.end_with_parent(signal.SIGKILL),
        )
        deadline = time.monotonic() + engine.START_WITHIN_SECONDS
        while not engine.ping(self.socket):
            assert self._process.poll() is None and time.monotonic() < deadline, "this test's own Valkey did not start"
            time.sleep(0.01)

    def kill(self) -> None:
        """As a crash would: SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def flush(self) -> None:
        """Forget everything, in every database."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.socket))
            connection.sendall(b"FLUSHALL\r\n")
            assert connection.recv(16).startswith(b"+OK")


@pytest.fixture
def own_valkey() -> Iterator[OwnValkey]:
    """A private, persistent Valkey for this test, started."""
    with tempfile.TemporaryDirectory(prefix="gh-") as folder:
        valkey = OwnValkey(Path(folder), persistent=True)
        valkey.start()
        yield valkey
        valkey.kill()
