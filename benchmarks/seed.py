"""Fills a database with plausible rows: for measuring how costs grow, and for looking at the admin with many.

    python -m benchmarks.seed --customers 10000 --users 1000000 --sessions 5000000 --mails 1000000 --events 10000000

Beside these, each in proportion: API keys, clients, roles, factors, identity checks, steps of mails, refusals. With `--figures` the last
35 days are counted for the overview, as beat would.

It works on the database of the present settings, whose tables must be up to date (`manage.py migrate`), with a role that is
PostgreSQL's superuser. Rows are made by PostgreSQL itself. What is there stays; a second run adds as many again.

Customers have a signing secret each, so tokens can be minted for every session. Sealed fields that may be empty are empty. Links of
the hash chain have the form of real ones and no real hashes: `verify_audit_log` refuses a seeded database.
"""

import argparse
import math
import sys
import time
from dataclasses import dataclass
from datetime import timedelta

import django

from config import environment

environment.choose_settings()
django.setup()

from django.db import connection  # noqa: E402  (settings come first)
from django.utils import timezone  # noqa: E402

from apps.figures import counting  # noqa: E402
from benchmarks.seeding import bulk, rows, secrets, sizes  # noqa: E402
from benchmarks.seeding.scale import Scale  # noqa: E402

CHUNK = 250_000  # rows to a statement


@dataclass(frozen=True)
class Progress:
    """What has been done, on one line that is written anew."""

    what: str
    total: int
    began: float

    def show(self, done: int) -> None:
        seconds = time.monotonic() - self.began
        text = f"{self.what:24} {done:>11,} of {self.total:,} ({seconds:.0f} s)"
        sys.stdout.write(f"\r{text}" if sys.stdout.isatty() else f"{text}\n")
        sys.stdout.flush()

    def finish(self) -> None:
        sys.stdout.write("\n" if sys.stdout.isatty() else "")


def seed(scale: Scale) -> None:
    """All tables. Indexes are made after the rows, which takes a third of the time."""
    tables = rows.tables(scale)
    with connection.cursor() as cursor, bulk.fast_session(cursor):
        run = rows.begin(cursor, scale, now=timezone.now())
        for table in tables:
            with bulk.without_indexes(cursor, table.name, rows=table.count, say=_say):
                _fill(cursor, table, first=run.first)
        secrets.fill(cursor, run, say=_say)
        bulk.analyze(cursor, [table.name for table in tables], say=_say)


def _fill(cursor: bulk.Cursor, table: rows.Table, *, first: int) -> None:
    progress = Progress(table.name, table.count, time.monotonic())
    for done in range(0, table.count, CHUNK):
        upto = min(done + CHUNK, table.count)
        cursor.execute(table.statement, [first + done, first + upto - 1])
        progress.show(upto)
    progress.finish()


def _count_figures() -> None:
    began = time.monotonic()
    hours = counting.count_due(now=timezone.now(), until=math.inf)
    _say(f"{hours:,} hours counted ({time.monotonic() - began:.0f} s)")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seed", description=(__doc__ or "").partition("\n")[0])
    for name, default in vars(Scale(1000, 10_000, 50_000, 10_000, 100_000)).items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"how many (default {default:,})")
    began = time.monotonic()
    parser.add_argument("--figures", action="store_true", help="count the hours for the overview, too")
    chosen = vars(parser.parse_args())
    with_figures = chosen.pop("figures")
    seed(Scale(**chosen))
    if with_figures:
        _count_figures()
    took = timedelta(seconds=round(time.monotonic() - began))
    with connection.cursor() as cursor:
        _say(f"Filled in {took}.\n{sizes.as_text(cursor)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
