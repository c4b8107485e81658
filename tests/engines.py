"""A pytest plugin (`-p tests.engines`) that starts the engines before Django's settings are read.

Each run has engines of its own in a temporary folder, so that runs side by side never meet. With DATABASE_URL and REDIS_URL set,
those are used. Parallel workers share the engines: pytest-django gives each a database, this gives each a Valkey database.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import embedded
from config.embedded import engine, places

_folder: Path | None = None


def _start() -> None:
    global _folder  # noqa: PLW0603  (the plugin's one piece of state: what to remove at the end)
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        _folder = Path(tempfile.mkdtemp(prefix="gatehouse-tests-"))
        _folder.chmod(0o755)
        engines = embedded.ensure(_folder, durable=False)
        os.environ["DATABASE_URL"], os.environ["REDIS_URL"] = engines.database_url, engines.redis_url
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker.startswith("gw"):
        number = int(worker[2:]) + 1
        os.environ["REDIS_URL"] = re.sub(r"\?db=\d+|/\d+$", "", os.environ["REDIS_URL"]) + f"?db={number}"


_start()


def pytest_unconfigure() -> None:
    if _folder is not None:
        embedded.stop(_folder)
        shutil.rmtree(_folder, ignore_errors=True)


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
        server = places.locate(_folder or Path(tempfile.gettempdir()) / "gatehouse-tests-own").valkey_server
        self._process = subprocess.Popen(
            [
                *(server, "--port", "0", "--unixsocket", self.socket, "--dir", self._folder, "--save", ""),
                *("--appendonly", "yes" if self._persistent else "no", "--appendfsync", "always"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=engine.end_with_parent(signal.SIGKILL),
        )
        while not engine.ping(self.socket):
            time.sleep(0.01)

    def kill(self) -> None:
        """As a crash would: SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def own_valkey() -> Iterator[OwnValkey]:
    """A private, persistent Valkey for this test, started."""
    with tempfile.TemporaryDirectory(prefix="gh-") as folder:
        valkey = OwnValkey(Path(folder), persistent=True)
        valkey.start()
        yield valkey
        valkey.kill()
