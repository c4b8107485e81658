"""The benchmarks' own PostgreSQL and Valkey, in `.bench/`: durable (fsync on), and what a call costs them.

`config.embedded` leaves PostgreSQL's fsync, synchronous_commit and full_page_writes on, and gives Valkey an append-only file that
is synced every second, as docs/production.md asks for.
"""

import fcntl
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self, TextIO

import psycopg
import redis
from psycopg import sql

from benchmarks import accounting
from config import embedded
from config.embedded.places import locate
from config.environment import PROJECT_ROOT

FOLDER = PROJECT_ROOT / ".bench"
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
SPENT = """
SELECT pg_current_wal_insert_lsn() - '0/0', pg_snapshot_xmax(pg_current_snapshot())::text::bigint
"""


class BenchBusy(Exception):
    """Another run uses the folder: each would measure the other."""


class EnginesNotDurable(Exception):
    """PostgreSQL gives up safety for speed: what is measured on it counts for nothing."""


@dataclass(frozen=True)
class Spent:
    """What the engines have spent so far; of two, the difference is what was spent between them."""

    postgres_seconds: float
    valkey_seconds: float
    wal_bytes: float
    writing_transactions: float  # each waits for one fsync at most; those that commit together share it

    def __sub__(self, before: Self) -> "Spent":
        return Spent(*(getattr(self, field.name) - getattr(before, field.name) for field in fields(self)))


class Engines:
    """Running for as long as this process."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._lock = _locked(folder)
        running = embedded.ensure(folder, durable=True)
        places = locate(folder)
        self.folder = folder
        self.redis_url = running.redis_url
        self._database_url = running.database_url
        self._postgres = int((places.engines / "postgres" / "postmaster.pid").read_text().split()[0])
        self._connection = psycopg.connect(running.database_url, autocommit=True)
        self._valkey = self._pid_of_valkey()
        self._refuse_what_is_not_durable()
        self._valkey_client = redis.Redis.from_url(self.redis_url)
        self._valkey_client.flushall()

    def fresh_database(self, name: str) -> str:
        """An empty database of this name; its URL."""
        for statement in ("DROP DATABASE IF EXISTS {} WITH (FORCE)", "CREATE DATABASE {}"):
            self._connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
        return self._url(name)

    def copied_database(self, of: str, name: str) -> str:
        """A copy of this database under another name; its URL. Whoever is connected to it is cut off."""
        copied, original = sql.Identifier(name), sql.Identifier(of)
        self._connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(copied))
        self._connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [of]
        )
        self._connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(copied, original))
        return self._url(name)

    def valkey_database(self, number: int) -> str:
        """The URL of one of Valkey's sixteen databases."""
        return self.redis_url.replace("db=0", f"db={number}")

    def postgres_version(self) -> str:
        row = self._connection.execute("SHOW server_version").fetchone()
        return str(row[0]) if row else ""

    def valkey_version(self) -> str:
        return str(self._valkey_client.info("server").get("valkey_version", ""))

    def spent(self) -> Spent:
        """So far, without delay: the WAL's end and the last transaction's number, since backends report statistics late."""
        row = self._connection.execute(SPENT).fetchone() or (0, 0)
        seconds = accounting.cpu_seconds(self._postgres), accounting.cpu_seconds(self._valkey)
        return Spent(*seconds, *map(float, row))

    def stop(self) -> None:
        self._valkey_client.close()
        self._connection.close()
        embedded.stop(self.folder)
        self._lock.close()

    def _refuse_what_is_not_durable(self) -> None:
        for name in DURABLE:
            row = self._connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(name))).fetchone()
            if row != ("on",):
                raise EnginesNotDurable(f"{name} is {row}: remove {self.folder}, and start again.")

    def _url(self, database: str) -> str:
        return re.sub(r"/gatehouse\?", f"/{database}?", self._database_url)

    def _pid_of_valkey(self) -> int:
        """The keeper's other child."""
        everybody = {process.pid: process for process in accounting.tree(1)}
        keeper = everybody[self._postgres].parent
        (other,) = (pid for pid, found in everybody.items() if found.parent == keeper and pid != self._postgres)
        return other


def _locked(folder: Path) -> TextIO:
    """The folder's lock, which the kernel gives back whatever happens. Raises BenchBusy."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "bench.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise BenchBusy(
            f"Another run of the benchmarks uses {folder}. Wait for its end, or name another --folder."
        ) from error
    return lock
