"""What a process that serves requests does otherwise than any other, from its start on."""

import gc
from importlib import import_module

from django.conf import settings
from django.core.cache import close_caches
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, reset_queries

from apps.core.database_connections import let_go_if_used

NEW_OBJECTS = (
    10_000  # Python's own number is 700, of which each request makes some forty that only a collection can free
)


def prepare() -> None:
    """Once all applications are loaded. Together it saves an eighth of the CPU of a call such as `GET /api/auth/me`."""
    import_module(settings.ROOT_URLCONF)  # else the first request would wait for the import of all views
    collect_less_often()
    do_nothing_in_vain()


def collect_less_often() -> None:
    """What is there now stays until the end, and need not be looked at again by each full collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 10, 10)


def do_nothing_in_vain() -> None:
    """Of the five things that Django does around each request one is left: a connection that was used is let go of.

    What is kept is checked at its first use (CONN_HEALTH_CHECKS): before a request nothing is to be done. Queries are noted with
    DEBUG alone, and connections to Valkey are kept.
    """
    request_started.disconnect(close_old_connections)
    request_started.disconnect(reset_queries)
    request_finished.disconnect(close_old_connections)
    request_finished.connect(let_go_if_used)
    request_finished.disconnect(close_caches)
