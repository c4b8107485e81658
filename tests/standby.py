"""A PostgreSQL with a streaming replica, both of a test's own: copies of the tests' server as it is when the test begins."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from config.embedded import engine
from tests import engines
from tests.worker import wait_until

START_WITHIN_SECONDS = 60
STANDBY = "standby"
SETTINGS = {"listen_addresses": "", "max_connections": "100", "shared_buffers": "32MB", "hot_standby": "on"}


class Postgres:
    """One server, in a folder of its own. `host` is where its socket is."""

    def __init__(self, folder: Path) -> None:
        self.host = str(folder / "run")
        self._data, self._log = folder / "data", folder / "log"
        self._places = engines.own_places()  # which user runs it, and with which binaries
        self._process: subprocess.Popen[bytes] | None = None
        for each in (folder, Path(self.host)):
            each.mkdir(exist_ok=True)
            each.chmod(0o755)
            self._give(each)

    def url(self, name: str, *, others: str = "") -> str:
        """`others`: servers that are asked, too; whichever accepts writing is the one."""
        hosts = f"{self.host},{others}&target_session_attrs=read-write" if others else self.host
        return f"postgresql://gatehouse@/{name}?host={hosts}"

    def copy_of(self, url: str, *, follow: bool = False) -> None:
        """Be what that server is at this moment. `follow`: and go on copying what it commits."""
        direct = urlsplit(url)
        host = parse_qs(direct.query).get("host", [direct.hostname or "127.0.0.1"])[0]
        source = f"host={host} port={direct.port or 5432} user={direct.username} application_name={STANDBY}"
        options = [
            "--wal-method=stream",
            "--checkpoint=fast",
            "--no-sync",
            *(["--write-recovery-conf"] if follow else []),
        ]
        self._run("pg_basebackup", f"--pgdata={self._data}", f"--dbname={source}", *options)

    def start(self, **settings: str) -> None:
        options = [part for item in {**SETTINGS, **settings}.items() for part in ("-c", "=".join(item))]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._program("postgres"), "-D", self._data, "-k", self.host, *options],
                stdout=log,
                stderr=log,
                preexec_fn=engine.end_with_parent(signal.SIGQUIT),
                **self._user(),
            )
        deadline = time.monotonic() + START_WITHIN_SECONDS
        while not self.answers():
            assert self._process.poll() is None and time.monotonic() < deadline, self._log.read_text()[-2000:]
            time.sleep(0.05)

    def answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            psycopg.connect(self.url("postgres")).close()
            return True
        return False

    def ask(self, statement: str) -> tuple[object, ...] | None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            return connection.execute(statement).fetchone()

    def promote(self) -> None:
        """From now on it is the primary. Returns when it accepts writing."""
        assert self.ask("SELECT pg_promote()") == (True,)

    def kill(self) -> None:
        """As a power failure would: nobody gets to say anything more."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._program(program), *arguments], capture_output=True, text=True, check=False, **self._user()
        )
        assert done.returncode == 0, done.stderr

    def _program(self, name: str) -> Path:
        return self._places.postgres_bin / name

    def _user(self) -> dict[str, int]:
        owner = self._places.owner
        return {"user": owner.uid, "group": owner.gid} if owner else {}

    def _give(self, folder: Path) -> None:
        if self._places.owner:
            os.chown(folder, self._places.owner.uid, self._places.owner.gid)


class Pair:
    """A primary, and the standby that copies it. A commit waits for the standby."""

    def __init__(self, folder: Path) -> None:
        self.primary, self.standby = Postgres(folder / "primary"), Postgres(folder / "standby")

    def start(self) -> None:
        self.primary.copy_of(os.environ["DATABASE_URL"])
        self.primary.start(synchronous_standby_names=STANDBY, synchronous_commit="remote_apply")
        self.standby.copy_of(self.primary.url("postgres"), follow=True)
        self.standby.start()
        # A statement's limit ends the wait for the standby as well, and what was committed then would be lost with the primary.
        wait_until(lambda: self.primary.ask("SELECT sync_state FROM pg_stat_replication") == ("sync",))

    def switch_over(self) -> None:
        """The primary is lost, and the standby takes its place."""
        self.primary.kill()
        self.standby.promote()

    def kill(self) -> None:
        for server in (self.primary, self.standby):
            server.kill()


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Running. What the test's own database holds when it asks for the fixture is there."""
    folder = Path(tempfile.mkdtemp(prefix="gh-pair-"))
    folder.chmod(0o755)
    made = Pair(folder)
    try:
        made.start()
        yield made
    finally:
        made.kill()
        shutil.rmtree(folder, ignore_errors=True)
