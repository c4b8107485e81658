"""Whether this process lives, and whether it can serve."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from celery import current_app
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from apps.core import valkey

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 2  # for each check: a prober wants an answer, and a part that is too slow counts as down


def healthz(_request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers. Neither it nor the middlewares on its way ask any other service."""
    return JsonResponse({"status": "ok"})


def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when everything needed to serve is in order; 503 names what is not. Says nothing about why: that is logged."""
    state: dict[str, str] = {}
    for name, check in CHECKS.items():
        in_vain = any(state[other] == "down" for other in NEEDS.get(name, ()))  # each try of a lost host takes seconds
        state[name] = "ok" if not in_vain and _works(name, check) else "down"
    ready = all(value == "ok" for value in state.values())
    return JsonResponse({"status": "ok" if ready else "unavailable", **state}, status=200 if ready else 503)


def _works(name: str, check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception as error:  # noqa: BLE001  (whatever the error, the part is down)
        log.warning("not_ready", part=name, error=type(error).__name__)
        return False


@contextmanager
def _in_time() -> Iterator[CursorWrapper]:
    """A database that accepts connections but does not answer (a lock, a full disk) is as good as none."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = %s", [TIMEOUT_SECONDS * 1000])
        yield cursor


def _database() -> bool:
    with _in_time() as cursor:
        cursor.execute("SELECT 1")
    return True


def _valkey() -> bool:
    with valkey.reachable():
        return bool(valkey.client().ping())


def _broker() -> bool:
    with current_app.connection_for_write(connect_timeout=TIMEOUT_SECONDS) as broker:
        broker.ensure_connection(max_retries=1, timeout=TIMEOUT_SECONDS)
    return True


def _migrations() -> bool:
    with _in_time():
        executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


CHECKS: dict[str, Callable[[], bool]] = {
    "database": _database,
    "valkey": _valkey,
    "broker": _broker,
    "migrations": _migrations,
}
NEEDS = {"migrations": ("database",)}
