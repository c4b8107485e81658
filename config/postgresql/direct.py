"""A cursor for the statements that requests make most: prepared once a connection, and executed by one call of libpq.

psycopg's own cursors drive libpq step by step, by generators in Python, so that they can also be asynchronous and pipelined: a round
trip takes 190 to 240 µs of CPU where other processes use the caches meanwhile, and 70 by one call. psycopg converts the values and the
errors here, too. It has no part in transactions: in one, `base` gives out a cursor of psycopg's.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Any

import psycopg
from psycopg import errors
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

PLACE = re.compile(r"%(?:\((\w+)\)s|(s)|%)")
# Nothing was executed: after a transaction that was taken back psycopg has DEALLOCATE ALL said, which means ours as well.
FORGOTTEN = b"26000"
SUCCEEDED = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)

Parameters = Mapping[str, Any] | Sequence[Any]


class Direct:
    """A connection, and by which names it knows which statements. One thread uses it at a time."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self.connection = connection
        self._values = Transformer(connection)
        self._names: dict[tuple[bytes, tuple[int, ...]], bytes] = {}
        self._numbers = count()

    def execute(self, statement: str, parameters: Parameters) -> tuple[PGresult, list[tuple[Any, ...]]]:
        """The result and its rows. Raises psycopg's errors."""
        text, names = _numbered(statement)
        given = [parameters[name] for name in names] if isinstance(parameters, Mapping) else parameters
        dumped = self._values.dump_sequence(given, [PyFormat.AUTO] * len(given))
        result = self._checked(self._execute(text, dumped))
        self._values.set_pgresult(result)
        try:
            return result, self._values.load_rows(0, result.ntuples, tuple)
        finally:
            self._values.set_pgresult(None)

    def _execute(self, text: bytes, dumped: Sequence[Any]) -> PGresult:
        pgconn, types, formats = self.connection.pgconn, self._values.types or (), self._values.formats
        if pgconn.status != ConnStatus.OK:
            raise psycopg.OperationalError("the connection is lost")
        if self.connection.prepare_threshold is None:  # behind a pooler: the next statement may meet another server
            return pgconn.exec_params(text, dumped, types, formats)
        name = self._names.get((text, types)) or self._prepared(text, types)
        result = pgconn.exec_prepared(name, dumped, formats)
        if result.error_field(DiagnosticField.SQLSTATE) != FORGOTTEN:
            return result
        self._names.clear()
        return pgconn.exec_prepared(self._prepared(text, types), dumped, formats)

    def _prepared(self, text: bytes, types: tuple[int, ...]) -> bytes:
        name = b"gatehouse_%d" % next(self._numbers)
        self._checked(self.connection.pgconn.prepare(name, text, types))
        self._names[text, types] = name
        return name

    def _checked(self, result: PGresult) -> PGresult:
        if result.status in SUCCEEDED:
            return result
        if self.connection.pgconn.status != ConnStatus.OK:
            raise psycopg.OperationalError(result.get_error_message())
        raise errors.error_from_result(result, self._values.encoding)


class DirectCursor:
    """What Django and its callers use of a cursor (PEP 249)."""

    def __init__(self, direct: Direct) -> None:
        self._direct = direct
        self._rows: list[tuple[Any, ...]] = []
        self.rowcount = -1

    def execute(self, statement: str, parameters: Parameters = ()) -> None:
        result, rows = self._direct.execute(statement, parameters)
        self.rowcount = result.command_tuples or 0
        self._rows = rows[::-1]

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows.pop() if self._rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        rows, self._rows = self._rows[::-1], []
        return rows

    def close(self) -> None:
        self._rows = []


@lru_cache(maxsize=256)  # there are fewer statements
def _numbered(statement: str) -> tuple[bytes, tuple[str, ...]]:
    """The text as PostgreSQL wants it, with `$1` for each name or place, and the names in their order."""
    names: list[str] = []

    def number(found: "re.Match[str]") -> str:
        name, place = found.groups()
        if not (name or place):
            return "%"
        if not name or name not in names:
            names.append(name or "")
        return f"${names.index(name) + 1 if name else len(names)}"

    return PLACE.sub(number, statement).encode(), tuple(names)
