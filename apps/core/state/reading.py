"""Reading how things stand now: from memory while the lease holds, else from PostgreSQL, all that is missing in one query.

What is not there is not remembered: what is made a moment later must be found at once. Inside a transaction, which may see
what is never committed, values are read and not stored.
"""

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from apps.core import prepared
from apps.core.state import clock
from apps.core.state.kinds import Lookup, Value
from apps.core.state.memory import Address, Remembered
from apps.core.state.process import present

Known = dict[Address, Remembered]
Whole = TypeVar("Whole")


@dataclass(frozen=True, slots=True)
class Found:
    """What several look-ups gave; None for what is not there. `remembered`: none of it was asked of PostgreSQL just now."""

    known: Mapping[Address, Remembered]
    remembered: bool

    def __getitem__(self, lookup: Lookup[Value]) -> Value | None:
        remembered = self.known.get(lookup.address)
        if remembered is None:
            return None
        return cast("Value", remembered.value)  # stored under this kind's name by its own `parse`


def read(*lookups: Lookup[Any]) -> Found:
    """These, as they are now. No query when all are remembered, else one. Raises OperationalError without PostgreSQL."""
    process = present()
    known = process.memory.get([lookup.address for lookup in lookups]) if process.may_trust_memory() else {}
    missing = [lookup for lookup in lookups if lookup.address not in known]
    if missing:
        known = {**known, **_load(missing)}
    return Found(known, remembered=not missing)


def whole(key: Hashable, make: Callable[[], tuple[Whole, bool]]) -> Whole:
    """What `make` makes of remembered values, made once for as long as none of them is forgotten or replaced.

    `make` says with it whether all that it read was remembered: else it may be of a transaction that is never committed.
    """
    process = present()
    wholes = process.memory.wholes  # before anything is read: what is forgotten from here on begins others
    if process.may_trust_memory() and (known := process.memory.wholes.get(key)) is not None:
        return cast("Whole", known)
    made, all_remembered = make()
    if all_remembered:
        wholes.keep(key, made)
    return made


def read_anew(*lookups: Lookup[Any]) -> Found:
    """The same from PostgreSQL, whatever is remembered: one query."""
    return Found(_load(lookups), remembered=False)


def read_one(lookup: Lookup[Value]) -> Value | None:
    """This one, as it is now."""
    return read(lookup)[lookup]


def _load(lookups: Sequence[Lookup[Any]]) -> Known:
    memory = present().memory
    # Before the query: what is forgotten from here on is not stored.
    generation, asked_at = memory.generation, clock.now()
    try:
        documents = _query(lookups)
    except (OperationalError, InterfaceError):
        if still_counting := _still_counting(lookups):
            return still_counting
        raise
    values = {}
    for lookup, document in zip(lookups, documents, strict=True):
        if document is not None:
            value = lookup.parse(json.loads(document))
            values[lookup.address] = Remembered(value, lookup.subject(value), asked_at)
    if not connection.in_atomic_block:
        memory.put(values, generation=generation)
    return values


def _query(lookups: Sequence[Lookup[Any]]) -> Sequence[str | None]:
    """One document for each look-up, None where there is no row: one statement, so that all are of one moment."""
    parts = [lookup.statement() for lookup in lookups]
    statement = ", ".join(f"(SELECT to_jsonb(found) FROM ({text}) found)" for text, _ in parts)  # noqa: S608  (Django's own SQL)
    with prepared.cursor() as cursor:
        cursor.execute(f"SELECT {statement}", [parameter for _, given in parts for parameter in given])
        row: Sequence[str | None] = cursor.fetchone()
    return row


def _still_counting(lookups: Sequence[Lookup[Any]]) -> Known:
    """What was known, for as long as the operator lets it count without PostgreSQL; empty unless it is all that is asked for."""
    process = present()
    known = process.memory.get([lookup.address for lookup in lookups])
    oldest = clock.now() - settings.STATE_GRACE_SECONDS
    counting = {
        address: remembered
        for address, remembered in known.items()
        if max(remembered.asked_at, process.lease.heard_at) > oldest
    }
    return counting if len(counting) == len(lookups) else {}
