"""Disposable copies in Valkey of rows in PostgreSQL. Correct under races, flushes, restarts and outages of Valkey.

See docs/decisions/0001-snapshots-in-valkey.md. In short: a reader fills only while it holds a lease that a change takes away; a value
carries the run id of the server it was written to; a change that Valkey could not be told is recorded and told later.
"""

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from django.db import connection, transaction

from apps.core import valkey
from apps.core.models import PendingInvalidation
from apps.core.valkey import ValkeyUnavailable

SHAPE = 3  # one more whenever what any snapshot holds changes: processes of two versions may run side by side
LIFETIME_SECONDS = 600
LEASE_SECONDS = 5  # a reader slower than this does not fill
AVOID_SECONDS = 1.0  # after a failure, reads go straight to PostgreSQL for this long

State = dict[str, Any]
Loader = Callable[[], State | None]

log = structlog.get_logger(__name__)

# KEYS: value, lease, value, lease, …  ARGV: lifetime, nonce, then the values.
_fill = valkey.Script(
    """
for i = 1, #KEYS, 2 do
  if redis.call('GET', KEYS[i + 1]) == ARGV[2] then
    redis.call('SET', KEYS[i], ARGV[2 + (i + 1) / 2], 'EX', ARGV[1])
    redis.call('DEL', KEYS[i + 1])
  end
end
""",
    kinds=("string",),
)


class _Breaker:
    """Remembers, for a moment, that Valkey is away, so that reads do not wait for it one after the other."""

    avoid_until = 0.0


def read_through(loaders: Mapping[str, Loader]) -> dict[str, State | None]:
    """The states under these keys, as they are now: one round trip when Valkey has them, else from PostgreSQL by the loaders."""
    keys = list(loaders)
    try:
        found = dict(zip(keys, _read(keys), strict=True))
    except ValkeyUnavailable:
        return {key: load() for key, load in loaders.items()}
    missing = [key for key in keys if found[key] is None]
    if missing:
        found.update(_load({key: loaders[key] for key in missing}))
    return found


def invalidate(*keys: str) -> bool:
    """Forget these snapshots in every process. Call it after the commit. False: Valkey could not be told, but will be."""
    if not keys:  # nothing changed, and DEL without a key is an error
        return True
    try:
        _forget(keys)
    except ValkeyUnavailable:
        PendingInvalidation.objects.bulk_create([PendingInvalidation(key=key) for key in keys], ignore_conflicts=True)
        log.warning("snapshots_not_invalidated", keys=keys)
        return False
    return True


class Propagation:
    """Whether a change has reached every process; known once its transaction has committed."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.complete = True
        self._keys = keys

    def carry_out(self) -> None:
        self.complete = invalidate(*self._keys)


def invalidate_on_commit(*keys: str) -> Propagation:
    """Invalidate once the present transaction has committed (at once when there is none)."""
    propagation = Propagation(keys)
    transaction.on_commit(propagation.carry_out)
    return propagation


def retry_pending() -> int:
    """Tell Valkey what it could not be told before. Returns how many keys. Raises ValkeyUnavailable."""
    pending = list(PendingInvalidation.objects.order_by("id")[:1000])
    if pending:
        _forget([row.key for row in pending])
        PendingInvalidation.objects.filter(id__in=[row.id for row in pending]).delete()
    return len(pending)


def _read(keys: Sequence[str]) -> list[State | None]:
    if time.monotonic() < _Breaker.avoid_until:
        raise ValkeyUnavailable
    try:
        with valkey.reachable():
            values = valkey.client().mget(keys)
    except ValkeyUnavailable:
        _Breaker.avoid_until = time.monotonic() + AVOID_SECONDS
        raise
    run = valkey.run_id()  # of the connection that the reply came by
    return [_open(value, run) for value in values]


def _open(value: bytes | str | None, run: str) -> State | None:
    if value is None:
        return None
    try:
        envelope = json.loads(value)
        current = bool(run) and envelope["run"] == run and envelope["shape"] == SHAPE
        state = envelope["state"] if current else None
    except (ValueError, TypeError, KeyError, RecursionError):  # another version's, or nobody's: it is overwritten
        log.warning("snapshot_unreadable")
        return None
    return state if isinstance(state, dict) else None


def _load(loaders: Mapping[str, Loader]) -> dict[str, State | None]:
    """Read PostgreSQL under a fill lease, and fill what the lease still allows."""
    nonce, run = secrets.token_hex(8), valkey.run_id()
    # Inside a transaction we may see what is not committed yet, or no longer true: read, but do not publish it.
    may_fill = not connection.in_atomic_block
    if may_fill:
        may_fill = _take_leases(list(loaders), nonce)
    states = {key: load() for key, load in loaders.items()}
    if may_fill:
        _fill_in({key: state for key, state in states.items() if state is not None}, nonce=nonce, run=run)
    return states


def _take_leases(keys: Sequence[str], nonce: str) -> bool:
    try:
        with valkey.reachable(), valkey.client().pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.set(_lease(key), nonce, ex=LEASE_SECONDS)
            pipeline.execute()
    except ValkeyUnavailable:
        return False
    return True


def _fill_in(states: Mapping[str, State], *, nonce: str, run: str) -> None:
    if not states:
        return
    keys = [name for key in states for name in (key, _lease(key))]
    values = [
        json.dumps({"run": run, "shape": SHAPE, "state": state}, separators=(",", ":")) for state in states.values()
    ]
    try:
        _fill(keys=keys, args=[LIFETIME_SECONDS, nonce, *values])
    except ValkeyUnavailable:
        log.info("snapshots_not_filled", keys=list(states))


def _forget(keys: Sequence[str]) -> None:
    with valkey.reachable():
        valkey.client().delete(*keys, *map(_lease, keys))


def _lease(key: str) -> str:
    return f"{key}:fill"
