"""The embedded engines: shared by lease, durable, private to their folder, and never left behind.

Every lease is held by a process of its own, so that the tests can end it as a crash would.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
import redis

from config import embedded
from config.embedded import keeper, places, remains

CHECKOUT = Path(__file__).resolve().parent.parent.parent
LEASE = """
import json, sys
from pathlib import Path
from config import embedded
engines = embedded.ensure(Path(sys.argv[1]), durable=sys.argv[2] == "durable")
print(json.dumps([engines.database_url, engines.redis_url]), flush=True)
sys.stdin.read()
"""
PATIENCE_SECONDS = 90


@dataclass
class Lease:
    """A process that uses the engines until it is ended."""

    process: subprocess.Popen[str]
    database_url: str
    redis_url: str

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.communicate()

    def query(self, statement: str) -> object:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchone()[0] if cursor.description else None

    def valkey(self) -> "redis.Redis[str]":
        return redis.Redis.from_url(self.redis_url, decode_responses=True)


Open = Callable[..., Lease]


def start_lease(folder: Path, *, durable: bool = False) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", LEASE, str(folder), "durable" if durable else "fast"]
    return subprocess.Popen(
        command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def answer_of(process: "subprocess.Popen[str]") -> Lease:
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        pytest.fail(f"no engines: {process.communicate()[1]}")
    return Lease(process, *json.loads(line))


@pytest.fixture
def lease() -> Iterator[Open]:
    """`lease(folder)` starts a process that leases the engines of `folder`; all are ended after the test."""
    processes: list[subprocess.Popen[str]] = []

    def start(folder: Path, *, durable: bool = False) -> Lease:
        processes.append(start_lease(folder, durable=durable))
        return answer_of(processes[-1])

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@contextmanager
def new_folder() -> Iterator[Path]:
    """A data folder that everybody may reach (pytest's own are closed)."""
    with tempfile.TemporaryDirectory(prefix="gh-") as parent:
        Path(parent).chmod(0o755)
        yield Path(parent) / "data"
        embedded.discard(Path(parent) / "data")


@pytest.fixture
def folder() -> Iterator[Path]:
    """In which nothing has been started yet."""
    with new_folder() as new:
        yield new


@pytest.fixture(scope="module")
def just_started() -> Iterator[tuple[Path, Lease]]:
    """Engines after their first start, to look at."""
    with new_folder() as new:
        process = start_lease(new)
        yield new, answer_of(process)
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def data_of_postgres() -> Iterator[Path]:
    """As a first start has left it."""
    with new_folder() as new:
        embedded.ensure(new, durable=False)
        embedded.stop(new)
        yield places.locate(new).engines / "postgres"


@pytest.fixture
def used(data_of_postgres: Path) -> Callable[[Path], Path]:
    """`used(folder)`: the engines have run in it before. To make PostgreSQL's data takes longer than most tests here."""

    def fill(folder: Path) -> Path:
        subprocess.run(["cp", "-a", data_of_postgres, places.locate(folder).engines / "postgres"], check=True)
        return folder

    return fill


@pytest.fixture
def used_folder(used: Callable[[Path], Path]) -> Iterator[Path]:
    with new_folder() as new:
        yield used(new)


def processes_of(folder: Path) -> list[int]:
    found = places.locate(folder)
    return [
        *remains.orphans(found.engines / "postgres", program="postgres"),
        *remains.orphans(found.engines / "valkey", program="valkey-server"),
    ]


def keeper_of(folder: Path) -> int:
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile() as answer:
        connection.connect(str(places.locate(folder).control_socket))
        return int(json.loads(answer.readline())["pid"])


def postmaster_of(folder: Path) -> int:
    return int((places.locate(folder).engines / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def eventually(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)


def remove(folder: Path) -> None:
    """With all that is in it, though who ends at this moment may still make or remove a file there."""

    def is_gone() -> bool:
        shutil.rmtree(folder, ignore_errors=True)
        return not folder.exists()

    eventually(is_gone)


def answers(lease: Lease) -> bool:
    try:
        return bool(lease.query("SELECT 1") == 1 and lease.valkey().ping())
    except (psycopg.OperationalError, redis.ConnectionError):
        return False


def remember(lease: Lease, word: str) -> None:
    lease.query("CREATE TABLE memory (word text)")
    lease.query(f"INSERT INTO memory VALUES ('{word}')")  # noqa: S608  (a word of the test's own)
    lease.valkey().set("word", word)


def recall(lease: Lease) -> tuple[object, object]:
    return lease.query("SELECT word FROM memory"), lease.valkey().get("word")


def test_engines_end_with_their_last_lease_and_keep_their_data(used_folder: Path, lease: Open) -> None:
    first = lease(used_folder, durable=True)
    remember(first, "kept")
    first.end()
    eventually(lambda: not processes_of(used_folder))

    assert recall(lease(used_folder, durable=True)) == ("kept", "kept")


def test_engines_are_the_promised_ones_and_listen_on_no_network(just_started: tuple[Path, Lease]) -> None:
    _, engines = just_started
    assert str(engines.query("SHOW server_version")).startswith("18.")
    assert engines.query("SHOW listen_addresses") == ""
    assert engines.query("SELECT lower('ÄÉ')") == "äé"
    valkey = engines.valkey()
    assert valkey.info("server")["valkey_version"].startswith("9.")
    assert valkey.config_get("port", "maxmemory-policy") == {"port": "0", "maxmemory-policy": "noeviction"}
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", 0), timeout=1)


def test_only_their_own_user_passes_the_folder_of_the_sockets(just_started: tuple[Path, Lease]) -> None:
    found = places.locate(just_started[0])
    assert found.sockets.stat().st_mode & 0o777 == 0o700
    assert found.engines.stat().st_mode & 0o777 == 0o700


def test_many_processes_that_start_at_once_share_the_engines(folder: Path) -> None:
    processes = [start_lease(folder) for _ in range(5)]
    try:
        leases = [answer_of(process) for process in processes]
        assert len({(one.database_url, one.redis_url) for one in leases}) == 1
        assert len({one.query("SELECT pg_postmaster_start_time()") for one in leases}) == 1
        leases[0].end()
        time.sleep(keeper.GRACE_SECONDS + 0.5)
        assert answers(leases[1])
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_joining_in_one_process_is_idempotent(used_folder: Path) -> None:
    assert embedded.ensure(used_folder, durable=False) == embedded.ensure(used_folder, durable=False)


def test_a_process_that_lost_its_engines_gets_them_anew(used_folder: Path) -> None:
    before = embedded.ensure(used_folder, durable=False)
    embedded.stop(used_folder)
    assert not processes_of(used_folder)

    assert embedded.ensure(used_folder, durable=False) == before
    assert processes_of(used_folder)


def test_two_folders_share_nothing(folder: Path, used: Callable[[Path], Path], lease: Open) -> None:
    one, other = lease(used(folder / "one")), lease(used(folder / "other"))
    try:
        remember(one, "mine")
        assert other.query("SELECT to_regclass('memory')") is None
        assert other.valkey().get("word") is None
    finally:
        embedded.discard(folder / "one")
        embedded.discard(folder / "other")


def test_a_copied_folder_shares_nothing_with_its_original(folder: Path, lease: Open) -> None:
    """Even when the original's data lies elsewhere and the copy has a link to it."""
    link = folder / "original" / "engines"
    link.parent.mkdir(parents=True)
    link.symlink_to(places.FALLBACK_PARENT / "gatehouse-of-another-checkout")

    copy = places.locate(folder / "original")
    try:
        assert copy.engines == copy.elsewhere / "engines"
        assert link.readlink() == copy.engines
    finally:
        embedded.discard(folder / "original")


def test_a_killed_user_of_the_engines_does_not_leave_them_behind(used_folder: Path, lease: Open) -> None:
    user = lease(used_folder)
    assert processes_of(used_folder)
    user.end(signal.SIGKILL)
    eventually(lambda: not processes_of(used_folder))


def test_a_killed_keeper_does_not_leave_them_behind_and_the_next_start_finds_the_data(
    used_folder: Path, lease: Open
) -> None:
    remember(lease(used_folder, durable=True), "kept")
    os.kill(keeper_of(used_folder), signal.SIGKILL)

    again = lease(used_folder, durable=True)  # at once: while the old engines may still be stopping
    assert recall(again) == ("kept", "kept")
    again.end()
    eventually(lambda: not processes_of(used_folder))


def test_a_killed_postgres_comes_back_with_its_data(used_folder: Path, lease: Open) -> None:
    user = lease(used_folder, durable=True)
    remember(user, "kept")
    for _ in range(2):
        dead = postmaster_of(used_folder)
        os.kill(dead, signal.SIGKILL)
        eventually(lambda dead=dead: answers(user) and postmaster_of(used_folder) != dead)
    assert recall(user) == ("kept", "kept")


def test_a_postgres_killed_while_it_comes_back_is_started_once_more(used_folder: Path, lease: Open) -> None:
    user = lease(used_folder)
    killed = postmaster_of(used_folder)
    os.kill(killed, signal.SIGKILL)
    eventually(
        lambda: set(remains.orphans(places.locate(used_folder).engines / "postgres", program="postgres")) - {killed}
    )
    time.sleep(0.15)
    for pid in remains.orphans(places.locate(used_folder).engines / "postgres", program="postgres"):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    eventually(lambda: answers(user))


def test_an_engine_that_dies_again_and_again_ends_the_keeper_with_a_reason(used_folder: Path, lease: Open) -> None:
    lease(used_folder)
    server = places.locate(used_folder).engines / "valkey"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (used_folder / "keeper.error").exists():
        assert time.monotonic() < deadline, "the keeper goes on for ever"
        for pid in remains.orphans(server, program="valkey-server"):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    eventually(lambda: "valkey keeps dying" in (used_folder / "keeper.error").read_text())
    eventually(lambda: not processes_of(used_folder))


def test_a_killed_valkey_comes_back(used_folder: Path, lease: Open) -> None:
    user = lease(used_folder)
    dead = user.valkey().info("server")["process_id"]
    os.kill(dead, signal.SIGKILL)
    eventually(lambda: answers(user) and user.valkey().info("server")["process_id"] != dead)


def test_everything_killed_at_once_as_by_a_power_cut_comes_back(used_folder: Path, lease: Open) -> None:
    """And the PIDs in the lock files belong to other, living processes by then, as after a reboot."""
    user = lease(used_folder, durable=True)
    remember(user, "kept")
    found = places.locate(used_folder)
    keeper_, engines = keeper_of(used_folder), processes_of(used_folder)
    # Stopped, it starts nothing anew; and if it died first, the engines would be told to end well.
    os.kill(keeper_, signal.SIGSTOP)
    for pid in (*engines, keeper_, user.process.pid):
        with suppress(ProcessLookupError):  # its parent's death may have ended it already
            os.kill(pid, signal.SIGKILL)
    eventually(lambda: not processes_of(used_folder))
    bystander = subprocess.Popen(["sleep", "60"], cwd=found.engines / "postgres")
    try:
        for lock in (found.engines / "postgres" / "postmaster.pid", found.sockets / ".s.PGSQL.5432.lock"):
            lock.write_text("\n".join([str(bystander.pid), *lock.read_text().splitlines()[1:]]) + "\n")

        assert recall(lease(used_folder, durable=True)) == ("kept", "kept")
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_start_in_the_moment_of_the_stop_succeeds(used_folder: Path, lease: Open) -> None:
    """Whatever step of shutting down the keeper is at when the newcomer arrives."""
    before = lease(used_folder)
    for pause in (0.0, 0.05, 0.15):
        os.kill(keeper_of(used_folder), signal.SIGTERM)
        time.sleep(pause)
        newcomer = lease(used_folder)
        assert answers(newcomer)
    before.end()
    for pause in (0.0, 0.2):
        newcomer.end()
        time.sleep(keeper.GRACE_SECONDS + pause)
        newcomer = lease(used_folder)
        assert answers(newcomer)


def test_an_interrupted_first_start_is_repeated(folder: Path, lease: Open) -> None:
    starting = start_lease(folder)
    draft = places.locate(folder).engines / "postgres-draft"
    eventually((draft / "PG_VERSION").exists)
    lock = (folder / "keeper.lock").stat().st_ino
    holders = [line.split() for line in Path("/proc/locks").read_text().splitlines() if f":{lock} " in line]
    os.kill(int(holders[0][4]), signal.SIGKILL)
    starting.kill()
    starting.communicate()

    assert answers(lease(folder))


def test_a_path_longer_than_a_socket_name_may_be_works(folder: Path, used: Callable[[Path], Path], lease: Open) -> None:
    deep = folder / ("d" * 60) / ("e" * 60)
    try:
        assert answers(lease(used(deep)))
    finally:
        embedded.discard(deep)


def test_a_path_with_characters_of_urls_and_lists_works(folder: Path, lease: Open) -> None:
    odd = folder / "my projects, 100% & more?"
    try:
        assert answers(lease(odd))
    finally:
        embedded.discard(odd)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts engines as another user")
def test_as_root_the_engines_run_as_an_ordinary_user_even_under_a_closed_home(tmp_path: Path, lease: Open) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    modes = {path: path.stat().st_mode for path in (home, *home.parents)}
    data = home / "checkout" / ".data"
    try:
        engines = lease(data, durable=True)
        remember(engines, "kept")
        assert {Path(f"/proc/{pid}").stat().st_uid for pid in processes_of(data)} == {places.locate(data).owner.uid}
        assert (data / "engines").is_symlink()
        engines.end()
        eventually(lambda: not processes_of(data))
        assert recall(lease(data, durable=True)) == ("kept", "kept")
        assert {path: path.stat().st_mode for path in modes} == modes
    finally:
        elsewhere = places.locate(data).elsewhere
        embedded.discard(data)
        assert not elsewhere.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts engines as another user")
def test_a_removed_data_folder_is_forgotten_even_where_its_data_lies_elsewhere(
    tmp_path: Path, used: Callable[[Path], Path], lease: Open
) -> None:
    """Its keys went with it, so the data could not be read any more."""
    data = tmp_path / "home" / ".data"
    data.parent.mkdir(mode=0o700)
    try:
        engines = lease(used(data))
        remember(engines, "gone")
        engines.end()
        eventually(lambda: not processes_of(data))
        remove(data)

        anew = lease(data)
        assert anew.query("SELECT to_regclass('memory')") is None
        assert anew.valkey().get("word") is None
    finally:
        embedded.discard(data)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts engines as another user")
def test_a_home_that_was_closed_later_is_said_and_no_empty_database_put_in_its_place(tmp_path: Path) -> None:
    data = tmp_path / "home" / ".data"
    (data / "engines").mkdir(parents=True)
    data.parent.chmod(0o700)
    try:
        with pytest.raises(embedded.EmbeddedEngineError, match=f"may not pass the folders above {data / 'engines'}"):
            places.locate(data)
    finally:
        shutil.rmtree(data / "engines")
        embedded.discard(data)


def test_a_strict_umask_does_not_lock_the_engines_out(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        assert places._verified(tmp_path / "elsewhere").stat().st_mode & 0o777 == 0o711
    finally:
        os.umask(before)


def test_engines_end_when_their_folder_is_removed_under_them(used_folder: Path, lease: Open) -> None:
    lease(used_folder)
    before = processes_of(used_folder)
    assert before
    remove(used_folder)
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in before))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
@pytest.mark.parametrize("trap", ["another's folder", "a link", "writable for all"])
def test_a_folder_elsewhere_that_is_not_ours_is_refused(tmp_path: Path, trap: str) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    elsewhere = places.FALLBACK_PARENT / f"gatehouse-{places._fingerprint(data)}"
    try:
        if trap == "a link":
            elsewhere.symlink_to(tmp_path)
        else:
            elsewhere.mkdir(mode=0o755)
            elsewhere.chmod(0o777 if trap == "writable for all" else 0o755)
            os.chown(elsewhere, 12345 if trap == "another's folder" else 0, 0)
        with pytest.raises(embedded.EmbeddedEngineError, match=str(elsewhere)):
            places.locate(data)
    finally:
        elsewhere.unlink() if elsewhere.is_symlink() else elsewhere.rmdir()


def test_the_data_of_another_major_version_is_refused_by_name(folder: Path) -> None:
    data = places.locate(folder).engines / "postgres"
    data.mkdir()
    (data / "PG_VERSION").write_text("16\n")

    with pytest.raises(embedded.EmbeddedEngineError, match=rf"{data} was made by PostgreSQL 16.*Move the folder"):
        embedded.ensure(folder, durable=False)


def test_an_engine_that_cannot_start_says_why_with_the_end_of_its_log(folder: Path) -> None:
    data = places.locate(folder).engines / "postgres"
    data.mkdir()
    (data / "PG_VERSION").write_text("18\n")

    with pytest.raises(embedded.EmbeddedEngineError, match=r"(?s)postgres did not start.*postgresql\.conf"):
        embedded.ensure(folder, durable=False)


def test_missing_wheels_are_named_with_the_ways_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remedy = r"DATABASE_URL and REDIS_URL.*requirements/development\.txt"
    with monkeypatch.context() as patch, pytest.raises(embedded.EmbeddedEngineError, match=remedy):
        patch.setattr(places, "find_spec", lambda _: None)
        embedded.ensure(folder)


def test_the_command_line_says_whether_they_run_and_stops_them(used_folder: Path, lease: Open) -> None:
    def command(action: str) -> str:
        command = [sys.executable, "-m", "config.embedded", action, str(used_folder)]
        return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout

    engines = lease(used_folder)
    assert engines.database_url in command("status")
    command("stop")
    assert not processes_of(used_folder)
    assert command("status").startswith("No engines run")


def test_addresses_are_of_the_agreed_form(just_started: tuple[Path, Lease]) -> None:
    folder, engines = just_started
    sockets = places.locate(folder).sockets
    assert engines.database_url == f"postgresql://gatehouse@/gatehouse?host={sockets}"
    assert parse_qs(urlsplit(engines.database_url).query) == {"host": [str(sockets)]}
    assert engines.redis_url == f"unix://{sockets}/valkey.sock?db=0"
